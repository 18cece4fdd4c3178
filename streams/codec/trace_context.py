"""W3C Trace Context as it comes in the headers of a record: `traceparent`, and `tracestate` beside a valid one.

What cannot be used is never passed on. `baggage` is not read at all: it is anybody's text, and nothing here may rest on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from foreshock.lineage import given_trace

LONGEST_PARENT = 128  # characters that are kept; version 00 has 55
LONGEST_STATE = 512  # characters: it is repeated in every output
MEMBERS = 32
_BLANK = " \t"
_MEMBER = re.compile(
    r"([a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


def context_of(headers: Iterable[tuple[str, str | bytes | None]]) -> tuple[str | None, str | None]:
    """Read the trace context of a record.

    Parameters
    ----------
    headers
        Names and values as they were on the wire; names in any case.

    Returns
    -------
    tuple
        `traceparent`: None where there is none. One that is not valid comes as printable text of at most
        `LONGEST_PARENT` characters, so that it can be shown; `lineage.given_trace` tells the two apart. One that came
        twice is not valid. `tracestate`: None unless it is valid and stands beside a valid `traceparent`.
    """
    parents: list[str] = []
    states: list[str] = []
    for name, value in headers:
        length = len(name)
        if length == 11 and value and name.lower() == "traceparent":
            parents.append(_printable(_text(value, LONGEST_PARENT)))
        elif length == 10 and value and name.lower() == "tracestate":
            states.append(_text(value, LONGEST_STATE + 1))
    if not parents:
        return None, None
    parent = parents[0] if len(parents) == 1 else ",".join(parents)[:LONGEST_PARENT]
    return parent, _state(states) if states and given_trace(parent) is not None else None


def _text(value: str | bytes, longest: int) -> str:
    text = value[:longest].decode("latin-1") if isinstance(value, bytes) else value[:longest]
    return text.strip(_BLANK)


def _printable(text: str) -> str:
    """Give the text without what could harm whoever shows it."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _shown(letter: str) -> str:
    return letter if letter.isascii() and letter.isprintable() else "?"


def _state(given: Sequence[str]) -> str | None:
    """Join the members of all headers; one that is wrong, or there twice, makes the whole of it mean nothing."""
    text = ",".join(given)
    members = [member for each in text.split(",") if (member := each.strip(_BLANK))]
    found = [_MEMBER.fullmatch(member) for member in members]
    keys = {match[1] for match in found if match}
    if not members or len(members) > MEMBERS or len(keys) < len(members) or len(text) > LONGEST_STATE:
        return None
    return ",".join(members)
