"""The poll thread: every record once and in order, however slow the event loop is."""

from __future__ import annotations

import asyncio
import threading

import pytest

from foreshock.streams.intake import poller as polling
from foreshock.streams.intake.poller import Poller
from foreshock.streams.kafka import consumer_config
from foreshock.streams.state.gate import Lapse

LONGER_S = 0.09  # than the poll thread waits here for room before it fetches nothing any more
WAITS = 60


class SlowListener:
    """Takes records and makes room for more only after a while, again and again."""

    def __init__(self) -> None:
        self.offsets: dict[int, list[int]] = {}
        self.waits = 0

    def records(self, generation, polled, done) -> None:
        for (_, number), messages in polled.items():
            self.offsets.setdefault(number, []).extend(message.offset() for message in messages)
        self.waits += 1
        if self.waits > WAITS:
            done()
        else:
            asyncio.get_running_loop().call_later(LONGER_S, done)

    async def assigned(self, generation, committed):
        return dict.fromkeys(committed, 0)

    async def revoked(self, *, lost) -> None:
        """Nothing is kept."""


@pytest.mark.slow
def test_no_record_is_skipped_where_the_loop_is_slow(settings, open_topics, monkeypatch):
    """Records come all the time, and the event loop has no room for them sixty times: no offset is missing."""
    monkeypatch.setattr(polling, "PATIENCE", 1)
    topics = open_topics(settings)
    over = threading.Event()
    sent = 0

    def feed() -> None:
        nonlocal sent
        while not over.wait(0.005):
            for number in range(4):
                topics.send(b"x" * 200, b"k", number)
            sent += 4
            topics.producer.poll(0)
        topics.flush()

    listener = SlowListener()

    async def run() -> None:
        poller = Poller(consumer_config(settings), listener, asyncio.get_running_loop(), batch=256, lapse=Lapse(60.0))
        poller.subscribe([topics.name("sensors.v1")])
        feeding = threading.Thread(target=feed)
        feeding.start()
        try:
            async with asyncio.timeout(90):
                while listener.waits <= WAITS:  # noqa: ASYNC110  # the listener is called in this loop
                    await asyncio.sleep(0.05)
                over.set()
                await asyncio.to_thread(feeding.join)
                while sum(map(len, listener.offsets.values())) < sent and not _gaps(listener.offsets):  # noqa: ASYNC110  # as above
                    await asyncio.sleep(0.05)
        finally:
            over.set()
            poller.stop()
            await asyncio.to_thread(poller.join, 20)

    asyncio.run(run())

    assert _gaps(listener.offsets) == {}
    assert sum(map(len, listener.offsets.values())) == sent


def _gaps(offsets: dict[int, list[int]]) -> dict[int, list[int]]:
    """Where a partition does not go on with the next offset."""
    found = {n: [b for a, b in zip([-1, *given], given, strict=False) if b != a + 1] for n, given in offsets.items()}
    return {number: places for number, places in found.items() if places}
