"""Trace contexts in all the shapes of the W3C test suite: what is valid goes on, what is not begins a trace of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.lineage import given_trace
from foreshock.streams.codec.trace_context import LONGEST_STATE, context_of

TRACE, SPAN = "12345678901234567890123456789012", "1234567890123456"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "sent",
    [
        VALID,
        f"00-{TRACE}-{SPAN}-00",
        f"00-{TRACE}-{SPAN}-ff",
        f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
        f" {VALID}",
        f"\t{VALID}",
        f"{VALID} ",
        f"\t {VALID} \t",
    ],
)
def test_valid(sent: str) -> None:
    """Version 00, a later one with more behind it, and blanks around it."""
    parent, _ = context_of([("traceparent", sent.encode())])

    assert given_trace(parent) == TRACE
    assert parent is not None
    assert parent[36:52] == SPAN


@pytest.mark.parametrize(
    "sent",
    [
        f"{VALID}.",
        f"{VALID}-what-the-future-will-be-like",
        f"cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like",
        f"ff-{TRACE}-{SPAN}-01",
        f".0-{TRACE}-{SPAN}-01",
        f"0.-{TRACE}-{SPAN}-01",
        f"000-{TRACE}-{SPAN}-01",
        f"0000-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-.{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE[:-1]}.-{SPAN}-01",
        f"00-{TRACE}3-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-.{SPAN[1:]}-01",
        f"00-{TRACE}-{SPAN[:-1]}.-01",
        f"00-{TRACE}-{SPAN}7-01",
        f"00-{TRACE}-{SPAN[:-1]}-01",
        f"00-{TRACE}-{SPAN}-.0",
        f"00-{TRACE}-{SPAN}-0.",
        f"00-{TRACE}-{SPAN}-001",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{'AB' * 16}-{SPAN}-01",
        f"{VALID}\n",
        "nonsense",
    ],
)
def test_not_valid(sent: str) -> None:
    """Kept as it came, to be shown; it is no trace, and what stands beside it means nothing."""
    parent, state = context_of([("traceparent", sent.encode()), ("tracestate", b"gw=1")])

    assert given_trace(parent) is None
    assert parent == sent.replace("\n", "?")
    assert state is None


def test_name_in_any_case_and_no_other() -> None:
    """Headers of HTTP have no case, so gateways may have changed it; `trace-parent` is another header."""
    for name in ("TraceParent", "TrAcEpArEnT", "TRACEPARENT"):
        assert context_of([(name, VALID.encode())])[0] == VALID
    for name in ("trace-parent", "trace.parent", "traceparent ", "baggage"):
        assert context_of([(name, VALID.encode())]) == (None, None)


def test_twice_is_none() -> None:
    """Two contexts are none, whatever they say: nobody knows which of them is meant."""
    other = VALID.replace(TRACE, "1" * 32)
    for second in (other, VALID):
        assert given_trace(context_of([("traceparent", VALID.encode()), ("traceparent", second.encode())])[0]) is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["foo=1,bar=2"], "foo=1,bar=2"),
        (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3"),
        (["foo=1", ""], "foo=1"),
        (["", "foo=1"], "foo=1"),
        (["a-b_c*d/e@t*/-_=1"], "a-b_c*d/e@t*/-_=1"),
        ([",".join(f"k{i}=1" for i in range(32))], ",".join(f"k{i}=1" for i in range(32))),
        ([",".join(f"k{i}=1" for i in range(33))], None),
        (["foo=1,foo=1"], None),
        (["foo=1", "foo=2"], None),
        (["foo =1"], None),
        (["FOO=1"], None),
        (["foo.bar=1"], None),
        (["foo@=1,bar=2"], None),
        (["@foo=1,bar=2"], None),
        (["foo@@bar=1,bar=2"], None),
        (["foo=bar=baz"], None),
        (["foo=,bar=3"], None),
        (["foo"], None),
        ([f"k={'x' * LONGEST_STATE}"], None),
        ([""], None),
    ],
)
def test_state(sent: list[str], kept: str | None) -> None:
    """Members of all headers in order; one that is wrong, or is there twice, makes the whole of it mean nothing."""
    headers = [("traceparent", VALID.encode()), *(("tracestate", each.encode()) for each in sent)]

    assert context_of(headers) == (VALID, kept)


@given(st.binary(max_size=300), st.binary(max_size=700))
def test_anything_is_harmless(parent: bytes, state: bytes) -> None:
    """Whatever bytes come: short printable ASCII, or nothing."""
    for found in context_of([("traceparent", parent), ("tracestate", state)]):
        assert found is None or (found.isascii() and found.isprintable() and len(found) <= LONGEST_STATE)
