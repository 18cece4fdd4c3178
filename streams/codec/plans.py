"""What is to be done with the bytes of a writer schema: made once per schema, then looked up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro import reader
from foreshock.streams.codec.avro.schema import Schema, SchemaError, fingerprint
from foreshock.streams.codec.block_tail import usable as usual
from foreshock.streams.codec.inputs import HEADER_FIELDS

_MOST_SCHEMAS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How values of one writer schema are read.

    Attributes
    ----------
    name
        Record of the contract.
    fingerprint
        Of the writer schema, hexadecimal.
    head, tail
        Fields that stay the same from record to record, and the others, in the order of the bytes.
    head_defaults, tail_defaults
        Of fields that the writer does not have.
    """

    name: str
    fingerprint: str
    head: list[tuple[str, reader.Read, bool]]
    tail: list[tuple[str, reader.Read, bool]]
    head_defaults: dict[str, Any]
    tail_defaults: dict[str, Any]
    start: int  # bytes of the framing
    usual: bool  # `block_tail.read` knows its tail


def plan(schema: Schema, start: int) -> Plan:
    """Make the plan of a writer schema whose name is one of the contract's.

    Raises
    ------
    InputRejected
        Another name, a schema that is not safe, or one that the present schema cannot read; names the field.
    """
    try:
        name = _record_name(schema)
        target = schemas.current()[name].schema
        fields, defaults = reader.fields_of(schema, target)
        print_of = fingerprint(schema).hex()
    except reader.UnresolvedError as exc:
        sentence = f"the writer's {name} cannot be read: {exc}"
        fix = f"write with a schema that ours can read; `foreshock schema print {name}` prints it"
        raise InputRejected(Reason.UNKNOWN_SCHEMA, sentence, field=exc.path, fix=fix) from exc
    except (SchemaError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        fix = "use a schema of `foreshock schema print`"
        raise InputRejected(Reason.UNKNOWN_SCHEMA, f"the writer's schema is not taken: {exc}", fix=fix) from exc
    constant = HEADER_FIELDS.get(name, frozenset())
    split = next((at for at, (field, _, _) in enumerate(fields) if field not in constant), len(fields))
    if constant - {field for field, _, _ in fields[:split]} - defaults.keys():
        split = 0  # an order in which the fields that stay the same do not come first: read it field by field each time
    head_defaults = {field: value for field, value in defaults.items() if field in constant}
    tail_defaults = {field: value for field, value in defaults.items() if field not in constant}
    return Plan(name, print_of, fields[:split], fields[split:], head_defaults, tail_defaults, start, usual(print_of))


def _record_name(schema: Schema) -> str:
    name = str(schema["name"]).rpartition(".")[2]
    if schema["type"] != "record" or name not in schemas.NAMES:
        raise SchemaError(f"the type {name} is not part of the contract ({', '.join(schemas.NAMES)})")
    return name


class Plans:
    """Looks plans up by fingerprint: only versions of our own folder are decoded."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._plans: dict[bytes, Plan] = {}

    def get(self, key: bytes) -> Plan:
        """Give the plan for a fingerprint.

        Raises
        ------
        InputRejected
            No version of the contract has it.
        """
        found = self._plans.get(key)
        if found is None:
            version = schemas.by_fingerprint().get(key)
            if version is None:
                raise _unknown(key)
            found = self._plans[key] = plan(version.schema, self._start)
        return found


def _unknown(key: bytes) -> InputRejected:
    """Say what is wrong with a schema that is not ours; two mistakes are made so often that they are known by fingerprint."""
    mistake = _mistakes().get(key)
    if mistake is not None:
        sentence = f"the writer's schema has samples as array<{mistake}>, it must be bytes"
        fix = "put the samples into one `bytes` field, little endian, and state the encoding (f32le)"
        return InputRejected(Reason.UNKNOWN_SCHEMA, sentence, field="samples", fix=fix)
    known = ", ".join(f"{each.name} {each.hex}" for each in schemas.current().values() if each.name in schemas.INPUTS)
    return InputRejected(
        Reason.UNKNOWN_SCHEMA,
        f"no version of the contract has the fingerprint {key.hex()}",
        fix=f"write with a schema of `foreshock schema print` and its fingerprint: {known}",
    )


@cache  # a millisecond to find out: a flood of foreign records must not pay it each time
def _mistakes() -> dict[bytes, str]:
    """Give the fingerprints of our SensorBlock with its samples as an array of numbers."""
    found = {}
    ours = schemas.current()["SensorBlock"].schema
    for items in ("double", "float", "int", "long"):
        changed = [
            {**field, "type": {"type": "array", "items": items}} if field["name"] == "samples" else field
            for field in ours["fields"]
        ]
        found[fingerprint({**ours, "fields": changed})] = items
    return found
