"""Where partitions begin and end, and which input the last output of a partition came from."""

from __future__ import annotations

import time
from collections.abc import Collection

from confluent_kafka import IsolationLevel, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from foreshock.errors import InputRejected
from foreshock.streams.codec.registry import Registry
from foreshock.streams.kafka import hopeless
from foreshock.streams.wire import decode_output

Place = tuple[str, int]  # topic, partition

REQUEST_S = 10.0
AGAIN_S = 0.1


def beginnings(admin: AdminClient, places: Collection[Place], deadline: float = 0.0) -> dict[Place, int]:
    """Give the offset of the first record that is kept, of each partition.

    Raises
    ------
    KafkaException
        No answer until the deadline (monotonic seconds).
    """
    return _offsets(admin, places, OffsetSpec.earliest(), deadline)


def ends(admin: AdminClient, places: Collection[Place], deadline: float = 0.0) -> dict[Place, int]:
    """Give the offset after the last record, of each partition; records of open transactions count too.

    Raises
    ------
    KafkaException
        No answer until the deadline (monotonic seconds).
    """
    return _offsets(admin, places, OffsetSpec.latest(), deadline)


def _offsets(admin: AdminClient, places: Collection[Place], spec: OffsetSpec, deadline: float) -> dict[Place, int]:
    while True:
        asked = {TopicPartition(*place): spec for place in places}
        answers = (
            admin.list_offsets(asked, request_timeout=REQUEST_S, isolation_level=IsolationLevel.READ_UNCOMMITTED)
            if asked
            else {}
        )
        try:
            return {(place.topic, place.partition): int(each.result().offset) for place, each in answers.items()}
        except KafkaException as exc:
            if hopeless(exc.args[0]) or time.monotonic() > deadline:
                raise
        time.sleep(AGAIN_S)  # the leader of a partition is just moving


def published(message: Message | None, topic_id: str, registry: Registry | None) -> int:
    """Give the offset after the input that a score came from; 0 where it says nothing about this topic.

    Before the scores of a batch are produced all its other outputs are on the broker. So everything of the inputs below
    that offset is out.
    """
    value = message.value() if message is not None else None
    if value is None:
        return 0
    try:
        origin = decode_output(value, registry)["record"]["origin"]
    except (InputRejected, KeyError, TypeError):
        return 0  # somebody else wrote here: what is out then is what the marker says
    return int(origin["offset"]) + 1 if origin["topic_id"] == topic_id else 0
