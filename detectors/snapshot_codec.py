"""Trees of plain values to bytes and back: the one form that snapshots, digests and evidence are made of.

A tree is None, a bool, an int, a float, a string, bytes, a numpy array, a list of trees, or a dict of trees by name.
Equal trees have equal bytes in every process: one code for each type, little-endian numbers, names in sorted order. So
the sha256 of the bytes identifies the tree, and bytes that are not in this form are refused.

    value   = "N" | "T" | "F"                                none, true, false
            | "i" int64 | "I" count bytes                    whole numbers; the long form for those beyond 64 bits
            | "f" float64 | "s" count utf-8 | "b" count bytes
            | "a" type rank dimension* values                array in C order
            | "l" count value* | "d" count (count utf-8 value)*
    count   = uint32, type = uint8 (place in `TYPES`), rank = uint8, dimension = uint32
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from foreshock.errors import SnapshotRejected

Tree: TypeAlias = "bool | int | float | str | bytes | npt.NDArray[Any] | Sequence[Tree] | Mapping[str, Tree] | None"

TYPES = tuple(
    np.dtype(code) for code in ("?", "<u1", "<u2", "<u4", "<u8", "<i1", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8")
)
DEPTH = 24  # of a state of ours is 7, with a River object in it 10
RANK = 4
MOST_VALUES = (
    500_000  # of the largest River object that is known 70,000; more would take longer to read than it is worth
)
LONGEST_INT = 4096  # bytes
_NUMBER = {dtype: number for number, dtype in enumerate(TYPES)}
_SHAPES = tuple(struct.Struct(f"<{rank}I") for rank in range(RANK + 1))
_COUNT, _INT, _FLOAT = struct.Struct("<I"), struct.Struct("<q"), struct.Struct("<d")
_INT64 = range(-(2**63), 2**63)


def canonical(tree: Tree) -> bytes:
    """Bytes of a tree.

    Raises
    ------
    TypeError
        Something in it is not of a type that a tree is made of.
    """
    parts: list[bytes] = []
    _write(tree, parts.append)
    return b"".join(parts)


Put = Callable[[bytes], None]


def _write(tree: Any, put: Put) -> None:
    kind = type(tree)
    write = _WRITE.get(kind)
    if write is None:
        raise TypeError(f"a tree holds no {kind.__module__}.{kind.__qualname__}")
    write(tree, put)


def _counted(code: bytes, data: bytes, put: Put) -> None:
    put(code + _COUNT.pack(len(data)) + data)


def _many(tree: Sequence[Any], put: Put) -> None:
    put(b"l" + _COUNT.pack(len(tree)))
    for each in tree:
        _write(each, put)


def _named(tree: Mapping[str, Any], put: Put) -> None:
    put(b"d" + _COUNT.pack(len(tree)))
    for name in sorted(tree):
        _counted(b"", name.encode(), put)
        _write(tree[name], put)


def _whole(value: int) -> bytes:
    if value in _INT64:
        return b"i" + _INT.pack(value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"I" + _COUNT.pack(len(data)) + data


def _array(value: npt.NDArray[Any], put: Put) -> None:
    number = _NUMBER.get(value.dtype.newbyteorder("<"))
    if number is None or value.ndim > RANK:
        raise TypeError(f"a tree holds no array of {value.dtype} with {value.ndim} dimensions")
    put(b"a" + struct.pack(f"<BB{value.ndim}I", number, value.ndim, *value.shape))
    put(np.ascontiguousarray(value, TYPES[number]).tobytes())


_WRITE: dict[type, Callable[[Any, Put], None]] = {
    type(None): lambda _tree, put: put(b"N"),
    bool: lambda tree, put: put(b"T" if tree else b"F"),
    int: lambda tree, put: put(_whole(tree)),
    float: lambda tree, put: put(b"f" + _FLOAT.pack(tree)),
    str: lambda tree, put: _counted(b"s", tree.encode(), put),
    bytes: lambda tree, put: _counted(b"b", tree, put),
    np.ndarray: _array,
    list: _many,
    tuple: _many,
    dict: _named,
}


def from_canonical(data: bytes) -> Tree:
    """Read the bytes of a tree. Arrays are read-only views of `data`.

    Safe on bytes from anywhere: every count is held against the bytes that are left before anything is made of it, and
    depth and number of values are bounded.

    Raises
    ------
    SnapshotRejected
        `malformed`: not the canonical bytes of a tree; `too_large`: more values than a state can have.
    """
    reader = _Reader(data)
    try:
        tree = reader.value(DEPTH)
    except (struct.error, IndexError) as exc:
        raise _malformed("the bytes end within a value") from exc
    except UnicodeDecodeError as exc:
        raise _malformed("a string is not UTF-8") from exc
    if reader.at != len(data):
        raise _malformed(f"{len(data) - reader.at} bytes follow the tree")
    return tree


def _malformed(sentence: str) -> SnapshotRejected:
    return SnapshotRejected("malformed", sentence)


class _Reader:
    """A place in the bytes. Ten thousand states are read at a start: calls are spared here."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.left = MOST_VALUES

    def counted(self) -> bytes:
        """Give the bytes of a count."""
        start = self.at + 4
        end = start + _COUNT.unpack_from(self.data, self.at)[0]
        if end > len(self.data):
            raise _malformed(f"{end - start} bytes are stated, {len(self.data) - start} are left")
        self.at = end
        return self.data[start:end]

    def items(self) -> range:
        """Give the count of a list or dict, whose items take a byte each at least."""
        (count,) = _COUNT.unpack_from(self.data, self.at)
        self.at += 4
        if count > len(self.data) - self.at:
            raise _malformed(f"{count} items in {len(self.data) - self.at} bytes")
        self.left -= count
        if self.left < 0:
            raise SnapshotRejected("too_large", f"more than {MOST_VALUES} values")
        return range(count)

    def value(self, depth: int) -> Tree:
        """Give the next value."""
        read = _READ.get(self.data[self.at])
        if read is None:
            raise _malformed(f"no value starts with byte {self.data[self.at]}")
        self.at += 1
        return read(self, depth)

    def int64(self, _depth: int) -> int:
        """Give a whole number of 64 bits."""
        (value,) = _INT.unpack_from(self.data, self.at)
        self.at += 8
        return int(value)

    def float64(self, _depth: int) -> float:
        """Give a float."""
        (value,) = _FLOAT.unpack_from(self.data, self.at)
        self.at += 8
        return float(value)

    def whole(self, _depth: int) -> int:
        """Give a number beyond 64 bits."""
        data = self.counted()
        value = int.from_bytes(data, "little", signed=True)
        if len(data) > LONGEST_INT or value in _INT64 or len(data) != value.bit_length() // 8 + 1:
            raise _malformed("a whole number is not in its shortest form")
        return value

    def array(self, _depth: int) -> npt.NDArray[Any]:
        """Give an array."""
        number, rank = self.data[self.at], self.data[self.at + 1]
        if number >= len(TYPES) or rank > RANK:
            raise _malformed(f"no array has type {number} and {rank} dimensions")
        shape = _SHAPES[rank].unpack_from(self.data, self.at + 2)
        count = math.prod(shape)
        start, dtype = self.at + 2 + 4 * rank, TYPES[number]
        end = start + count * dtype.itemsize
        if end > len(self.data):
            raise _malformed(f"{end - start} bytes of an array are stated, {len(self.data) - start} are left")
        self.at = end
        return np.ndarray(shape, dtype, self.data, start)

    def many(self, depth: int) -> list[Tree]:
        """Give a list."""
        if depth == 0:
            raise _malformed(f"deeper than {DEPTH}")
        return [self.value(depth - 1) for _ in self.items()]

    def named(self, depth: int) -> dict[str, Tree]:
        """Give a dict."""
        if depth == 0:
            raise _malformed(f"deeper than {DEPTH}")
        found: dict[str, Tree] = {}
        data, size, deeper = self.data, len(self.data), depth - 1
        last = None
        for _ in self.items():
            start = self.at + 4  # `counted` and `value`, once more: this is most of what there is to read
            end = start + _COUNT.unpack_from(data, self.at)[0]
            if end > size:
                raise _malformed(f"{end - start} bytes are stated, {size - start} are left")
            name = data[start:end].decode()
            if last is not None and name <= last:
                raise _malformed("the names of a dict are not in order")
            read = _READ.get(data[end])
            if read is None:
                raise _malformed(f"no value starts with byte {data[end]}")
            self.at = end + 1
            found[name] = read(self, deeper)
            last = name
        return found


_READ: dict[int, Callable[[_Reader, int], Tree]] = {
    ord("N"): lambda _reader, _depth: None,
    ord("T"): lambda _reader, _depth: True,
    ord("F"): lambda _reader, _depth: False,
    ord("i"): _Reader.int64,
    ord("I"): _Reader.whole,
    ord("f"): _Reader.float64,
    ord("s"): lambda reader, _depth: reader.counted().decode(),
    ord("b"): lambda reader, _depth: reader.counted(),
    ord("a"): _Reader.array,
    ord("l"): _Reader.many,
    ord("d"): _Reader.named,
}
