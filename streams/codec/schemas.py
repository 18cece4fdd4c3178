"""The schemas of the contract: the present ones and every version before them.

Writer schemas come from here (by fingerprint) or from the registry (by id, and then only records of these names), never
from a message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from foreshock.streams.codec.avro.schema import Schema, fingerprint

INPUTS = ("SensorBlock", "TelemetryFrame", "Asset", "Command", "WorkOrder")
NAMES = (
    *INPUTS,
    *("Score", "Anomaly", "DataQuality", "DeadLetter", "AlertTransition", "AlarmRecord", "Case", "CasePart"),
    *("FeatureVector", "Diagnosis"),
)
NAMESPACE = "io.foreshock.v1"


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """One version of one record of the contract.

    Attributes
    ----------
    name
        Record name without its namespace.
    schema
        As JSON.
    fingerprint
        CRC-64-AVRO, 8 bytes, little endian.
    file
        Where it stands, below avro_schemas/.
    """

    name: str
    schema: Schema
    fingerprint: bytes
    file: str

    @property
    def hex(self) -> str:
        """The fingerprint in the order of its bytes on the wire, as a hex dump of a message shows it."""
        return self.fingerprint.hex()


@cache
def current() -> Mapping[str, Version]:
    """Give the present version of each record, by name."""
    folder = files("foreshock.avro_schemas")
    return MappingProxyType({name: _load(name, folder / f"{name}.avsc", f"{name}.avsc") for name in NAMES})


@cache
def history() -> tuple[Version, ...]:
    """Give all versions before the present ones: avro_schemas/history/<Name>/<number>.avsc, oldest first."""
    folder = files("foreshock.avro_schemas") / "history"
    found = []
    for name in NAMES:
        below = folder / name
        entries = sorted(below.iterdir(), key=lambda each: each.name) if below.is_dir() else []
        found += [_load(name, each, f"history/{name}/{each.name}") for each in entries if each.name.endswith(".avsc")]
    return tuple(found)


@cache
def by_fingerprint() -> Mapping[bytes, Version]:
    """Give every version that may be decoded, by its fingerprint: the allow-list."""
    return MappingProxyType({each.fingerprint: each for each in (*history(), *current().values())})


def defaults(name: str) -> dict[str, Any]:
    """Give the defaults of the fields of a record."""
    fields = current()[name].schema["fields"]
    return {field["name"]: field["default"] for field in fields if "default" in field}


def _load(name: str, file: Traversable, place: str) -> Version:
    schema = json.loads(file.read_text(encoding="utf-8"))
    return Version(name, schema, fingerprint(schema), place)
