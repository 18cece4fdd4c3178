"""What stands on alerts.v1, control.v1 and maintenance.v1, as records: for reports and questions, not for the service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from confluent_kafka import Message

from foreshock import records as trees
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.contract import Origin
from foreshock.errors import InputRejected
from foreshock.settings import Settings
from foreshock.streams.coders import decoder_for, registry_for
from foreshock.streams.errands.tailing import records
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import ensure
from foreshock.streams.wire import decode_output

log = logging.getLogger("foreshock.errands")
Read = TypeVar("Read")


class AlertLog:
    """Reads the topics of alerting from their beginning to their present end; all of them, or those of one asset.

    They hold an alert a month and machine, or so: reading all of it is quicker than an index would be to keep. What cannot
    be read is counted in the log, by topic.

    Raises
    ------
    Unavailable
        Kafka cannot be reached.
    """

    def __init__(self, settings: Settings, asset: str = "") -> None:
        topics = ensure(settings)
        count = topics["sensors.v1"].partitions
        self._settings = settings
        self._asset = asset
        self._only = partition_for(asset.encode(), count, settings.topics.partitioner) if asset else None
        self._decoder, self._registry = decoder_for(settings), registry_for(settings)

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
        for message in records(self._settings, topic, beginning=True, follow=False, only=self._only):
            try:
                yield decode(message)
            except (InputRejected, ValueError, TypeError):  # not ours, or of a later version
                bad += 1
        if bad:
            log.warning("%s: %d records could not be read", topic, bad)

    def _transition(self, message: Message) -> AlertTransition:
        tree = decode_output(message.value() or b"", self._registry)["record"]
        known = AlertTransition.__dataclass_fields__
        return trees.from_tree(AlertTransition, {name: each for name, each in tree.items() if name in known})

    def _command(self, message: Message) -> Command:
        return self._decoder.decode_command(message.value(), origin=_origin(message), key=_key(message))

    def _work_order(self, message: Message) -> WorkOrder:
        return self._decoder.decode_work_order(message.value(), origin=_origin(message), key=_key(message))


def _origin(message: Message) -> Origin:
    return Origin(
        topic=message.topic() or "",
        topic_id="",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        ingest_ns=message.timestamp()[1] * 1_000_000,
    )


def _key(message: Message) -> bytes | None:
    found = message.key()
    return found.encode() if isinstance(found, str) else found
