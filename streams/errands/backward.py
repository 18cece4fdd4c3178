"""Reading a partition backwards: the newest records that somebody wants, without reading the topic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.errors import Unavailable
from foreshock.streams.kafka import bounds

FIRST = 200  # records of the first look back; each further one takes four times as many
ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look back found, and how far back it went.

    Attributes
    ----------
    found
        What was wanted, the newest first.
    end
        Offset after the last record, and with it of the look.
    back_to
        Offset that the look went down to.
    back_to_ns
        Log-append time of the oldest record that was looked at; None where there was none.
    whole
        Whether the partition has no older records.
    """

    found: tuple[Message, ...]
    end: int
    back_to: int
    back_to_ns: int | None
    whole: bool


def look_back(
    consumer: Consumer,
    topic: str,
    partition: int,
    wanted: Callable[[Message], bool],
    *,
    enough: int,
    most: int,
    below: int | None = None,
) -> Looked:
    """Find the newest records of a partition.

    Parameters
    ----------
    consumer
        Of no group, with `enable.partition.eof`.
    wanted
        Which records count.
    enough
        Stop when so many are found ...
    most
        ... or so many offsets were looked at.
    below
        Only records below this offset; None: all.

    Raises
    ------
    KafkaException
        Kafka cannot be reached, or there is no such partition.
    Unavailable
        It did not answer in time.
    """
    low, end = bounds(consumer, topic, partition, ANSWER_S)
    end = end if below is None else min(end, below)
    found: list[Message] = []
    taken_ms: int | None = None
    upper, step = end, FIRST
    bottom = max(low, end - most)
    while upper > bottom and len(found) < enough:
        lower = max(bottom, upper - step)
        part = list(between(consumer, topic, partition, lower, upper))
        taken_ms = next((message.timestamp()[1] for message in part), taken_ms)
        found += [message for message in reversed(part) if wanted(message)]
        upper, step = lower, step * 4
    back_to_ns = None if taken_ms is None else taken_ms * 1_000_000
    return Looked(tuple(found), end, upper, back_to_ns, whole=upper <= low)


def between(consumer: Consumer, topic: str, partition: int, lower: int, upper: int) -> Iterator[Message]:
    """Give the records from `lower` to before `upper`; compaction and transactions leave holes."""
    consumer.assign([TopicPartition(topic, partition, lower)])
    deadline = time.monotonic() + ANSWER_S
    try:
        while True:
            first = consumer.poll(0.2)  # `consume(n, t)` would wait for all n
            for message in [first, *consumer.consume(499, 0)] if first is not None else []:
                error = message.error()
                if error is None:
                    deadline = time.monotonic() + ANSWER_S
                    if (message.offset() or 0) >= upper:
                        return
                    yield message
                    if (message.offset() or 0) == upper - 1:
                        return
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
                    return
                else:
                    raise KafkaException(error)
            if time.monotonic() > deadline:
                raise Unavailable(f"{topic} partition {partition} cannot be read now")
    finally:
        consumer.unassign()
