"""Scores written in one go against the general writer, byte by byte."""

from __future__ import annotations

import copy
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.contract import Mode, Origin, RunState, Score, ScoreRow, ScoreState
from foreshock.streams.codec import schemas, score_bytes
from foreshock.streams.codec.avro import writer
from tests.wire.samples import SCORE

SCHEMA = schemas.current()["Score"].schema
TEXT = st.one_of(st.sampled_from(["", "pump-7", "held: in alarm", "Ω" * 5000]), st.text(max_size=20))
LONG = st.one_of(st.integers(0, 300), st.integers(-(1 << 63), (1 << 63) - 1), st.integers(10**18, 2 * 10**18))
DOUBLE = st.floats(width=64)
TRACE = st.none() | TEXT
ROWS = st.builds(
    ScoreRow, source_ns=LONG, state=st.sampled_from(ScoreState), reason=TEXT, value=st.none() | DOUBLE,
    p_value=st.none() | DOUBLE, alarm=st.booleans(), run_state=st.sampled_from(RunState), trend=st.none() | DOUBLE,
    features=st.one_of(st.just(()), st.lists(st.floats(width=32), max_size=40).map(tuple), st.just((1.5,) * 300)),
)  # fmt: skip
ORIGINS = st.builds(
    Origin, topic=TEXT, topic_id=TEXT, partition=st.integers(0, 20_000), offset=LONG, ingest_ns=LONG, schema=TEXT,
    traceparent=TRACE, tracestate=TRACE,
)  # fmt: skip
SCORES = st.builds(
    Score, score_id=TEXT, asset=TEXT, point=TEXT, origin=ORIGINS, mode=st.sampled_from(Mode), model=TEXT, policy=TEXT,
    rows=st.lists(ROWS, max_size=4).map(tuple), quality=st.lists(TEXT, max_size=3).map(tuple), feature_set=TEXT,
    reference=TEXT, regime=TEXT, registered=st.booleans(), warmup=DOUBLE, learning=TEXT, delayed_s=DOUBLE,
)  # fmt: skip
FAST, GENERAL = score_bytes.make(SCHEMA), writer.make(SCHEMA)


def written(write: writer.Write, score: Score) -> bytes:
    parts: list[bytes] = []
    write(parts.append, score)
    return b"".join(parts)


@settings(deadline=None, max_examples=200)
@given(st.lists(SCORES, min_size=1, max_size=3))
def test_both_ways_give_the_same_bytes(scores):
    """Whatever a score holds, and whatever was written before it."""
    for score in scores:
        assert written(FAST, score) == written(GENERAL, score)


def test_what_is_kept_is_bounded():
    """Names come from producers: nobody makes a writer keep all that ever were, and it goes on to write what they say."""
    last = [replace(SCORE, asset=f"pump-{number}") for number in range(score_bytes.MOST + 10)]

    assert [written(FAST, each) for each in last] == [written(GENERAL, each) for each in last]


def test_it_is_used_for_the_present_schema_and_for_no_other():
    """A field more, or in another place, and scores are written by the general way."""
    more, moved = copy.deepcopy(SCHEMA), copy.deepcopy(SCHEMA)
    more["fields"].append({"name": "mood", "type": "string"})
    moved["fields"].insert(0, moved["fields"].pop())

    assert score_bytes.usable(SCHEMA)
    assert not score_bytes.usable(more)
    assert not score_bytes.usable(moved)
