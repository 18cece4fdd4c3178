"""A value of JSON as the type that the schema wants; everything else is refused with the place and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from foreshock.contract import Reason
from foreshock.streams.codec.avro.schema import Schema
from foreshock.streams.codec.checks import reject

_BITS = {"int": 32, "long": 64}


def convert(schema: Schema, value: Any, path: str) -> Any:
    """Give a JSON value as the Avro reader would give it.

    Raises
    ------
    InputRejected
        It is of another type; `path` names the field.
    """
    if isinstance(schema, list):
        return None if value is None else convert(schema[1], value, path)
    kind = schema["type"] if isinstance(schema, Mapping) else schema
    if kind == "record":
        return _record(schema, value, path)
    if kind == "array":
        _expect(isinstance(value, list), "an array", value, path)
        return [convert(schema["items"], each, f"{path}[{number}]") for number, each in enumerate(value)]
    return _plain(kind, value, path)


def _plain(kind: str, value: Any, path: str) -> Any:
    if kind in _BITS:
        return _whole(value, _BITS[kind], path)
    if kind == "double":
        _expect(isinstance(value, int | float) and not isinstance(value, bool), "a number", value, path)
        return float(value)
    if kind == "boolean":
        _expect(isinstance(value, bool), "true or false", value, path)
    else:
        _expect(isinstance(value, str), "a text", value, path)
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            reject(Reason.MALFORMED, path, f"{path} holds half a character", "send text in UTF-8")
    return value


def _whole(value: Any, bits: int, path: str) -> int:
    """Take a whole number; digits in quotes too, because a JavaScript number ends at 53 bits."""
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 21:
        value = int(value)
    _expect(isinstance(value, int) and not isinstance(value, bool), "a whole number", value, path)
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        reject(Reason.MALFORMED, path, f"{value} does not fit in {bits} bits", "send a smaller number")
    return int(value)


def _record(schema: Mapping[str, Any], value: Any, path: str) -> dict[str, Any]:
    _expect(isinstance(value, dict), "an object", value, path)
    known = {field["name"]: field for field in schema["fields"]}
    for name in value:
        if name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.5)
            fix = f"did you mean {close[0]}?" if close else f"leave it out; known: {', '.join(known)}"
            reject(Reason.MALFORMED, f"{path}.{name}", f"a {schema['name']} has no field {name!r}", fix)
    found = {}
    for name, field in known.items():
        if name in value:
            found[name] = convert(field["type"], value[name], f"{path}.{name}")
        elif "default" in field:
            found[name] = field["default"]
        else:
            reject(Reason.MALFORMED, f"{path}.{name}", f"the field {name} is missing", f"send it: {field['doc']}")
    return found


def _expect(holds: bool, wanted: str, value: Any, path: str) -> None:
    if not holds:
        names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
        found = names.get(type(value), "a number")
        reject(Reason.MALFORMED, path, f"{path} is {found}, must be {wanted}", f"send {wanted}")
