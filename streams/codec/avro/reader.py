"""Reading: a function per schema node, made once, that takes (bytes, position) and gives (value, position).

A writer schema is resolved against the reader's when the functions are made: fields that the reader does not know are read
and dropped, fields that the writer did not have get their default, numbers are widened. Arrays of float and double come as
numpy arrays, arrays of anything else as lists, records as dicts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec.avro.resolve import Node, UnresolvedError, resolve
from foreshock.streams.codec.avro.schema import Schema

Read = Callable[[bytes, int], tuple[Any, int]]

_FLOAT, _DOUBLE = struct.Struct("<f").unpack_from, struct.Struct("<d").unpack_from
_MOST_BYTES = 64 * 1024 * 1024  # a length above it is nonsense, below it the message was cut
_COMPLETE = "send the record whole: nothing may cut it between the encoder and Kafka"
_ENCODER = "encode with the schema that the framing names; `foreshock schema print` prints ours"

__all__ = ["Read", "UnresolvedError", "fields_of", "make", "read_fields"]


def make(writer: Schema, reader: Schema) -> Read:
    """Make the function that reads values which `writer` wrote, as `reader` sees them.

    Raises
    ------
    SchemaError
        The writer's schema is not safe to decode with.
    UnresolvedError
        The reader cannot read what the writer writes; names the field.
    """
    return _make(resolve(writer, reader))


def fields_of(writer: Schema, reader: Schema) -> tuple[list[tuple[str, Read, bool]], dict[str, Any]]:
    """Give (name, function, is wanted) of each field as the writer orders them, and the defaults of the others."""
    node = resolve(writer, reader)
    return [(name, _make(inner), wanted) for name, inner, wanted in node.fields], dict(node.defaults)


def read_fields(fields: Sequence[tuple[str, Read, bool]], data: bytes, at: int, into: dict[str, Any]) -> int:
    """Read fields one after the other; gives the position behind the last.

    Raises
    ------
    InputRejected
        With the path of the field.
    """
    name = ""
    try:
        for name, read, wanted in fields:
            value, at = read(data, at)
            if wanted:
                into[name] = value
    except (IndexError, struct.error):
        raise _ended(name) from None
    except InputRejected as exc:
        exc.field = f"{name}.{exc.field}" if exc.field else name
        raise
    return at


def _ended(field: str = "") -> InputRejected:
    return InputRejected(Reason.TRUNCATED, "the record ends in the middle of a field", field=field, fix=_COMPLETE)


def _malformed(sentence: str) -> InputRejected:
    return InputRejected(Reason.MALFORMED, sentence, fix=_ENCODER)


def _long(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at
    value = byte & 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise _malformed("a whole number takes more than 10 bytes")
    if value >> 64:
        raise _malformed("a whole number has more than 64 bits")
    return (value >> 1) ^ -(value & 1), at


def _int(data: bytes, at: int) -> tuple[int, int]:
    value, at = _long(data, at)
    if not -0x80000000 <= value <= 0x7FFFFFFF:
        raise _malformed(f"{value} does not fit in 32 bits")
    return value, at


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Read a length in bytes that is certain to be there."""
    size, at = _long(data, at)
    left = len(data) - at
    if 0 <= size <= left:
        return size, at
    if 0 <= size <= _MOST_BYTES:
        sentence = f"{size} bytes are declared, {left} are left: the record was cut"
        raise InputRejected(Reason.TRUNCATED, sentence, fix=_COMPLETE)
    raise InputRejected(Reason.BAD_LENGTH, f"{size} bytes are declared, {left} are left", fix=_ENCODER)


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = _length(data, at)
    end = at + size
    return data[at:end], end


def _string(data: bytes, at: int) -> tuple[str, int]:
    size, at = _length(data, at)
    end = at + size
    try:
        return data[at:end].decode(), end
    except UnicodeDecodeError:
        raise _malformed("the text is not UTF-8") from None


def _boolean(data: bytes, at: int) -> tuple[bool, int]:
    byte = data[at]
    if byte > 1:
        raise _malformed(f"a boolean is 0 or 1, found {byte}")
    return byte == 1, at + 1


def _null(_data: bytes, at: int) -> tuple[None, int]:
    return None, at


def _double(data: bytes, at: int) -> tuple[float, int]:
    return _DOUBLE(data, at)[0], at + 8


