"""Schema resolution: what a reader makes of what a writer wrote, by the rules of the Avro specification.

The result is a tree of `Node`s in the order of the writer's bytes. The reader makes its functions from it, and the
compatibility check of `foreshock schema check` is the same walk: what cannot be resolved cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from foreshock.streams.codec.avro.schema import PRIMITIVES, Schema, parse, smallest

_WIDER: Mapping[tuple[str, str], Callable[[Any], Any] | None] = {
    ("int", "long"): None,
    ("int", "float"): float,
    ("int", "double"): float,
    ("long", "float"): float,
    ("long", "double"): float,
    ("float", "double"): None,
    ("string", "bytes"): str.encode,
    ("bytes", "string"): bytes.decode,
}


class UnresolvedError(ValueError):
    """A reader cannot read what a writer writes; `path` names the place."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}" if path else sentence)
        self.path = path
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of the writer's schema, with what the reader wants of it."""

    kind: str
    convert: Callable[[Any], Any] | None = None
    fields: tuple[tuple[str, Node, bool], ...] = ()  # record: name, node, does the reader want it
    defaults: tuple[tuple[str, Any], ...] = ()  # record: what the writer does not have
    branches: tuple[Node, ...] = ()  # union: all; array and map: the items
    symbols: tuple[str, ...] = ()  # enum: as the reader reads them
    size: int = 0  # fixed
    least: int = 1  # array and map: fewest bytes of an item


def resolve(writer: Schema, reader: Schema) -> Node:
    """Resolve a writer's schema against a reader's.

    Raises
    ------
    UnresolvedError
        The reader cannot read what the writer writes.
    SchemaError
        One of them is no schema that we use.
    """
    return _node(parse(writer), parse(reader), "")


def _node(writer: Schema, reader: Schema | None, path: str) -> Node:
    """Resolve one node; a reader of None wants nothing of it, the node only says how to step over it."""
    writer, reader = _plain(writer), _plain(reader)
    if isinstance(writer, list):
        return Node(kind="union", branches=tuple(_node(each, reader, path) for each in writer))
    if isinstance(reader, list):
        return _one_of(writer, reader, path)
    kind = _kind(writer)
    if reader is None:
        return _inside(kind, writer, None, path)
    wanted = _kind(reader)
    if kind == wanted:
        return _inside(kind, writer, reader, path)
    if (kind, wanted) in _WIDER:
        return Node(kind=kind, convert=_WIDER[kind, wanted])
    raise UnresolvedError(path, f"is {kind}, must be {wanted}")


def _one_of(writer: Schema, reader: list[Schema], path: str) -> Node:
    """Take the branch of the reader's union that is the same, else the first that fits."""
    same = [each for each in reader if _kind_of(each) == _kind(writer)]
    for each in [*same, *reader]:
        try:
            return _node(writer, each, path)
        except UnresolvedError as exc:
            problem = exc
    raise UnresolvedError(path, f"is {_kind(writer)}, must be one of {', '.join(map(_kind_of, reader))}") from problem


def _inside(kind: str, writer: Schema, reader: Schema | None, path: str) -> Node:
    if kind in PRIMITIVES:
        return Node(kind=kind)
    if reader is not None and kind in {"record", "enum", "fixed"} and _short(writer) != _short(reader):
        raise UnresolvedError(path, f"is the type {_short(writer)}, must be {_short(reader)}")
    if kind == "record":
        return _record(writer, reader, path)
    if kind == "enum":
        return _enum(writer, reader, path)
    if kind == "fixed":
        if reader is not None and reader["size"] != writer["size"]:
            raise UnresolvedError(path, f"has {writer['size']} bytes, must have {reader['size']}")
        return Node(kind=kind, size=int(writer["size"]))
    key = "items" if kind == "array" else "values"
    inner = _node(writer[key], None if reader is None else reader[key], f"{path}[]")
    return Node(kind=kind, branches=(inner,), least=_least(inner))


def _record(writer: Schema, reader: Schema | None, path: str) -> Node:
    known = {} if reader is None else {each["name"]: each for each in reader["fields"]}
    fields = []
    for each in writer["fields"]:
        name = each["name"]
        target = known.get(name)
        inner = _node(each["type"], target and target["type"], f"{path}.{name}".lstrip("."))
        fields.append((name, inner, target is not None))
    written = {each["name"] for each in writer["fields"]}
    missing = [each for each in known.values() if each["name"] not in written]
    for each in missing:
        if "default" not in each:
            raise UnresolvedError(f"{path}.{each['name']}".lstrip("."), "is missing and has no default")
    return Node(
        kind="record", fields=tuple(fields), defaults=tuple((each["name"], each["default"]) for each in missing)
    )


def _enum(writer: Schema, reader: Schema | None, path: str) -> Node:
    symbols = tuple(writer["symbols"])
    if reader is None:
        return Node(kind="enum", symbols=symbols)
    known = set(reader["symbols"])
    default = reader.get("default")
    unknown = [each for each in symbols if each not in known]
    if unknown and default is None:
        raise UnresolvedError(path, f"has the symbols {', '.join(unknown)}, and the reader no default")
    return Node(kind="enum", symbols=tuple(each if each in known else str(default) for each in symbols))


def _least(node: Node) -> int:
    """Give the fewest bytes of a value of a node."""
    if node.kind == "record":
        return sum(_least(inner) for _, inner, _ in node.fields)
    if node.kind == "union":
        return 1 + min(_least(each) for each in node.branches)
    if node.kind == "fixed":
        return node.size
    return smallest(node.kind) if node.kind in PRIMITIVES else 1


def _plain(schema: Schema | None) -> Schema | None:
    """Unwrap ``{"type": "string", ...}`` and logical types to what they are on the wire."""
    if isinstance(schema, Mapping) and schema["type"] in PRIMITIVES:
        return schema["type"]
    return schema


def _kind(schema: Schema) -> str:
    return str(schema["type"] if isinstance(schema, Mapping) else "union" if isinstance(schema, list) else schema)


def _kind_of(schema: Schema) -> str:
    return _kind(_plain(schema))


def _short(schema: Mapping[str, Any]) -> str:
    """Give the name without its namespace, by which types are matched."""
    return str(schema["name"]).rpartition(".")[2]
