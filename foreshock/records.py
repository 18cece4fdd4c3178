"""Frozen records to trees of plain values and back, by their declared fields.

A record is a frozen dataclass, a named tuple or a closed set of words; its fields are records, tuples of records, or
plain values. Nothing has to be listed: a field that is added to a record is written from then on, and where an older
tree lacks it, it has its default. One that is marked as later (`foreshock/machines.py`) is left out of a tree where it
has its default: trees of what does not use it stay what they were, byte for byte.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

Record = TypeVar("Record")
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


def to_tree(value: Any) -> Any:
    """Tree of a record: dicts by field name, lists for tuples, texts for words.

    Raises
    ------
    TypeError
        It holds something that is neither a record nor a plain value.
    """
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple or kind is list:
        return [to_tree(each) for each in value]
    if isinstance(value, StrEnum):
        return value.value
    tree = {name: to_tree(getattr(value, name)) for name in _names(kind)}
    for name, default in _later(kind):
        if tree[name] == default:
            del tree[name]
    return tree


@cache
def _names(kind: Any) -> tuple[str, ...]:
    if is_dataclass(kind):
        return tuple(f.name for f in fields(kind))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return tuple(kind._fields)
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} is not a record")


@cache
def _later(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Fields that may be left out, with the trees of their defaults."""
    return (
        tuple((f.name, to_tree(f.default)) for f in fields(kind) if "later" in f.metadata) if is_dataclass(kind) else ()
    )


def from_tree(kind: type[Record], tree: Any) -> Record:
    """Build a record from its tree.

    Raises
    ------
    ValueError
        The tree does not fit the declared fields.
    """
    declared: Any = kind
    return typing.cast("Record", _reader(declared)(tree))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What reads a value of a declared type."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return _optional(_reader(next(each for each in inside if each is not type(None))))
    if origin is tuple:
        return _many(_reader(inside[0])) if inside[-1] is ... else _row(tuple(map(_reader, inside)))
    if kind is float:
        return _plain(float, int)
    if kind in _PLAIN:
        return _plain(kind)
    if issubclass(kind, StrEnum):
        return lambda tree: kind(_text(tree))
    return _record(kind)


def _plain(*kinds: type) -> Callable[[Any], Any]:
    """Read a plain value: of a restored asset there are a hundred, of ten thousand assets a million."""

    def read(tree: Any) -> Any:
        if type(tree) not in kinds:
            raise ValueError(f"{type(tree).__name__} where {kinds[0].__name__} belongs")
        return tree

    return read


_text = _plain(str)
_list = _plain(list, tuple)


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda tree: None if tree is None else read(tree)


def _many(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda tree: tuple(map(read, _list(tree)))


def _row(reads: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def read(tree: Any) -> Any:
        if len(_list(tree)) != len(reads):
            raise ValueError(f"{len(tree)} values where {len(reads)} belong")
        return tuple(each(value) for each, value in zip(reads, tree, strict=True))

    return read


def _record(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _names(kind)}
    names, needed = readers.keys(), frozenset(readers) - _defaults(kind)

    def read(tree: Any) -> Any:
        if type(tree) is dict and tree.keys() == names:
            return kind(**{name: readers[name](each) for name, each in tree.items()})
        if not isinstance(tree, Mapping) or not needed <= tree.keys() <= names:
            raise ValueError(f"not a {kind.__name__}: {sorted(tree) if isinstance(tree, Mapping) else type(tree)}")
        return kind(**{name: readers[name](each) for name, each in tree.items()})

    return read


def _defaults(kind: Any) -> frozenset[str]:
    if is_dataclass(kind):
        return frozenset(f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING)
    return frozenset(kind._field_defaults)
