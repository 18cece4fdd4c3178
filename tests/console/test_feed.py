"""Events to pages: numbered, resumed where they were left, and never piling up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from foreshock.streams.console.feed import KEPT, LISTENERS, WAITING, WAITING_BYTES, Feed


def told(data: bytes) -> list[str]:
    """Kinds of the events in what was sent."""
    return [line[7:].decode() for line in data.split(b"\n") if line.startswith(b"event: ")]


def numbers(data: bytes) -> list[int]:
    """Their numbers."""
    return [int(line[4:]) for line in data.split(b"\n") if line.startswith(b"id: ")]


def live() -> Feed:
    feed = Feed()
    feed.live = True
    return feed


def taken(feed: Feed, after: int | None) -> bytes:
    """What a page gets at once that comes (back)."""

    async def run() -> bytes:
        listener = feed.join(after)
        assert listener is not None
        found = await listener.take(0.01)
        feed.leave(listener)
        return found

    return asyncio.run(run())


def test_a_page_that_comes_back_gets_what_it_missed():
    """From the event after the one it saw last, and none twice."""
    feed = live()
    first = numbers(taken_while(feed, ["alert", "quality", "anomaly"]))

    again = taken(feed, first[0])

    assert told(again) == ["quality", "anomaly"]
    assert numbers(again) == first[1:]
    assert taken(feed, first[-1]) == b""


def taken_while(feed: Feed, kinds: list[str], tree: Mapping[str, object] = MappingProxyType({})) -> bytes:
    """What a page gets that was there while these were told."""

    async def run() -> bytes:
        listener = feed.join(None)
        for kind in kinds:
            feed.tell(kind, dict(tree))
        return await listener.take(1.0)

    return asyncio.run(run())


def test_one_that_was_away_for_too_long_begins_anew():
    """What it missed is not kept any more, or it knew another process: it is told to read all again."""
    feed = live()
    first = numbers(taken_while(feed, ["alert"]))[0]
    for _ in range(KEPT + 1):
        feed.tell("quality", {})

    assert told(taken(feed, first)) == ["reset"]
    assert told(taken(feed, first + 10**9)) == ["reset"]
    assert told(taken(live(), 1)) == ["reset"]


def test_a_page_that_does_not_read_costs_no_memory():
    """It loses all that waited and is told so."""
    feed = live()
    data = taken_while(feed, ["quality"] * (WAITING + 10))

    assert told(data)[0] == "reset"
    assert len(told(data)) <= WAITING


def test_what_waits_is_bounded_in_bytes():
    """A page that reads slowly has no more waiting than so many bytes, and begins anew."""
    data = taken_while(live(), ["alert"] * 3, {"text": "x" * (WAITING_BYTES // 2)})

    assert told(data) == ["reset", "alert"]
    assert len(data) <= WAITING_BYTES


def test_scores_are_told_together():
    """Of each asset the newest, however many came."""
    feed = live()

    async def run() -> bytes:
        listener = feed.join(None)
        for i in range(1000):
            feed.score(f"pump-{i % 3}", [f"pump-{i % 3}", i])
        feed.flush(1.0)
        return await listener.take(1.0)

    data = asyncio.run(run())

    assert told(data) == ["scores"]
    assert data.count(b"pump-") == 3
    assert b"999" in data


def test_the_past_is_no_news_and_listeners_are_bounded():
    """What is read at the start is not told as events; more pages than are served are refused."""
    feed = Feed()
    feed.tell("alert", {})
    feed.live = True

    async def run() -> None:
        listeners = [feed.join(None) for _ in range(LISTENERS + 1)]
        assert all(listeners[:-1])
        assert listeners[-1] is None
        feed.close()
        assert listeners[0].ended

    asyncio.run(run())
    assert taken(Feed(), None) == b""
