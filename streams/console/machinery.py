"""The machine room: topics, lag, who owns what, checkpoints, sinks. A thread asks the brokers every few seconds."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription, OffsetSpec

from foreshock.errors import ForeshockError
from foreshock.settings import Settings
from foreshock.streams.errands.backward import look_back
from foreshock.streams.errors import guarded
from foreshock.streams.kafka import admin_config, explain, reader_config
from foreshock.streams.sinks.source import group_of
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import TopicInfo

EVERY_S = 5.0
KEPT = 120  # looks: ten minutes
ASK_S = 5.0
INPUT, SCORES, LETTERS, ALERTS, STATE = "sensors.v1", "scores.v1", "dead-letters.v1", "alerts.v1", "state.v1"
_CHECKPOINTS_EVERY = 3  # looks

Ends = dict[tuple[str, int], tuple[int, int]]  # topic without prefix, partition -> first offset, end


@dataclass(slots=True)
class Look:
    """What the brokers said at one time."""

    at_ms: float = 0.0
    ends: Ends = field(default_factory=dict)
    committed: dict[int, int] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    group: dict[str, Any] = field(default_factory=dict)
    sinks: list[dict[str, Any]] = field(default_factory=list)
    brokers: list[dict[str, Any]] = field(default_factory=list)
    cluster_id: str = ""
    problem: str = ""


class Machinery:
    """Looks at the brokers in a thread; what it saw last is there for all who ask."""

    def __init__(self, settings: Settings, topics: Mapping[str, TopicInfo]) -> None:
        self._settings = settings
        self._topics = topics
        self._stopping = threading.Event()
        self._thread = threading.Thread(name="machinery", target=guarded(self._run), daemon=True)
        self.last = Look()
        self.history: deque[tuple[float, int, int, int]] = deque(maxlen=KEPT)  # time, ends of input, scores, letters
        self.rates: dict[tuple[str, int], float] = {}
        self.checkpoints: dict[int, float] = {}

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what it waits for is left."""
        self._stopping.set()

    def _run(self) -> None:
        admin = AdminClient({**admin_config(self._settings), "log_level": 0})
        consumer = reading({**reader_config(self._settings), "log_level": 0})
        number = 0
        try:
            while not self._stopping.is_set():
                try:
                    self._look(admin, consumer, checkpoints=number % _CHECKPOINTS_EVERY == 0)
                except KafkaException as exc:
                    self.last.problem = str(explain(exc.args[0], [], self._settings))
                except ForeshockError as exc:
                    self.last.problem = str(exc)
                number += 1
                self._stopping.wait(EVERY_S)
        finally:
            consumer.close()

    def _look(self, admin: AdminClient, consumer: Consumer, *, checkpoints: bool) -> None:
        look = Look(at_ms=time.time() * 1e3)
        known = admin.list_topics(timeout=ASK_S)
        look.cluster_id = known.cluster_id or ""
        look.brokers = [{"id": each.id, "host": each.host, "port": each.port} for each in known.brokers.values()]
        look.ends = self._ends(admin)
        with suppress(KafkaException):  # a group that never was, or whose coordinator moves
            self._group(admin, look)
        for name in self._settings.deliver:
            with suppress(KafkaException):
                look.sinks.append(self._sink(admin, name, look.ends))
        self._note(look)
        self.last = look
        if checkpoints and STATE in self._topics:
            self._checkpoints(consumer)

    def _ends(self, admin: AdminClient) -> Ends:
        places = [
            (name, TopicPartition(info.name, number))
            for name, info in self._topics.items()
            for number in range(info.partitions)
        ]
        first, end = (
            admin.list_offsets({place: spec for _, place in places}, request_timeout=ASK_S)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        )
        return {
            (name, place.partition): (first[place].result().offset, end[place].result().offset)
            for name, place in places
        }

    def _group(self, admin: AdminClient, look: Look) -> None:
        group, topic = self._settings.worker.group, self._topics[INPUT].name
        found: ConsumerGroupDescription = admin.describe_consumer_groups([group], request_timeout=ASK_S)[group].result()
        members = []
        for member in found.members:
            own = sorted(each.partition for each in member.assignment.topic_partitions if each.topic == topic)
            name = member.group_instance_id or member.client_id
            look.owners |= dict.fromkeys(own, f"{name} on {member.host.lstrip('/')}")
            members.append({"id": name, "member": member.member_id, "host": member.host.lstrip("/"), "partitions": own})
        state = str(found.state.name).lower().replace("_", " ")
        look.group = {"name": group, "state": state, "members": members}
        look.committed = self._offsets(admin, group, topic)

    def _offsets(self, admin: AdminClient, group: str, topic: str) -> dict[int, int]:
        found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=ASK_S)
        return {
            each.partition: each.offset
            for each in found[group].result().topic_partitions
            if each.topic == topic and each.offset >= 0
        }

    def _sink(self, admin: AdminClient, name: str, ends: Ends) -> dict[str, Any]:
        group = group_of(self._settings, name)
        state, members = "absent", 0
        with suppress(KafkaException):
            found = admin.describe_consumer_groups([group], request_timeout=ASK_S)[group].result()
            state, members = str(found.state.name).lower().replace("_", " "), len(found.members)
        done = self._offsets(admin, group, self._topics[ALERTS].name)
        lag = sum(
            max(0, end - done[number])
            for (topic, number), (_, end) in ends.items()
            if topic == ALERTS and number in done
        )
        kind = self._settings.deliver[name].kind
        return {"name": name, "kind": kind, "group": group, "state": state, "members": members, "lag": lag}

    def _note(self, look: Look) -> None:
        """Keep what the rates are made of."""
        passed = (look.at_ms - self.last.at_ms) / 1e3
        if self.last.ends and passed > 0:
            for place, (_, end) in look.ends.items():
                before = self.last.ends.get(place, (0, end))[1]
                self.rates[place] = max(0.0, (end - before) / passed)
        totals = dict.fromkeys((INPUT, SCORES, LETTERS), 0)
        for (topic, _), (_, end) in look.ends.items():
            if topic in totals:
                totals[topic] += end
        self.history.append((look.at_ms, totals[INPUT], totals[SCORES], totals[LETTERS]))

    def _checkpoints(self, consumer: Consumer) -> None:
        info = self._topics[STATE]
        for number in range(info.partitions):
            found = look_back(consumer, info.name, number, lambda _: True, enough=1, most=8).found
            if found:
                self.checkpoints[number] = float(found[0].timestamp()[1])
