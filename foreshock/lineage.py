"""Identity and provenance: ids and fingerprints that are functions of the input and of versions, never of a clock."""

from __future__ import annotations

import hashlib
import re
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import foreshock
from foreshock.contract import Asset, InputRange, Origin
from foreshock.numeric import platform_name

# W3C Trace Context: ff is no version and zeros are no id; version 00 ends with its flags, a later one may go on
_TRACEPARENT = re.compile(
    r"(?:(?=00-.{52}\Z)|(?!00|ff))[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


def event_id(kind: str, origin: Origin, row: int = 0, *versions: str) -> str:
    """Id of an output: the same for the same input record, row, kind and versions, wherever and whenever it is made.

    Parameters
    ----------
    kind
        What is identified ("score", "anomaly.opened", ...).
    origin
        Coordinates of the input record; the topic counts by its Kafka id, so a re-created topic gives other ids.
    row
        Row of a telemetry frame.
    versions
        Names of what the output is a function of besides the input (model, policy, limit ...).

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    place = f"{kind}\x1f{origin.topic_id}\x1f{origin.partition}\x1f{origin.offset}\x1f{row}"
    text = "\x1f".join((place, *versions))
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"foreshock.id").hexdigest()


def trace_id(origin: Origin) -> str:
    """W3C trace id of a record: the producer's, else a hash of the coordinates."""
    given = given_trace(origin.traceparent)
    if given is not None:
        return given
    text = f"{origin.topic_id}\x1f{origin.partition}\x1f{origin.offset}"
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"foreshock.trace").hexdigest()


def given_trace(traceparent: str | None) -> str | None:
    """Trace id of a W3C `traceparent`; None where there is none, or it is not valid."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return match[1] if match else None


def fingerprint(*parts: Any) -> str:
    """Short hash of settings and records: sha256 over their canonical text, 16 hexadecimal digits."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:16]


def canonical(value: Any) -> str:
    """Text of a value that is the same for equal values: fields in declared order, floats in shortest form.

    A field that its record has only got later (`foreshock/machines.py`) is left out where it has its default.
    """
    if is_dataclass(value) and not isinstance(value, type):
        told = ((f, getattr(value, f.name)) for f in fields(value))
        inside = ",".join(
            f"{f.name}={canonical(each)}" for f, each in told if not ("later" in f.metadata and each == f.default)
        )
        return f"{type(value).__name__}({inside})"
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, tuple | list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    return repr(value)


def asset_record(asset: Asset) -> str:
    """Hash of the master data that an outcome rests on; behind it the class that completed it: ``hash+pump@hash``."""
    return f"{fingerprint(asset)}+{asset.class_record}" if asset.class_record else fingerprint(asset)


def input_range(origin: Origin, first: int, row: int | None = None) -> InputRange:
    """Offsets of this asset's records on its partition from `first` to the record at `origin`."""
    return InputRange(
        topic=origin.topic,
        topic_id=origin.topic_id,
        partition=origin.partition,
        first=first,
        last=origin.offset,
        row=row,
    )


@cache
def numeric_platform() -> str:
    """Name of what arithmetic depends on; read once."""
    return platform_name()


def code_version() -> str:
    """Version of the product that computed an outcome."""
    return f"foreshock {foreshock.__version__}"
