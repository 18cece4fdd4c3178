"""What `foreshock validate` says about the records of a file: the worker's own checks, and advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from foreshock.alerts.records import Command, WorkOrder
from foreshock.contract import Asset, Block, Origin, Reason, SensorBlock, TelemetryFrame
from foreshock.errors import InputRejected
from foreshock.streams.codec import json_in, schemas
from foreshock.streams.codec.avro.container import MAGIC, records
from foreshock.streams.codec.checks import reject
from foreshock.streams.codec.framing import CONFLUENT, SINGLE_OBJECT, SINGLE_OBJECT_HEAD
from foreshock.streams.codec.headers import iso
from foreshock.streams.codec.registry import Registry
from foreshock.streams.wire import Decoder

_MINUTE_NS = 60 * 1_000_000_000
_AHEAD_NS = 5 * _MINUTE_NS  # beyond it the worker raises the quality `clock`
_QUARTER_NS = 15 * _MINUTE_NS  # every time zone is whole quarters of an hour away from UTC
_WIDEST_NS = 14 * 60 * _MINUTE_NS
_LOCAL = "this looks like local time sent as UTC: convert it, or send source_time with its offset (+02:00)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one record of a file; `number` counts from 1."""

    number: int
    ok: bool
    schema: str = ""
    asset: str = ""
    summary: str = ""
    reason: str = ""
    field: str = ""
    sentence: str = ""
    fix: str = ""
    note: str = ""


def validate(data: bytes, *, now_ns: int, largest: int, registry: Registry | None = None) -> Iterator[Verdict]:
    """Judge every record of a file.

    Parameters
    ----------
    data
        One value in any framing, JSON lines, a JSON array, or an Avro container file.
    now_ns
        Wall-clock time, to judge source times.
    largest
        Bytes of a value at most (`topics.max_message_bytes`).
    """
    decoder = Decoder(registry, check_key=False)
    number = 0
    try:
        for number, value in enumerate(split(data), start=1):
            yield _judge(decoder, number, value, now_ns, largest)
    except InputRejected as exc:  # the file itself is damaged
        yield _refused(number + 1, exc)


def split(data: bytes) -> Iterator[bytes]:
    """Give the values of a file."""
    if data.startswith(MAGIC):
        for key, record in records(data, schemas.by_fingerprint()):
            yield SINGLE_OBJECT + key + record
        return
    text = data.strip()
    if data.startswith((SINGLE_OBJECT, CONFLUENT)) or not text.startswith((b"{", b"[")):
        yield data
        return
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        several = (
            len(lines) > 1 and all(line.strip().startswith(b"{") for line in lines[:2]) and len(lines[0].strip()) > 1
        )
        yield from lines if several else [text]
        return
    yield from map(orjson.dumps, found) if isinstance(found, list) else [text]


def _judge(decoder: Decoder, number: int, value: bytes, now_ns: int, largest: int) -> Verdict:
    origin = Origin(topic="file", topic_id="", partition=-1, offset=number - 1, ingest_ns=now_ns)
    try:
        if len(value) > largest:
            sentence = f"the value has {len(value)} bytes, {largest} are allowed (topics.max_message_bytes)"
            reject(Reason.TOO_LARGE, "", sentence, "send shorter blocks")
        read: dict[str, Callable[..., Block | Asset | Command | WorkOrder]] = {
            "Asset": decoder.decode_asset,
            "Command": decoder.decode_command,
            "WorkOrder": decoder.decode_work_order,
        }
        record = read.get(_name(value), decoder.decode)(value, origin=origin, key=None)
    except InputRejected as exc:
        return _refused(number, exc)
    kind = type(record).__name__
    if isinstance(record, Asset):
        return Verdict(number=number, ok=True, schema=kind, asset=record.asset, summary=f"{len(record.points)} points")
    if isinstance(record, Command | WorkOrder):
        about = f" of alert {record.alert_id}" if record.alert_id else ""
        summary = f"{record.kind}{about} by {record.actor}"
        return Verdict(number=number, ok=True, schema=kind, asset=record.asset, summary=summary)
    at_ns = record.source_ns if isinstance(record, SensorBlock) else int(record.times_ns[-1])
    field = "source_ns" if isinstance(record, SensorBlock) else "times_ns"
    ahead = _clock(at_ns, now_ns)
    if ahead and at_ns > now_ns:
        fix = f"{_LOCAL}; a worker would raise the quality `clock`"
        return Verdict(
            number=number,
            ok=False,
            schema=kind,
            asset=record.asset,
            reason="clock",
            field=field,
            sentence=ahead,
            fix=fix,
        )
    note = f"{field}: {ahead}; if it is not history: {_LOCAL}" if ahead else ""
    return Verdict(number=number, ok=True, schema=kind, asset=record.asset, summary=_summary(record), note=note)


def _name(value: bytes) -> str:
    """Give the record that a value is, as far as its head or its fields say so."""
    if value.startswith(SINGLE_OBJECT):
        version = schemas.by_fingerprint().get(value[2:SINGLE_OBJECT_HEAD])
        return version.name if version is not None else ""
    if value.lstrip()[:1] != b"{":
        return ""
    found = json_in.parse(value)
    if "type" in found:
        return str(found["type"])
    for field, name in (("command_id", "Command"), ("record_id", "WorkOrder")):
        if field in found:
            return name
    blocks = {"samples", "values", "tags", "source_ns", "times_ns", "sampling_rate_hz", "channels", "source_time"}
    return "Asset" if "asset" in found and not blocks & found.keys() else ""


def _clock(at_ns: int, now_ns: int) -> str:
    """Say how far a source time is from now, where that looks like a mistake."""
    off = at_ns - now_ns
    quarters = round(off / _QUARTER_NS)
    near = abs(off - quarters * _QUARTER_NS)
    if off > _AHEAD_NS:
        return f"the source time {iso(at_ns)} is {_span(off)} ahead of now"
    if off < -_QUARTER_NS and off >= -_WIDEST_NS and quarters % 2 == 0 and near <= _MINUTE_NS:
        return f"the source time {iso(at_ns)} is {_span(-off)} behind now"
    return ""


def _span(ns: int) -> str:
    minutes = ns / _MINUTE_NS
    return f"{minutes:.0f} min" if minutes < 60 else f"{minutes / 60:.1f} h"


def _summary(record: SensorBlock | TelemetryFrame) -> str:
    if isinstance(record, SensorBlock):
        channels, count = record.samples.shape
        rate = f"{record.sampling_rate_hz:g} Hz" if record.sampling_rate_hz else "rate not stated"
        return f"{record.point}: {channels} x {count} samples, {rate}, {record.quantity} in {record.unit}"
    rows, tags = record.values.shape
    return f"{record.point}: {rows} rows of {tags} tags"


def _refused(number: int, exc: InputRejected) -> Verdict:
    return Verdict(number=number, ok=False, reason=str(exc.reason), field=exc.field, sentence=exc.sentence, fix=exc.fix)
