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
