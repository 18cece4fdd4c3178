"""Any value of any of our topics, decoded to plain fields: for people who look, not for the hot path."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec import json_in, schemas
from foreshock.streams.codec.avro.reader import Read, make
from foreshock.streams.codec.avro.schema import Schema, SchemaError
from foreshock.streams.codec.framing import CONFLUENT_HEAD, SINGLE_OBJECT_HEAD, Framing, framing_of
from foreshock.streams.codec.registry import Registry


def decode_output(value: bytes, registry: Registry | None = None) -> dict[str, Any]:
    """Decode a value without judging what it means.

    Returns
    -------
    dict
        ``framing``, ``schema`` (record name, "" for JSON that does not say), ``fingerprint`` (hexadecimal, "" for JSON)
        and ``record`` (fields as dicts, lists, numbers, texts, bytes; arrays of floats as numpy arrays).

    Raises
    ------
    InputRejected
        It cannot be decoded.
    """
    framing = framing_of(value)
    if framing is Framing.JSON:
        record = json_in.parse(value)
        return {"framing": str(framing), "schema": str(record.get("type", "")), "fingerprint": "", "record": record}
    if framing is Framing.SINGLE_OBJECT:
        key, head = value[2:SINGLE_OBJECT_HEAD], SINGLE_OBJECT_HEAD
        version = schemas.by_fingerprint().get(key)
        if version is None:
            raise InputRejected(Reason.UNKNOWN_SCHEMA, f"no version of the contract has the fingerprint {key.hex()}")
        schema, shown = version.schema, version.hex
    else:
        number, head = int.from_bytes(value[1:CONFLUENT_HEAD], "big"), CONFLUENT_HEAD
        if registry is None:
            raise InputRejected(Reason.UNKNOWN_SCHEMA, f"schema id {number}: no registry is configured")
        schema, shown = registry.schema(number), f"id {number}"
    record, at = _read(schema, value, head)
    if at != len(value):
        raise InputRejected(Reason.TRAILING_BYTES, f"{len(value) - at} bytes are left behind the record")
    return {"framing": str(framing), "schema": schema["name"], "fingerprint": shown, "record": record}


@lru_cache(maxsize=64)
def _reader(schema: str) -> Read:
    parsed = json.loads(schema)
    return make(parsed, parsed)


def _read(schema: Schema, value: bytes, head: int) -> tuple[dict[str, Any], int]:
    try:
        record, at = _reader(json.dumps(schema))(value, head)
    except (SchemaError, KeyError, TypeError) as exc:
        raise InputRejected(Reason.UNKNOWN_SCHEMA, f"the writer's schema is not taken: {exc}") from exc
    if not isinstance(record, dict):
        raise InputRejected(Reason.UNKNOWN_SCHEMA, "the writer's schema is no record")
    return record, at
