"""What the answer of a sink means for the transition that was sent. Pure, and the same for every kind of sink."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

LONGEST_ASKED_S = 3600.0  # a sink that asks for more is asked again after an hour
# 4xx that say "later": the request did not come in time, it came too early, there were too many; and those that say
# nothing of the request: who asks is not let in, which a new token mends
_LATER = frozenset({408, 425, 429, 401, 407})
# 5xx that say that nothing was done; any other one may have come after the work
_NOT_DONE = frozenset({503})
# MQTT 5: the broker is busy, shutting down, or over its quota
_MQTT_LATER = frozenset({0x80, 0x83, 0x88, 0x89, 0x8B, 0x93, 0x96, 0x97})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes
    ----------
    by
        Whose codes these are.
    code
        HTTP status, SMTP reply code, MQTT reason code; None: none came.
    detail
        What it said, or why nothing came, in a few words and without secrets.
    sent
        Whether the request may have reached the sink; where no answer came that makes the difference.
    after_s
        How long the sink asks us to wait.
    """

    by: Literal["http", "smtp", "mqtt"]
    code: int | None
    detail: str = ""
    sent: bool = True
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sink has it. `note`: what is worth a line all the same."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """The sink does not have it; it may take it later."""

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The sink may have it or not: it is sent again, under the same key."""

    why: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """The sink refuses it and will refuse it again."""

    why: str


Decision = Delivered | Retry | Ambiguous | Dead


def decide(answer: Answer) -> Decision:
    """Say what becomes of a transition after this answer."""
    if answer.code is None:
        return (Ambiguous if answer.sent else Retry)(answer.detail, answer.after_s)
    told = f"{answer.code} {answer.detail}".strip()
    return {"http": _http, "smtp": _smtp, "mqtt": _mqtt}[answer.by](answer.code, told, answer.after_s)


def _http(code: int, told: str, after_s: float | None) -> Decision:
    if 200 <= code < 300:
        return Delivered()
    if code in _LATER or code in _NOT_DONE:
        return Retry(told, after_s)
    if code >= 500 or code < 200:
        return Ambiguous(told, after_s)
    return Dead(told)  # 3xx too: a redirect is not followed, what is meant for one host is not shown to another


def _smtp(code: int, told: str, after_s: float | None) -> Decision:
    if 200 <= code < 400:
        return Delivered()
    return Retry(told, after_s) if code < 500 else Dead(told)


def _mqtt(code: int, told: str, after_s: float | None) -> Decision:
    if code < 0x80:
        return Delivered()
    return Retry(told, after_s) if code in _MQTT_LATER else Dead(told)


def asked_wait(header: str | None, now: datetime) -> float | None:
    """Give the seconds that a `Retry-After` header asks for, at most `LONGEST_ASKED_S`; None where it says nothing."""
    if not header:
        return None
    text = header.strip()
    if text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_ASKED_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_ASKED_S)


def backoff_s(attempt: int, first_s: float, longest_s: float, rng: random.Random) -> float:
    """Give the wait before the next attempt: exponential with full jitter.

    Parameters
    ----------
    attempt
        Attempts that failed so far, from 1.

    Notes
    -----
    Uniform on [0, min(longest, first * 2^(attempt-1))]: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015.
    """
    return rng.uniform(0.0, min(longest_s, first_s * 2.0 ** min(attempt - 1, 60)))