def _float(data: bytes, at: int) -> tuple[float, int]:
    return _FLOAT(data, at)[0], at + 4


_PRIMITIVE: Mapping[str, Read] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _float,
    "double": _double,
    "bytes": _bytes,
    "string": _string,
}


def _make(node: Node) -> Read:
    read = _PRIMITIVE[node.kind] if node.kind in _PRIMITIVE else _COMPLEX[node.kind](node)
    if node.convert is None:
        return read
    convert = node.convert

    def read_and_convert(data: bytes, at: int) -> tuple[Any, int]:
        value, at = read(data, at)
        try:
            return convert(value), at
        except UnicodeDecodeError:
            raise _malformed("the text is not UTF-8") from None

    return read_and_convert


def _make_record(node: Node) -> Read:
    fields = [(name, _make(inner), wanted) for name, inner, wanted in node.fields]
    defaults = dict(node.defaults)

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        record = dict(defaults)
        at = read_fields(fields, data, at, record)
        return record, at

    return read


def _make_enum(node: Node) -> Read:
    symbols = node.symbols

    def read(data: bytes, at: int) -> tuple[str, int]:
        number, at = _long(data, at)
        if not 0 <= number < len(symbols):
            raise _malformed(f"symbol {number} of {len(symbols)} symbols")
        return symbols[number], at

    return read


def _make_union(node: Node) -> Read:
    branches = [_make(each) for each in node.branches]

    def read(data: bytes, at: int) -> tuple[Any, int]:
        number, at = _long(data, at)
        if not 0 <= number < len(branches):
            raise _malformed(f"branch {number} of a union of {len(branches)}")
        return branches[number](data, at)

    return read


def _make_fixed(node: Node) -> Read:
    size = node.size

    def read(data: bytes, at: int) -> tuple[bytes, int]:
        if size > len(data) - at:
            raise _ended()
        return data[at : at + size], at + size

    return read


def _block(data: bytes, at: int, least: int) -> tuple[int, int]:
    """Read the head of a block of items and make sure that so many items can be there."""
    count, at = _long(data, at)
    if count < 0:
        count = -count
        _, at = _length(data, at)
    left = len(data) - at
    if count * least > left:
        cut = count * least <= _MOST_BYTES
        reason, fix = (Reason.TRUNCATED, _COMPLETE) if cut else (Reason.BAD_LENGTH, _ENCODER)
        raise InputRejected(reason, f"{count} items are declared, {left} bytes are left", fix=fix)
    return count, at


def _make_array(node: Node) -> Read:
    (item,) = node.branches
    if item.kind in {"float", "double"} and item.convert is None:
        return _make_numbers(np.dtype("<f4" if item.kind == "float" else "<f8"))
    read_item, least = _make(item), node.least

    def read(data: bytes, at: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        while True:
            count, at = _block(data, at, least)
            if count == 0:
                return items, at
            try:
                for _ in range(count):
                    value, at = read_item(data, at)
                    items.append(value)
            except InputRejected as exc:
                exc.field = f"[{len(items)}].{exc.field}" if exc.field else f"[{len(items)}]"
                raise

    return read


def _make_numbers(dtype: np.dtype[Any]) -> Read:
    """Read an array of floats as it lies in the message, without a Python object per value."""
    size = dtype.itemsize

    def read(data: bytes, at: int) -> tuple[Any, int]:
        blocks = []
        while True:
            count, at = _block(data, at, size)
            if count == 0:
                break
            blocks.append(np.frombuffer(data, dtype, count, at))
            at += count * size
        if len(blocks) == 1:
            return blocks[0], at
        return (np.concatenate(blocks) if blocks else np.empty(0, dtype)), at

    return read


def _make_map(node: Node) -> Read:
    (item,) = node.branches
    read_item, least = _make(item), node.least + 1

    def read(data: bytes, at: int) -> tuple[dict[str, Any], int]:
        items: dict[str, Any] = {}
        while True:
            count, at = _block(data, at, least)
            if count == 0:
                return items, at
            for _ in range(count):
                key, at = _string(data, at)
                items[key], at = read_item(data, at)

    return read


_COMPLEX: Mapping[str, Callable[[Node], Read]] = {
    "record": _make_record,
    "enum": _make_enum,
    "union": _make_union,
    "fixed": _make_fixed,
    "array": _make_array,
    "map": _make_map,
}
