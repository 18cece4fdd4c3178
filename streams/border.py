"""The border: what is checked on a record before and around its decoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from confluent_kafka import Message

from foreshock.contract import Block, Origin, Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec.framing import named_schema
from foreshock.streams.codec.trace_context import context_of
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder

Header = tuple[str, str | bytes | None]


class Border:
    """Turns a Kafka record into a block, or says why it cannot be one.

    Parameters
    ----------
    topic
        The input topic as it was found at start.
    partitioner
        How keys must be spread over the partitions.
    largest
        Bytes of a value at most.
    decoder
        Reads the value.
    """

    def __init__(self, topic: TopicInfo, *, partitioner: str, largest: int, decoder: Decoder) -> None:
        self._topic = topic
        self._partitioner = partitioner
        self._largest = largest
        self._decode = decoder.decode

    def origin(self, record: Message) -> Origin:
        """Give the coordinates of a record, the schema it names, and the producer's trace where it sent one."""
        return origin_of(record, self._topic, schema=named_schema(record.value()), context=trace(record))

    def block(self, record: Message, origin: Origin) -> Block:
        """Decode a record.

        Raises
        ------
        InputRejected
            It cannot be used.
        """
        key, value = record.key(), record.value()
        if value is None:
            raise InputRejected(
                Reason.NULL_VALUE, "the value is null; sensors.v1 knows no deletion", fix="send the block, or nothing"
            )
        if not value:
            raise InputRejected(
                Reason.EMPTY, "the value has no bytes", fix="send an encoded SensorBlock or TelemetryFrame"
            )
        if not key:
            raise InputRejected(
                Reason.NULL_KEY,
                "the record has no key",
                field="key",
                fix="send the asset id as UTF-8 as the record's key",
            )
        if len(value) > self._largest:
            raise InputRejected(
                Reason.TOO_LARGE,
                f"the value has {len(value)} bytes, {self._largest} are allowed (topics.max_message_bytes)",
                fix="send shorter blocks",
            )
        self._check_partition(key, origin.partition)
        return self._decode(value, origin=origin, key=key)

    def _check_partition(self, key: bytes, found: int) -> None:
        wanted = partition_for(key, self._topic.partitions, self._partitioner)
        if wanted != found:
            raise InputRejected(
                Reason.WRONG_PARTITION,
                f"the key {key.decode('utf-8', 'replace')!r} belongs on partition {wanted} by {self._partitioner}, "
                f"this record is on partition {found}: its producer spreads keys in another way",
                field="key",
                fix=f"set `partitioner={self._partitioner}` where the producer is librdkafka; Java's default fits murmur2_random",
            )


def origin_of(
    record: Message, topic: TopicInfo, *, schema: str = "", context: tuple[str | None, str | None] = (None, None)
) -> Origin:
    """Give the coordinates of a record that was received, with its schema and its trace context where they are wanted."""
    return Origin(
        topic=topic.name,
        topic_id=topic.topic_id,
        partition=record.partition() or 0,
        offset=record.offset() or 0,
        ingest_ns=record.timestamp()[1] * 1_000_000,
        schema=schema,
        traceparent=context[0],
        tracestate=context[1],
    )


def as_bytes(value: str | bytes | None) -> bytes | None:
    """Give a key or the value of a header as it was on the wire: the client's types allow text."""
    return value.encode() if isinstance(value, str) else value


def pairs_of(record: Message) -> list[tuple[str, bytes | None]]:
    """Give the headers of a record that was received, as they were on the wire."""
    return [(name, as_bytes(value)) for name, value in headers_of(record)]


def headers_of(record: Message) -> Sequence[Header]:
    """Give the headers of a record that was received: always pairs, although the client's types allow a mapping."""
    return cast("Sequence[Header]", record.headers() or ())


def trace(record: Message) -> tuple[str | None, str | None]:
    """Give the W3C trace context that the producer sent: `traceparent` as it came, `tracestate` only beside a valid one."""
    headers = headers_of(record)
    return context_of(headers) if headers else (None, None)
