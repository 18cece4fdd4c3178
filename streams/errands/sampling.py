"""A sample of a topic over a time: the first records of each partition at evenly spread instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from confluent_kafka import Consumer, Message, TopicPartition

from foreshock.streams.errands.backward import ANSWER_S, between
from foreshock.streams.kafka import bounds

MS = 1_000_000  # ns


def instants(from_ns: int, until_ns: int, count: int) -> tuple[int, ...]:
    """Starts of so many equal parts of an interval, and its end."""
    return tuple(from_ns + (until_ns - from_ns) * n // count for n in range(count + 1))


def sampled(
    consumer: Consumer, topic: str, partitions: Sequence[int], at_ns: Sequence[int], records: int
) -> Iterator[tuple[int, Message]]:
    """Give the first records that the broker took after each instant and before the next.

    Parameters
    ----------
    consumer
        Of no group, with `enable.partition.eof`.
    topic, partitions
        Full name, and which of its partitions.
    at_ns
        Times of the broker; nothing is read after the last one.
    records
        At most so many of a partition at an instant.

    Returns
    -------
    iterator of (int, Message)
        The instant, and the record.

    Raises
    ------
    KafkaException
        Kafka cannot be reached, or there is no such topic.
    Unavailable
        It did not answer in time.
    """
    consumer.list_topics(topic, timeout=ANSWER_S)  # by itself the client looks for leaders a second later
    places = [_places(consumer, topic, partitions, each) for each in at_ns]
    for instant, (start, after) in zip(at_ns, pairwise(places), strict=False):
        for number in partitions:
            end = min(after[number], start[number] + records)
            if start[number] < end:
                yield from ((instant, each) for each in between(consumer, topic, number, start[number], end))


def first_ns(consumer: Consumer, topic: str, partition: int, from_ns: int) -> int | None:
    """Time of the broker of the first record of a partition from a time on; None where there is none."""
    start = _places(consumer, topic, [partition], from_ns)[partition]
    for message in between(consumer, topic, partition, start, start + 1):
        return int(message.timestamp()[1]) * MS
    return None


def _places(consumer: Consumer, topic: str, partitions: Sequence[int], at_ns: int) -> Mapping[int, int]:
    """Offset of the first record of each partition that the broker took at a time or later; its end where there is none."""
    asked = [TopicPartition(topic, number, at_ns // MS) for number in partitions]
    found = {each.partition: each.offset for each in consumer.offsets_for_times(asked, ANSWER_S)}
    for number, offset in found.items():
        if offset < 0:
            _, found[number] = bounds(consumer, topic, number, ANSWER_S)
    return found
