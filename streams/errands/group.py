"""What the brokers know of a consumer group."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

ANSWER_S = 10.0
ONE_S = 2.0  # one request to a group's coordinator, which a broker without any group first has to make
_MOVING = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._TIMED_OUT,  # noqa: SLF001  # librdkafka's own codes start with an underscore
    }
)


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group: how many members it has, its state in Kafka's words, and who has which partition."""

    members: int
    state: str
    owners: Mapping[tuple[str, int], str]


def describe(admin: AdminClient, group: str) -> Group:
    """Ask for a group; one that does not exist has no members.

    Raises
    ------
    KafkaException
        The brokers do not answer.
    """
    found = _asked(lambda: admin.describe_consumer_groups([group], request_timeout=ONE_S), group)
    if found is None:
        return Group(0, "unknown", {})
    owners = {
        (at.topic, at.partition): f"{member.group_instance_id or member.client_id} on {member.host.lstrip('/')}"
        for member in found.members
        for at in member.assignment.topic_partitions
    }
    return Group(len(found.members), str(found.state.name).lower().replace("_", " "), owners)


def committed(admin: AdminClient, group: str, topic: str, partitions: Collection[int]) -> dict[int, int]:
    """Ask up to where a group has committed; a partition without a commit is left out.

    Raises
    ------
    KafkaException
        The brokers do not answer.
    """
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, number) for number in partitions])
    found = _asked(lambda: admin.list_consumer_group_offsets([asked], request_timeout=ONE_S), group)
    return {each.partition: each.offset for each in found.topic_partitions if each.offset >= 0} if found else {}


def _asked(ask: Callable[[], Mapping[str, Any]], group: str) -> Any:
    """Ask the group's coordinator; again while it moves. None: there is no such group."""
    deadline = time.monotonic() + ANSWER_S
    while True:
        try:
            return ask()[group].result()
        except KafkaException as exc:
            if exc.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return None
            if exc.args[0].code() not in _MOVING or time.monotonic() > deadline:
                raise
        time.sleep(0.1)
