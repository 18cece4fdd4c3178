"""The part of a block that differs from one to the next, read in one go: the hottest lines of the border.

`read` does what the general reader does for the present schema, without a function call per field. It takes only what is
usual and leaves the rest (and every error, with its words) to the general reader: it gives None then. A test holds the two
against each other, byte by byte.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import Any

from foreshock.contract import Context
from foreshock.streams.codec import schemas

FIELDS = ("sequence", "source_ns", "flags", "context", "count", "samples")
_DOUBLE = struct.Struct("<d").unpack_from
_BOTH = struct.Struct("<xdxd").unpack_from  # speed and load, each behind its branch
_NOTHING = b"\0\0\0\0"  # speed, load and regime null, no maintenance
NO_CONTEXT = Context()

Tail = tuple[int | None, int, tuple[str, ...], Context, int, bytes]


def usable(fingerprint: str) -> bool:
    """Say whether blocks of a writer schema end as `read` expects."""
    ours = schemas.current()["SensorBlock"]
    return fingerprint == ours.hex and tuple(each["name"] for each in ours.schema["fields"])[-6:] == FIELDS


def read(data: bytes, at: int) -> Tail | None:  # noqa: PLR0911  # each early exit is one thing that is not usual
    """Read the fields `FIELDS` from `at` to the end of the message; None where it is not plain sailing."""
    try:
        sequence = None
        branch = data[at]
        at += 1
        if branch == 2:
            sequence, at = _long(data, at)
        elif branch:
            return None
        source_ns, at = _long(data, at)
        if data[at]:
            return None  # flags are rare
        at += 1
        if data[at : at + 4] == _NOTHING:
            context = NO_CONTEXT
            at += 4
        else:
            if data[at] == 2 and data[at + 9] == 2:
                speed_hz, load = _BOTH(data, at)
                at += 18
            else:
                speed_hz, at = _optional(data, at)
                load, at = _optional(data, at)
            if data[at] or data[at + 1]:
                return None  # a named regime or maintenance
            at += 2
            if not (speed_hz is None or isfinite(speed_hz)) or not (load is None or isfinite(load)):
                return None
            context = Context(speed_hz=speed_hz, load=load)
        count, at = _long(data, at)
        size, at = _long(data, at)
    except (IndexError, struct.error, ValueError):
        return None
    if size != len(data) - at or not 0 < count < 1 << 31:
        return None
    return sequence, source_ns, (), context, count, data[at:]


def _long(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    value = byte & 0x7F
    shift = 7
    while byte > 0x7F:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    if shift > 63:
        raise ValueError  # ten bytes: the general reader decides
    return (value >> 1) ^ -(value & 1), at


def _optional(data: bytes, at: int) -> tuple[Any, int]:
    branch = data[at]
    if branch == 2:
        return _DOUBLE(data, at + 1)[0], at + 9
    if branch:
        raise ValueError
    return None, at + 1
