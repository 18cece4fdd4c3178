"""What the answers of sinks mean, and how long is waited."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.sinks.answers import (
    LONGEST_ASKED_S,
    Ambiguous,
    Answer,
    Dead,
    Delivered,
    Retry,
    asked_wait,
    backoff_s,
    decide,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        (Answer("http", 200), Delivered()),
        (Answer("http", 204), Delivered()),
        (Answer("http", 302, "Found"), Dead("302 Found")),
        (Answer("http", 307, "Temporary Redirect"), Dead("307 Temporary Redirect")),
        (Answer("http", 400, "Bad Request: no"), Dead("400 Bad Request: no")),
        (Answer("http", 401, "Unauthorized"), Retry("401 Unauthorized")),
        (Answer("http", 403), Dead("403")),
        (Answer("http", 404), Dead("404")),
        (Answer("http", 407), Retry("407")),
        (Answer("http", 408), Retry("408")),
        (Answer("http", 413), Dead("413")),
        (Answer("http", 425), Retry("425")),
        (Answer("http", 429, after_s=7.0), Retry("429", 7.0)),
        (Answer("http", 500), Ambiguous("500")),
        (Answer("http", 502), Ambiguous("502")),
        (Answer("http", 503, after_s=30.0), Retry("503", 30.0)),
        (Answer("http", 504), Ambiguous("504")),
        (Answer("http", None, "cannot be reached", sent=False), Retry("cannot be reached")),
        (Answer("http", None, "no answer within 10 s"), Ambiguous("no answer within 10 s")),
        (Answer("smtp", 250), Delivered()),
        (Answer("smtp", 421, "closing"), Retry("421 closing")),
        (Answer("smtp", 451), Retry("451")),
        (Answer("smtp", 550, "no such user"), Dead("550 no such user")),
        (Answer("smtp", 554), Dead("554")),
        (Answer("smtp", None, "the connection ended", sent=True), Ambiguous("the connection ended")),
        (Answer("mqtt", 0x00), Delivered()),
        (Answer("mqtt", 0x10), Delivered()),
        (Answer("mqtt", 0x87), Dead("135")),
        (Answer("mqtt", 0x90), Dead("144")),
        (Answer("mqtt", 0x97), Retry("151")),
        (Answer("mqtt", None, "not acknowledged"), Ambiguous("not acknowledged")),
    ],
    ids=lambda value: f"{value.by} {value.code}" if isinstance(value, Answer) else "",
)
def test_each_answer_has_its_meaning(answer, decision):
    """Taken, later, never, or nobody knows: for each protocol's codes, and for no answer before and after it was sent."""
    assert decide(answer) == decision


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("99999999", LONGEST_ASKED_S),
        ("-5", None),
        ("soon", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2099 11:00:00 GMT", LONGEST_ASKED_S),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    """What is no time asks for nothing; nobody makes us wait longer than an hour."""
    assert asked_wait(header, NOW) == seconds


@given(st.integers(1, 2000), st.floats(0.001, 10), st.floats(0.001, 1000), st.integers())
def test_backoff_is_within_its_bounds_and_a_function_of_its_random_numbers(attempt, first, longest, seed):
    """It never exceeds the longest wait, nor what the attempt's number allows, and is the same for the same seed."""
    wait = backoff_s(attempt, first, longest, random.Random(seed))

    assert 0 <= wait <= min(longest, first * 2.0 ** min(attempt - 1, 1000))
    assert wait == backoff_s(attempt, first, longest, random.Random(seed))


def test_backoff_spreads_over_the_whole_range():
    """Full jitter: sinks that failed together do not come back together."""
    rng = random.Random(1)
    waits = [backoff_s(5, 1.0, 60.0, rng) for _ in range(2000)]

    assert min(waits) < 0.5
    assert max(waits) > 15.5
    assert 7.5 < sum(waits) / len(waits) < 8.5
