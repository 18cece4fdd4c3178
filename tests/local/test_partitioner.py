"""Which partition a key belongs to, against librdkafka itself."""

from __future__ import annotations

import uuid

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from foreshock.streams.partitioner import fitting, murmur2, partition_for

KEYS = [f"pump-{number}".encode() for number in range(200)] + [b"a", b"ab", b"abc", b"\xff" * 7, "Lüfter-3".encode()]


def places(bootstrap: str, partitioner: str, partitions: int) -> dict[bytes, int]:
    """Produce every key with librdkafka's own partitioner and give the partition in which the broker has it."""
    topic = f"partitioner-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": bootstrap})  # kept: its futures end with it
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(10)
    placed: dict[bytes, int] = {}

    def delivered(error: object, message: Message) -> None:
        assert error is None
        placed[message.key()] = message.partition()

    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": partitioner})
    for key in KEYS:
        producer.produce(topic, b"", key, on_delivery=delivered)
    assert producer.flush(20) == 0
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": topic})
    reader.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    read = {}
    while len(read) < len(KEYS):
        message = reader.poll(20)
        assert message is not None
        assert message.error() is None
        read[message.key()] = message.partition()
    reader.close()
    assert read == placed
    return read


@pytest.mark.parametrize("partitions", [4, 7])
@pytest.mark.parametrize("partitioner", ["murmur2_random", "consistent_random", "fnv1a_random"])
def test_equals_librdkafka(bootstrap: str, partitioner: str, partitions: int) -> None:
    """Every key goes where librdkafka's partitioner of the same name puts it."""
    assert {key: partition_for(key, partitions, partitioner) for key in KEYS} == places(
        bootstrap, partitioner, partitions
    )


@pytest.mark.parametrize(
    ("key", "signed"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_murmur2_equals_the_java_client(key: bytes, signed: int) -> None:
    """The hash values are those of the Java client's own unit test."""
    assert murmur2(key) == signed & 0xFFFFFFFF


def test_fitting_names_the_partitioner_of_a_topic() -> None:
    """Records placed by CRC-32 fit that partitioner wholly and the others hardly."""
    placed = [(key, partition_for(key, 6, "consistent_random")) for key in KEYS]
    share = fitting(placed, 6)
    assert share["consistent"] == 1.0
    assert share["murmur2"] < 0.5
    assert share["fnv1a"] < 0.5


def test_a_record_without_a_key_says_nothing_about_the_partitioner() -> None:
    """Null and empty keys are placed at random, so they are left out of the fit."""
    assert fitting([(b"", 3)], 4) == {"murmur2": 0.0, "consistent": 0.0, "fnv1a": 0.0}
