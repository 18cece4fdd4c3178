"""Topics read back from Kafka, whole and in order."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from foreshock.settings import Settings
from foreshock.streams import wire

OUTPUTS = (
    *("scores.v1", "dead-letters.v1", "anomalies.v1", "quality.v1", "evidence.v1"),
    *("alerts.v1", "alarms.v1", "features.v1", "diagnoses.v1"),
)
_IDS = {"scores.v1": "score_id", "features.v1": "vector_id", "diagnoses.v1": "diagnosis_id"}
READ_S = 120.0
Place = tuple[int, int]
"""Partition and offset of an input record."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as Kafka gave it, with the methods of librdkafka's messages: falsified ones can be made by hand."""

    topic_name: str
    place: Place
    key_bytes: bytes | None
    value_bytes: bytes | None
    at_ms: int = 0
    header_pairs: tuple[tuple[str, bytes | None], ...] = ()

    @classmethod
    def of(cls, message: Message) -> Record:
        """Copy a message of librdkafka."""
        place = (message.partition() or 0, message.offset() or 0)
        headers: Any = message.headers() or ()
        return cls(message.topic() or "", place, message.key(), message.value(), message.timestamp()[1], tuple(headers))

    def topic(self) -> str:
        return self.topic_name

    def partition(self) -> int:
        return self.place[0]

    def offset(self) -> int:
        return self.place[1]

    def key(self) -> bytes | None:
        return self.key_bytes

    def value(self) -> bytes | None:
        return self.value_bytes

    def timestamp(self) -> tuple[int, int]:
        return 2, self.at_ms

    def headers(self) -> tuple[tuple[str, bytes | None], ...]:
        return self.header_pairs

    def __len__(self) -> int:
        return len(self.value_bytes or b"")


def read_topic(settings: Settings, name: str) -> list[Record]:
    """Everything that stands on a topic now (committed records only), partition by partition, in order."""
    topic = settings.topics.prefix + name
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka.bootstrap,
            "group.id": "chaos-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 5,
        }
    )
    found: list[Record] = []
    waiting = set(range(settings.topics.partitions))
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in waiting])
    deadline = time.monotonic() + READ_S
    try:
        while waiting:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} partitions {waiting} were not read to their end")
            for message in consumer.consume(5_000, 0.1):
                error = message.error()
                if error is None:
                    found.append(Record.of(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard(message.partition() or 0)
                elif not error.retriable():
                    raise RuntimeError(f"{topic}: {error.str()}")
    finally:
        consumer.close()
    return sorted(found, key=lambda record: record.place)


@dataclass(frozen=True, slots=True)
class Output:
    """One record of an output topic.

    Attributes
    ----------
    topic
        Without the prefix.
    at
        Its own partition and offset.
    place
        Of the input record behind it; None for an event of the pipeline itself, and where a command was behind it.
    id
        Its event id or score id.
    value
        Its bytes; none where the record takes its key back.
    record
        Its fields.
    """

    topic: str
    at: Place
    key: bytes | None
    place: Place | None
    id: str
    value: bytes
    record: Mapping[str, Any]

    @property
    def pipeline(self) -> bool:
        """Whether it tells of the way, not of the sensor: late, lost, cold."""
        return self.topic == "quality.v1" and self.record["cause"] == "pipeline"


def read_outputs(settings: Settings) -> list[Output]:
    """All output topics, decoded."""
    return [output_of(name, record) for name in OUTPUTS for record in read_topic(settings, name)]


def output_of(name: str, record: Record) -> Output:
    """Decode one record of an output topic."""
    value = record.value_bytes or b""
    fields = wire.decode_output(value)["record"] if value else {}
    place: Place | None = None
    if name == "anomalies.v1":
        last = fields["lineage"]["inputs"][-1]
        place = (last["partition"], last["last"])
    elif value and fields["origin"]["topic"].endswith("sensors.v1"):
        place = (fields["origin"]["partition"], fields["origin"]["offset"])
    return Output(name, record.place, record.key_bytes, place, _id(name, record, fields), value, fields)


def _id(name: str, record: Record, fields: Mapping[str, Any]) -> str:
    """The id by which a consumer dedupes: CloudEvents' where the headers have it."""
    told = dict(record.header_pairs).get("ce_id")
    return told.decode() if told else str(fields[_IDS.get(name, "event_id")])
