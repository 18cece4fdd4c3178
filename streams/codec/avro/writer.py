"""Writing: a function per schema node, made once, that appends the bytes of a value to a list.

Records are read by attribute, so the dataclasses of the contract need no dicts in between. The same value always gives the
same bytes: one block per array, the shortest form of every number.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Mapping
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

from foreshock.streams.codec.avro.schema import Schema, SchemaError

Append = Callable[[bytes], None]
Write = Callable[[Append, Any], None]
Get = Callable[[Any], Any]

_DOUBLE = struct.Struct("<d").pack
_FLOAT = struct.Struct("<f").pack
_SMALL = 1 << 13
_MOST_TEXTS = 4096
_ALWAYS_NEW = frozenset(
    {
        *("score_id", "event_id", "episode_id", "alert_id", "anomaly_id", "last_event_id", "command_id", "trace_id"),
        *("vector_id", "diagnosis_id"),
        *("value_sha256", "sha256", "evidence", "sentence", "detail", "reason", "rule"),
    }
)


def _varint(value: int) -> bytes:
    """Give the zig-zag variable-length form of a 64-bit whole number."""
    rest = (value << 1) ^ (value >> 63)
    if 0 < rest >> 56 < 0x80:
        return _varint_of_nine(rest)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _varint_of_nine(rest: int) -> bytes:
    """Give the form of a number of 57 to 63 bits (a time in nanoseconds) without a loop.

    The lower 56 bits are spread from groups of 28, 14 and 7 to one byte for each group of 7.
    """
    low = rest & 0xFFFFFFF | (rest & 0xFFFFFFF0000000) << 4
    low = low & 0x3FFF00003FFF | (low & 0xFFFC0000FFFC000) << 2
    low = low & 0x7F007F007F007F | (low & 0x3F803F803F803F80) << 1
    return (low | 0x8080808080808080 | rest >> 56 << 64).to_bytes(9, "little")


_VARINTS = tuple(
    _varint(value) for value in range(_SMALL)
)  # lengths, counts, symbols: nearly every number that is written


def long_bytes(value: int) -> bytes:
    """Give the bytes of a long."""
    if 0 <= value < _SMALL:
        return _VARINTS[value]
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"{value} does not fit in 64 bits")
    return _varint(value)


def make(schema: Schema, getters: Mapping[str, Get] = MappingProxyType({})) -> Write:
    """Make the function that writes values of a schema.

    Parameters
    ----------
    schema
        Of our own folder.
    getters
        How to get at a field where it is not the attribute of that name: ``{"Header.name": itemgetter(0)}``.
    """
    return _make(_whole(schema, {}), getters)


def _whole(schema: Schema, known: dict[str, Schema]) -> Schema:
    """Put what it refers to in place of each reference to a type that was named before; names stay as they are."""
    if isinstance(schema, list):
        return [_whole(each, known) for each in schema]
    if isinstance(schema, str):
        return known.get(schema, schema)
    if schema["type"] == "array":
        return {**schema, "items": _whole(schema["items"], known)}
    found = dict(schema)
    if schema["type"] == "record":
        found["fields"] = [{**each, "type": _whole(each["type"], known)} for each in schema["fields"]]
    if "name" in schema:
        known[schema["name"]] = found
    return found


def _make(schema: Schema, getters: Mapping[str, Get]) -> Write:
    if isinstance(schema, list):
        return _make_union(schema, getters)
    kind = schema["type"] if isinstance(schema, Mapping) else schema
    if kind == "record":
        return _make_record(schema, getters)
    if kind == "enum":
        return _make_enum(schema)
    if kind == "array":
        return _make_array(schema, getters)
    if isinstance(kind, str) and kind in _PRIMITIVE:
        return _PRIMITIVE[kind]
    raise SchemaError(f"no writer for {kind!r}")


def _write_long(append: Append, value: int) -> None:
    append(_VARINTS[value] if 0 <= value < _SMALL else long_bytes(value))


def _write_bytes(append: Append, value: bytes) -> None:
    append(long_bytes(len(value)))
    append(value)


def _write_string(append: Append, value: str) -> None:
    data = value.encode()
    size = len(data)
    append(_VARINTS[size] if size < _SMALL else _varint(size))
    append(data)


def _write_boolean(append: Append, value: bool) -> None:
    append(b"\1" if value else b"\0")


def _write_double(append: Append, value: float) -> None:
    append(_DOUBLE(value))


def _write_float(append: Append, value: float) -> None:
    append(_FLOAT(value))


def _write_null(append: Append, value: None) -> None:
    """Write nothing: null has no bytes."""


_PRIMITIVE: Mapping[str, Write] = {
    "null": _write_null,
    "boolean": _write_boolean,
    "int": _write_long,
    "long": _write_long,
    "float": _write_float,
    "double": _write_double,
    "bytes": _write_bytes,
    "string": _write_string,
}


def _make_record(schema: Mapping[str, Any], getters: Mapping[str, Get]) -> Write:
    record = schema["name"]

    def kept_together(field: Mapping[str, Any]) -> bool:
        own = field["name"] in _ALWAYS_NEW or f"{record}.{field['name']}" in getters
        return field["type"] == "string" and not own

    steps: list[tuple[Write, Get]] = []
    for together, run in groupby(schema["fields"], kept_together):
        fields = list(run)
        if together and len(fields) > 1:
            steps.append((_make_texts(), attrgetter(*(field["name"] for field in fields))))
            continue
        for field in fields:
            get = getters.get(f"{record}.{field['name']}") or attrgetter(field["name"])
            steps.append((_make(field["type"], getters), get))

    def write(append: Append, value: Any) -> None:
        for put, get in steps:
            put(append, get(value))

    return write


def _make_texts() -> Write:
    """Make the writer of neighbouring texts that come again and again (names, versions): their bytes are kept."""
    known: dict[tuple[str, ...], bytes] = {}

    def write(append: Append, values: tuple[str, ...]) -> None:
        data = known.get(values)
        if data is None:
            if len(known) >= _MOST_TEXTS:
                known.clear()
            data = known[values] = b"".join(long_bytes(len(text)) + text for text in map(str.encode, values))
        append(data)

    return write


def _make_enum(schema: Mapping[str, Any]) -> Write:
    numbers = {symbol: long_bytes(number) for number, symbol in enumerate(schema["symbols"])}

    def write(append: Append, value: str) -> None:
        append(numbers[value])

    return write


def _make_union(schema: list[Schema], getters: Mapping[str, Get]) -> Write:
    if len(schema) != 2 or schema[0] != "null":
        raise SchemaError("a union is null and one other type")
    inner = _make(schema[1], getters)

    def write(append: Append, value: Any) -> None:
        if value is None:
            append(b"\0")
        else:
            append(b"\2")
            inner(append, value)

    return write


def _make_array(schema: Mapping[str, Any], getters: Mapping[str, Get]) -> Write:
    items = schema["items"]
    if items in ("float", "double"):
        return _make_numbers("f" if items == "float" else "d", np.dtype("<f4" if items == "float" else "<f8"))
    inner = _make(items, getters)

    def write(append: Append, value: Any) -> None:
        if len(value):
            append(long_bytes(len(value)))
            for item in value:
                inner(append, item)
        append(b"\0")

    return write


def _make_numbers(code: str, dtype: np.dtype[Any]) -> Write:
    """Write an array of floats as one piece of memory."""
    formats = [struct.Struct(f"<{count}{code}").pack for count in range(256)]

    def write(append: Append, value: Any) -> None:
        count = len(value)
        if count:
            append(long_bytes(count))
            if isinstance(value, np.ndarray):
                append(value.astype(dtype).tobytes())
            elif count < len(formats):
                append(formats[count](*value))
            else:
                append(np.array(array(code, value), dtype).tobytes())
        append(b"\0")

    return write
