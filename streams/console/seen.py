"""A record of a topic as the console takes it, and the decoding to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from confluent_kafka import Message

from foreshock.alerts.records import AlarmRecord, AlertTransition
from foreshock.contract import Anomaly, DataQuality, DeadLetter, Score
from foreshock.errors import ForeshockError, InputRejected
from foreshock.records import from_tree, to_tree
from foreshock.streams.border import origin_of
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.reader import Read, make
from foreshock.streams.codec.avro.schema import Schema
from foreshock.streams.codec.framing import SINGLE_OBJECT, SINGLE_OBJECT_HEAD, Framing, framing_of
from foreshock.streams.codec.registry import Registry
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder, decode_output

_LEFT_OUT = frozenset({"features"})  # of a score: three quarters of its bytes, and read again where they are shown
_CONTRACT: Mapping[str, Any] = {
    "scores.v1": Score,
    "anomalies.v1": Anomaly,
    "alerts.v1": AlertTransition,
    "incidents.v1": AlertTransition,
    "alarms.v1": AlarmRecord,
    "quality.v1": DataQuality,
    "dead-letters.v1": DeadLetter,
}
_INPUTS: Mapping[str, str] = {
    "assets.v1": "decode_asset",
    "control.v1": "decode_command",
    "maintenance.v1": "decode_work_order",
}
_SHORT = 200  # characters of a dead letter's key


class Seen(NamedTuple):
    """A decoded record. `record` is None for a record without a value, `object` for what is decoded to a record of ours."""

    topic: str  # without the prefix
    partition: int
    offset: int
    at_ms: float
    key: bytes
    record: Any


def seen(message: Message, topic: TopicInfo, name: str, decoder: Decoder, registry: Registry | None) -> Seen | None:
    """Decode a record of any topic that is followed; None: it is none of ours, or of a later version."""
    try:
        record = _decoded(message, topic, name, decoder, registry)
    except (ForeshockError, KeyError, ValueError, TypeError):
        return None
    key = message.key() or b""
    return Seen(
        name,
        message.partition() or 0,
        message.offset() or 0,
        float(message.timestamp()[1]),
        key if isinstance(key, bytes) else key.encode(),
        record,
    )


def _decoded(message: Message, topic: TopicInfo, name: str, decoder: Decoder, registry: Registry | None) -> Any:
    value = message.value()
    if value is None:
        return None
    if name in _INPUTS:
        decode = getattr(decoder, _INPUTS[name])
        return decode(value, origin=origin_of(message, topic), key=message.key())
    if framing_of(value) is Framing.JSON:
        return checked(name, decode_output(value, registry)["record"])
    if name == "scores.v1":
        return score(value, registry)
    record = decode_output(value, registry)["record"]
    return letter_line(record) if name == "dead-letters.v1" else record


def checked(name: str, record: Mapping[str, Any]) -> Any:
    """Hold a record that no schema was held against, JSON, against the contract; fields of a later version are left out.

    Raises
    ------
    ValueError
        It is not what stands on that topic.
    """
    kind = _CONTRACT[name]
    known = {field for field in kind.__dataclass_fields__ if field in record}
    tree: dict[str, Any] = to_tree(from_tree(kind, {field: record[field] for field in known}))
    return letter_line(tree) if name == "dead-letters.v1" else tree


def score(value: bytes, registry: Registry | None) -> Mapping[str, Any]:
    """Decode a score without its features.

    Raises
    ------
    InputRejected
        It is none.
    """
    if value.startswith(SINGLE_OBJECT):
        read = _score_reader(value[2:SINGLE_OBJECT_HEAD])
        if read is not None:
            record, end = read(value, SINGLE_OBJECT_HEAD)
            if end == len(value) and isinstance(record, dict):
                return record
    found: Mapping[str, Any] = decode_output(value, registry)["record"]
    return found


def letter_line(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is told of a dead letter in a line: without its bytes."""
    origin, key = record["origin"], record["key"] or b""
    names = ("event_id", "reason", "sentence", "field", "fix")
    return {
        **{name: record[name] for name in names},
        "asset": key[:_SHORT].decode("utf-8", "replace"),
        "topic": origin["topic"],
        "input_partition": origin["partition"],
        "input_offset": origin["offset"],
        "size": record["value_size"],
    }


@lru_cache(maxsize=16)
def _score_reader(fingerprint: bytes) -> Read | None:
    version = schemas.by_fingerprint().get(fingerprint)
    if version is None or version.name != "Score":
        return None
    try:
        return make(version.schema, _without(version.schema))
    except InputRejected:
        return None


def _without(node: Schema) -> Schema:
    """Give a schema without the fields that are not wanted."""
    if isinstance(node, list):
        return [_without(each) for each in node]
    if not isinstance(node, dict):
        return node
    wanted = {
        name: [_without(each) for each in value if each["name"] not in _LEFT_OUT]
        if name == "fields"
        else _without(value)
        for name, value in node.items()
        if name in {"fields", "items", "values", "type"}
    }
    return {**node, **wanted}
