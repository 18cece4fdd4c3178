"""What stands on alerts.v1, control.v1 and maintenance.v1, as records: for reports and questions, not for the service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

from confluent_kafka import KafkaException, Message

from foreshock import records as trees
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.contract import Origin
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.settings import Settings
from foreshock.streams.border import as_bytes
from foreshock.streams.coders import decoder_for, registry_for
from foreshock.streams.errands.backward import ANSWER_S, between
from foreshock.streams.kafka import bounds, explain, reader_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import TopicInfo, inspect
from foreshock.streams.wire import decode_output

log = logging.getLogger("foreshock.errands")
Read = TypeVar("Read")
_NEEDED = ("sensors.v1", "alerts.v1", "control.v1", "maintenance.v1")


class AlertLog:
    """Reads the topics of alerting from their beginning to their present end; all of them, or those of one asset.

    They hold an alert a month and machine, or so: reading all of it is quicker than an index would be to keep. What cannot
    be read is counted in the log, by topic.

    Raises
    ------
    ConfigurationError
        There are no such topics with that prefix; none is made.
    Unavailable
        Kafka cannot be reached.
    """

    def __init__(self, settings: Settings, asset: str = "") -> None:
        self._topics = inspect(settings)
        missing = [name for name in _NEEDED if name not in self._topics]
        if missing:
            name = settings.topics.prefix + missing[0]
            raise ConfigurationError(f"there is no topic {name}: is topics.prefix right? `foreshock topics` shows them")
        self._settings = settings
        self._asset = asset
        count = self._topics["sensors.v1"].partitions
        self._only = partition_for(asset.encode(), count, settings.topics.partitioner) if asset else None
        self._decoder, self._registry = decoder_for(settings), registry_for(settings)
        self._consumer = reading(reader_config(settings))  # one: to close a client takes a second

    def __enter__(self) -> Self:
        """Read within `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self._consumer.close()

    def transitions(self) -> list[AlertTransition]:
        """Every change of every alert."""
        return [each for each in self._read("alerts.v1", self._transition) if self._mine(each.asset)]

    def commands(self) -> list[Command]:
        """Every command that can be used at all."""
        return [each for each in self._read("control.v1", self._command) if self._mine(each.asset)]

    def work_orders(self) -> list[WorkOrder]:
        """Everything that maintenance told."""
        return [each for each in self._read("maintenance.v1", self._work_order) if self._mine(each.asset)]

    def _mine(self, asset: str) -> bool:
        return self._asset in {"", asset}

    def _read(self, topic: str, decode: Callable[[Message], Read]) -> Iterator[Read]:
        bad = 0
        for message in self._messages(self._topics[topic]):
            try:
                yield decode(message)
            except (InputRejected, ValueError, TypeError):  # not ours, or of a later version
                bad += 1
        if bad:
            log.warning("%s: %d records could not be read", topic, bad)

    def _messages(self, topic: TopicInfo) -> Iterator[Message]:
        """All records that are there now, partition by partition."""
        try:
            # By itself the client looks for leaders a second later.
            self._consumer.list_topics(topic.name, timeout=ANSWER_S)
            for number in range(topic.partitions) if self._only is None else (self._only,):
                low, end = bounds(self._consumer, topic.name, number, ANSWER_S)
                if low < end:
                    yield from between(self._consumer, topic.name, number, low, end)
        except KafkaException as exc:
            raise explain(exc.args[0], [], self._settings) from exc

    def _transition(self, message: Message) -> AlertTransition:
        tree = decode_output(message.value() or b"", self._registry)["record"]
        known = AlertTransition.__dataclass_fields__
        return trees.from_tree(AlertTransition, {name: each for name, each in tree.items() if name in known})

    def _command(self, message: Message) -> Command:
        return self._decoder.decode_command(message.value(), origin=_origin(message), key=as_bytes(message.key()))

    def _work_order(self, message: Message) -> WorkOrder:
        return self._decoder.decode_work_order(message.value(), origin=_origin(message), key=as_bytes(message.key()))


def _origin(message: Message) -> Origin:
    return Origin(
        topic=message.topic() or "",
        topic_id="",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        ingest_ns=message.timestamp()[1] * 1_000_000,
    )
