"""What is kept of a line with an open incident: a sealed record of `lines.v1`, under the line's name."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Message

from foreshock.alerts.lines import Incidents
from foreshock.detectors.snapshot import Keys, seal, unseal
from foreshock.errors import SnapshotRejected
from foreshock.records import from_tree, to_tree
from foreshock.settings import Settings
from foreshock.streams.kafka import administration, reader_config
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.reader import newest, reading
from foreshock.streams.state.records import StateRecord
from foreshock.streams.state.tails import REQUEST_S, ends
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.lines")

READ_S = 60.0


def record(line: str, incidents: Incidents, partition: int, keys: Keys) -> StateRecord:
    """Give what is written of a line; nothing is kept of one without an open incident."""
    value = seal("line", to_tree(incidents), header={"line": line}, keys=keys) if incidents else None
    return StateRecord(partition, line, value)


def read(settings: Settings, topic: TopicInfo) -> tuple[dict[str, Incidents], Keys]:
    """Read what is kept of all lines, and the keys that seal it.

    A record that cannot be used is told in the log: the incidents of that line are forgotten, its alerts are not.

    Raises
    ------
    ConfigurationError
        A key's file cannot be read.
    Unavailable
        Kafka does not answer in time.
    """
    places = [(topic.name, number) for number in range(topic.partitions)]
    with administration(settings) as admin:
        keys = keys_of(settings, admin.list_topics(timeout=REQUEST_S).cluster_id or "")
        targets = ends(admin, places)
    consumer = reading(reader_config(settings))
    try:
        found = newest(consumer, dict.fromkeys(places, OFFSET_BEGINNING), targets, time.monotonic() + READ_S)
    finally:
        consumer.close()
    lines: dict[str, Incidents] = {}
    for records in found.values():
        for key, message in records.items():
            if message.value() is not None:
                lines |= _incidents(key.decode("utf-8", "replace"), message, keys)
    return lines, keys


def _incidents(line: str, message: Message, keys: Keys) -> Mapping[str, Incidents]:
    """Read one record; nothing where it cannot be used."""
    kind: Any = Incidents
    try:
        sealed = unseal(message.value() or b"", keys)
        if (sealed.kind, sealed.header.get("line")) == ("line", line):
            return {line: from_tree(kind, sealed.tree)}
        why = f"it is a {sealed.kind} of {sealed.header.get('line')!r}"
    except (SnapshotRejected, ValueError) as exc:
        why = str(exc)
    log.error("%s partition %s: the incidents of %s are lost: %s", message.topic(), message.partition(), line, why)
    return {}
