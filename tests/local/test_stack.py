"""The embedded stack against a real broker."""

from __future__ import annotations

import uuid

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from redis import Redis

from foreshock.local.stack import LocalStack


def test_the_broker_takes_records_and_valkey_answers(stack: LocalStack) -> None:
    """A started stack is ready for use at once."""
    admin = AdminClient({"bootstrap.servers": stack.bootstrap})
    name = uuid.uuid4().hex
    admin.create_topics([NewTopic(name, 4, 1)])[name].result(10)
    errors: list[object] = []
    producer = Producer({"bootstrap.servers": stack.bootstrap})
    producer.produce(name, b"value", b"key", on_delivery=lambda error, _message: errors.append(error))
    assert producer.flush(10) == 0
    assert errors == [None]
    assert Redis.from_url(stack.redis_url).ping()
