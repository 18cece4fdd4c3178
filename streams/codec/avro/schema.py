"""Avro schemas: parsed, named and fingerprinted by fastavro; what we refuse to decode with is refused here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastavro import schema as fastavro_schema
from fastavro.schema import fullname

Schema = Any  # a schema as JSON: a name, a list (union), or an object

__all__ = ["PRIMITIVES", "Schema", "SchemaError", "canonical", "fingerprint", "fullname", "parse"]

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_SMALLEST = {"null": 0, "float": 4, "double": 8}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_MAX_DEPTH = 16
_MAX_NODES = 2000
# What fastavro raises on JSON that is no schema
_NO_SCHEMA = (
    fastavro_schema.SchemaParseException, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip


class SchemaError(ValueError):
    """A schema cannot be used."""


def canonical(schema: Schema) -> str:
    """Give the parsing canonical form: two schemas that read the same bytes the same way have the same."""
    return fastavro_schema.to_parsing_canonical_form(schema)


def fingerprint(schema: Schema) -> bytes:
    """Give the CRC-64-AVRO (Rabin) fingerprint of the canonical form, 8 bytes, little endian as framing has it.

    Raises
    ------
    SchemaError
        Not an Avro schema.
    """
    try:
        return bytes.fromhex(fastavro_schema.fingerprint(canonical(schema), "CRC-64-AVRO"))
    except _NO_SCHEMA as exc:
        raise _not_avro(exc) from exc


def parse(schema: Schema) -> Schema:
    """Parse a schema: names are full, every reference is replaced by what it refers to.

    Raises
    ------
    SchemaError
        Not an Avro schema, or one that is not safe to decode with: a type that contains itself; an array or map whose
        items may take no bytes, so that nothing bounds their number; too deep or too large.
    """
    try:
        parsed = fastavro_schema.expand_schema(schema)
        _Walk().smallest(parsed, 0)
    except SchemaError:
        raise
    except _NO_SCHEMA as exc:
        raise _not_avro(exc) from exc
    return parsed


def smallest(kind: str) -> int:
    """Give the fewest bytes that a value of a primitive type takes."""
    return _SMALLEST.get(kind, 1)


def _not_avro(exc: Exception) -> SchemaError:
    if isinstance(exc, fastavro_schema.UnknownType) and isinstance(exc.name, str):
        return SchemaError(f"the type {exc.name[:80]} is not defined")
    return SchemaError(f"not an Avro schema: {exc!r}"[:300])


class _Walk:
    """Goes through a parsed schema once, whatever is in it."""

    def __init__(self) -> None:
        self._nodes = 0

    def smallest(self, schema: Schema, depth: int) -> int:
        """Give the fewest bytes that a value takes."""
        self._nodes += 1
        if self._nodes > _MAX_NODES or depth > _MAX_DEPTH:
            raise SchemaError("the schema is too deep or too large")
        depth += 1
        if isinstance(schema, list):
            return 1 + min(self.smallest(each, depth) for each in schema)
        kind = schema["type"] if isinstance(schema, Mapping) else schema
        if kind in PRIMITIVES:
            return smallest(kind)
        if not isinstance(schema, Mapping):  # all other references were replaced
            raise SchemaError(f"the type {kind} contains itself")
        if kind in {"array", "map"}:
            if self.smallest(schema["items" if kind == "array" else "values"], depth) == 0:
                raise SchemaError(f"{kind} of items without bytes")
            return 1
        return self._named(schema, kind, depth)

    def _named(self, schema: Mapping[str, Any], kind: str, depth: int) -> int:
        _check_name(schema["name"])
        if kind == "record":
            for field in schema["fields"]:
                _check_name(field["name"])
            return sum(self.smallest(field["type"], depth) for field in schema["fields"])
        if kind == "fixed":
            if not isinstance(schema["size"], int) or schema["size"] < 0:
                raise SchemaError(f"{schema['name']} has a size of {schema['size']!r}")
            return schema["size"]
        if kind != "enum":
            raise SchemaError(f"unknown type {kind!r}")
        return 1


def _check_name(name: str) -> None:
    """Refuse what is no name: a quote in it would forge another canonical form."""
    if not _NAME.fullmatch(name):
        raise SchemaError(f"{name[:80]!r} is no name")
