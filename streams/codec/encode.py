"""Records of the contract to the bytes of a value."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any

import numpy as np
import orjson

from foreshock.alerts.records import AlarmRecord, AlertTransition, Command, WorkOrder
from foreshock.cases import Case, CasePart
from foreshock.contract import (
    Anomaly,
    Asset,
    DataQuality,
    DeadLetter,
    Encoding,
    Score,
    SensorBlock,
    TelemetryFrame,
)
from foreshock.errors import ConfigurationError
from foreshock.signals import Diagnosis, FeatureVector
from foreshock.streams.codec import schemas, score_bytes
from foreshock.streams.codec.avro.writer import Write, make
from foreshock.streams.codec.framing import CONFLUENT, SINGLE_OBJECT, Framing
from foreshock.streams.codec.registry import Registry
from foreshock.units import resolve

Input = SensorBlock | TelemetryFrame | Asset | Command | WorkOrder
Told = Score | Anomaly | DataQuality | DeadLetter | AlertTransition | AlarmRecord | FeatureVector | Diagnosis
Record = Input | Told | Case | CasePart

_CONTENT_TYPES: Mapping[str, str] = MappingProxyType(
    {Framing.SINGLE_OBJECT: "application/avro", Framing.CONFLUENT: "application/avro", Framing.JSON: "application/json"}
)
_ENCODINGS = {"f4": Encoding.F32LE, "f8": Encoding.F64LE, "i2": Encoding.I16LE}


def content_type(framing: str) -> str:
    """Give the media type of values in a framing."""
    return _CONTENT_TYPES[framing]


class Encoder:
    """Writes records: the same record always gives the same bytes. A case is Avro in any framing: its bytes are hashed.

    Parameters
    ----------
    framing
        "single-object", "confluent" or "json".
    registry
        For Confluent framing: where the schemas are registered.
    topic
        Full name, for the subject ``<topic>-value``.

    Raises
    ------
    ConfigurationError
        Confluent framing without a registry.
    """

    def __init__(self, framing: str = Framing.SINGLE_OBJECT, registry: Registry | None = None, topic: str = "") -> None:
        self._framing = Framing(framing)
        if self._framing is Framing.CONFLUENT and registry is None:
            raise ConfigurationError("topics.framing = confluent needs topics.registry_url")
        self._registry = registry
        self._topic = topic
        self._writers: dict[type, tuple[bytes, Write]] = {}
        self.content_type = content_type(self._framing)

    def encode(self, record: Record) -> bytes:
        """Give the bytes of a record's value.

        Raises
        ------
        ValueError
            The record contradicts itself: samples that no encoding has, a gain that does not fit its unit.
        """
        if self._framing is Framing.JSON and not isinstance(record, Case | CasePart):
            return to_json(record)
        found = self._writers.get(type(record))
        if found is None:
            found = self._writers[type(record)] = self._writer(type(record))
        head, write = found
        parts = [head]
        write(parts.append, record)
        return b"".join(parts)

    def _writer(self, kind: type) -> tuple[bytes, Write]:
        version = schemas.current()[kind.__name__]
        if self._framing is not Framing.CONFLUENT:
            head = SINGLE_OBJECT + version.fingerprint
        else:
            assert self._registry is not None  # checked above
            number = self._registry.register(f"{self._topic}-value", version.schema, several=kind in _SHARED_TOPIC)
            head = CONFLUENT + number.to_bytes(4, "big")
        if kind is Score and score_bytes.usable(version.schema):
            return head, score_bytes.make(version.schema)
        return head, make(version.schema, _GETTERS)


_SHARED_TOPIC = frozenset({SensorBlock, TelemetryFrame, Case, CasePart})  # two records on one topic: two subjects


def to_json(record: Record) -> bytes:
    """Give a record as JSON with the field names of its schema and its `type`; bytes are base64, samples are numbers."""
    name = type(record).__name__
    if isinstance(record, SensorBlock | TelemetryFrame | Asset):
        return orjson.dumps({"type": name, **_JSON_IN[type(record)](record)})
    return b'{"type":"%b",%b' % (name.encode(), orjson.dumps(record, default=_plain)[1:])


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


def _json_fields(kind: str, names: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], dict[str, Any]]:
    fields = [field["name"] for field in schemas.current()[kind].schema["fields"]]
    getters = {name: names.get(name, attrgetter(name)) for name in fields}
    return lambda record: {name: get(record) for name, get in getters.items()}


def _json_samples(block: SensorBlock) -> list[Any]:
    rows: list[Any] = np.asarray(block.samples).tolist()
    return rows[0] if len(rows) == 1 else rows


def _json_values(frame: TelemetryFrame) -> list[list[float | None]]:
    return [[None if value != value else value for value in row] for row in frame.values.tolist()]  # noqa: PLR0124  # NaN


def _tags(frame: TelemetryFrame) -> list[dict[str, str]]:
    return [
        {"name": tag.name, "quantity": tag.quantity, "unit": tag.unit, "measure": tag.measure} for tag in frame.tags
    ]


def _encoding(block: SensorBlock) -> Encoding:
    code = block.samples.dtype.str[1:]
    if code not in _ENCODINGS:
        raise ValueError(f"samples of {block.samples.dtype} have no encoding: send float32, float64 or int16")
    return _ENCODINGS[code]


def _sample_bytes(block: SensorBlock) -> bytes:
    return np.ascontiguousarray(block.samples, block.samples.dtype.newbyteorder("<")).tobytes()


def _scale(block: SensorBlock) -> float:
    """Give the scale as sent, and make sure that nobody set the gain alone: it would be lost."""
    if block.gain not in {1.0, block.scale * resolve(block.quantity, block.unit).gain}:
        raise ValueError(f"gain {block.gain} does not follow from scale {block.scale} and unit {block.unit}: set scale")
    return block.scale


_GETTERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "SensorBlock.encoding": _encoding,
        "SensorBlock.scale": _scale,
        "SensorBlock.count": lambda block: block.samples.shape[1],
        "SensorBlock.samples": _sample_bytes,
        "TelemetryFrame.times_ns": lambda frame: frame.times_ns.tolist(),
        "TelemetryFrame.values": lambda frame: frame.values.reshape(-1),
        "Header.name": itemgetter(0),
        "Header.value": itemgetter(1),
    }
)
_JSON_IN: Mapping[type, Callable[[Any], dict[str, Any]]] = MappingProxyType(
    {
        SensorBlock: _json_fields(
            "SensorBlock",
            {
                "encoding": _encoding,
                "scale": _scale,
                "count": _GETTERS["SensorBlock.count"],
                "samples": _json_samples,
            },
        ),
        TelemetryFrame: _json_fields(
            "TelemetryFrame",
            {"tags": _tags, "times_ns": _GETTERS["TelemetryFrame.times_ns"], "values": _json_values},
        ),
        Asset: _json_fields("Asset", {}),
    }
)
