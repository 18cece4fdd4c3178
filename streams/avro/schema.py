"""Avro schemas: parsing canonical form, fingerprint, named types, and what we refuse to decode with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Any  # a schema as JSON: a name, a list (union), or an object

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
# Canonical order of the attributes that count; documentation, defaults and aliases do not.
_ORDER = ("name", "type", "fields", "symbols", "items", "values", "size")
_SMALLEST = {"null": 0, "float": 4, "double": 8}
_EMPTY = 0xC15D213AA4D7A795
_MAX_DEPTH = 16
_MAX_NODES = 2000


class SchemaError(ValueError):
    """A schema cannot be used."""


def canonical(schema: Schema) -> str:
    """Give the parsing canonical form: two schemas that read the same bytes the same way have the same."""
    return json.dumps(_canonical(schema, ""), separators=(",", ":"), ensure_ascii=False)


def fingerprint(schema: Schema) -> bytes:
    """Give the CRC-64-AVRO (Rabin) fingerprint of the canonical form, 8 bytes, little endian as framing has it."""
    crc = _EMPTY
    for byte in canonical(schema).encode():
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(8, "little")


def fullname(schema: Mapping[str, Any], namespace: str) -> str:
    """Give the name of a named type with its namespace."""
    name = str(schema["name"])
    if "." in name:
        return name
    space = schema.get("namespace", namespace)
    return f"{space}.{name}" if space else name


class Names:
    """Looks up named types while a schema is walked, and refuses what is not safe to decode with.

    Raises
    ------
    SchemaError
        On a recursive type, an unknown name, too deep or too large a schema.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Mapping[str, Any], str]] = {}
        self._open: list[str] = []
        self._nodes = 0

    def enter(self, schema: Schema, namespace: str) -> tuple[Schema, str]:
        """Give the definition behind a node and the namespace inside it; every `enter` needs a `leave`."""
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(self._open) >= _MAX_DEPTH:
            raise SchemaError("the schema is too deep or too large")
        if isinstance(schema, str) and schema not in PRIMITIVES:
            name = schema if "." in schema or not namespace else f"{namespace}.{schema}"
            if name in self._open:
                raise SchemaError(f"the type {name} contains itself")
            if name not in self._known:
                raise SchemaError(f"the type {name} is not defined")
            schema, namespace = self._known[name]
        name = ""
        if isinstance(schema, Mapping) and schema.get("type") in {"record", "enum", "fixed"}:
            name = fullname(schema, namespace)
            self._known.setdefault(name, (schema, namespace))
            namespace = name.rpartition(".")[0]
        self._open.append(name)
        return schema, namespace

    def leave(self) -> None:
        """Step out of the last node."""
        self._open.pop()


def smallest(schema: Schema, namespace: str = "", names: Names | None = None) -> int:
    """Give the fewest bytes that a value of the schema takes; also walks it whole, so a bad schema is found.

    Raises
    ------
    SchemaError
        As `Names`, and for an array or map whose items may take no bytes: its length would be bounded by nothing.
    """
    names = names or Names()
    schema, inside = names.enter(schema, namespace)
    try:
        return _smallest(schema, inside, names)
    except (KeyError, TypeError, AttributeError) as exc:
        raise SchemaError(f"not an Avro schema: {exc!r}") from exc
    finally:
        names.leave()


def _smallest(schema: Schema, namespace: str, names: Names) -> int:
    if isinstance(schema, list):
        return 1 + min(smallest(each, namespace, names) for each in schema)
    kind = schema["type"] if isinstance(schema, Mapping) else schema
    if kind == "record":
        return sum(smallest(field["type"], namespace, names) for field in schema["fields"])
    if kind in {"array", "map"}:
        if smallest(schema["items" if kind == "array" else "values"], namespace, names) == 0:
            raise SchemaError(f"{kind} of items without bytes")
        return 1
    if isinstance(kind, Mapping | list):
        return smallest(kind, namespace, names)
    if kind not in PRIMITIVES | {"fixed", "enum"}:
        raise SchemaError(f"unknown type {kind!r}")
    return int(schema["size"]) if kind == "fixed" else _SMALLEST.get(kind, 1)


def named_types(schema: Schema, namespace: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give (full name, definition) of every named type that is defined inside, outermost first."""
    if isinstance(schema, list):
        for each in schema:
            yield from named_types(each, namespace)
    elif isinstance(schema, Mapping):
        kind = schema["type"]
        if kind in {"record", "enum", "fixed"}:
            name = fullname(schema, namespace)
            yield name, schema
            namespace = name.rpartition(".")[0]
        for field in schema.get("fields", ()):
            yield from named_types(field["type"], namespace)
        for key in ("items", "values"):
            if key in schema:
                yield from named_types(schema[key], namespace)
        if isinstance(kind, Mapping | list):
            yield from named_types(kind, namespace)


def _canonical(schema: Schema, namespace: str) -> Any:
    if isinstance(schema, list):
        return [_canonical(each, namespace) for each in schema]
    if isinstance(schema, str):
        known = schema in PRIMITIVES or "." in schema or not namespace
        return schema if known else f"{namespace}.{schema}"
    kind = schema["type"]
    if kind in PRIMITIVES:
        return kind
    if isinstance(kind, Mapping | list):
        return _canonical(kind, namespace)
    return _canonical_complex(schema, namespace)


def _canonical_complex(schema: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": schema["type"]}
    if "name" in schema:
        found["name"] = fullname(schema, namespace)
        namespace = found["name"].rpartition(".")[0]
    if "fields" in schema:
        found["fields"] = [
            {"name": field["name"], "type": _canonical(field["type"], namespace)} for field in schema["fields"]
        ]
    for key in ("symbols", "size"):
        if key in schema:
            found[key] = schema[key]
    for key in ("items", "values"):
        if key in schema:
            found[key] = _canonical(schema[key], namespace)
    return {key: found[key] for key in _ORDER if key in found}


def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc >> 1) ^ (_EMPTY if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_TABLE = _table()
