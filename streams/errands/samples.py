"""A look at the newest records of a topic, without a group and without a trace."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from foreshock.settings import Settings
from foreshock.streams.kafka import bounds, explain, reader_config
from foreshock.streams.topics import TopicInfo


def newest_keys(
    settings: Settings, topic: TopicInfo, *, per_partition: int = 50, wait_s: float = 5.0
) -> list[tuple[bytes, int]]:
    """Give (key, partition) of the newest records that have a key.

    Raises
    ------
    ForeshockError
        The topic cannot be read; one line.
    """
    consumer = Consumer({**reader_config(settings), "log_level": 0})
    try:
        starts = [_start(consumer, topic.name, number, per_partition, wait_s) for number in range(topic.partitions)]
        consumer.assign(starts)
        return _read(consumer, topic.partitions, time.monotonic() + wait_s)
    except KafkaException as exc:
        raise explain(exc.args[0], [], settings) from exc
    finally:
        consumer.close()


def _start(consumer: Consumer, topic: str, partition: int, records: int, wait_s: float) -> TopicPartition:
    low, high = bounds(consumer, topic, partition, wait_s)
    return TopicPartition(topic, partition, max(low, high - records))


def _read(consumer: Consumer, partitions: int, deadline: float) -> list[tuple[bytes, int]]:
    """Read every partition to its end, or until the deadline."""
    found: list[tuple[bytes, int]] = []
    ended: set[int] = set()
    while len(ended) < partitions and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None:
            continue
        error, partition = message.error(), message.partition() or 0
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start so
                raise KafkaException(error)
            ended.add(partition)
            continue
        if key := message.key():
            found.append((key if isinstance(key, bytes) else str(key).encode(), partition))
    return found
