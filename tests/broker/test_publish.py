"""Outputs of one batch that are more than the client's queue holds."""

from __future__ import annotations

import asyncio
import time

from foreshock.streams.kafka import producer_config
from foreshock.streams.publish import Outbox, Output, Publisher


def test_a_batch_larger_than_the_queue_leaves_whole_and_in_order(settings, open_topics):
    """Many assets alarm together, and each event has a case: what does not fit waits for room."""
    topics = open_topics(settings)

    def outputs(topic: str, count: int) -> list[Output]:
        return [
            Output(topics.name(topic), 1, b"k", b"%06d" % i + bytes(9000), [], f"{topic}-{i}") for i in range(count)
        ]

    async def run() -> list[Outbox]:
        publisher = Publisher({**producer_config(settings), "queue.buffering.max.kbytes": 100})
        done: list[Outbox] = []
        for _ in range(2):
            publisher.publish(Outbox(outputs("evidence.v1", 60), outputs("scores.v1", 40), done.append))
        assert await publisher.drain(time.monotonic() + 30)
        return done

    done = asyncio.run(run())

    assert [len(each.offsets) for each in done] == [60, 60]
    for topic, count in (("evidence.v1", 60), ("scores.v1", 40)):
        assert [int(m.value()[:6]) for m in topics.raw(topic)] == 2 * list(range(count))


def test_what_is_forgotten_is_not_sent(settings, open_topics):
    """Partitions were lost: nothing leaves once a stop was noticed, what waits is dropped, and what comes later goes out."""
    topics = open_topics(settings)
    stopped = False

    def outbox(word: str, done: list[Outbox]) -> Outbox:
        made = lambda topic: Output(topics.name(topic), 1, b"k", word.encode(), [], f"{topic}-{word}")
        return Outbox([made("evidence.v1")], [made("scores.v1")], done.append)

    async def run() -> tuple[list[Outbox], list[Outbox]]:
        nonlocal stopped
        properties = {**producer_config(settings), "linger.ms": 60_000}
        publisher = Publisher(properties, halted=lambda: stopped)
        before: list[Outbox] = []
        after: list[Outbox] = []
        publisher.publish(outbox("queued", before))
        stopped = True
        publisher.publish(outbox("held", before))
        assert not await publisher.drain(time.monotonic() + 0.2)
        publisher.forget()
        assert await publisher.delivered_up_to(2, time.monotonic() + 1), "nobody waits for what was dropped"
        stopped = False
        properties["linger.ms"] = 5  # of the next client
        publisher.forget()
        publisher.publish(outbox("anew", after))
        assert await publisher.drain(time.monotonic() + 30)
        return before, after

    before, after = asyncio.run(run())

    assert (len(before), len(after)) == (0, 1)
    for topic in ("evidence.v1", "scores.v1"):
        assert [m.value() for m in topics.raw(topic)] == [b"anew"]
