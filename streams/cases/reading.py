"""Cases as their readers take them: held against the sha256 that the anomaly names, then decoded for a replay.

Nothing here trusts a byte: a case may come in a file from anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast

import numpy as np

from foreshock.cases import Case, CasePart, PartKind
from foreshock.contract import Anomaly, Block, Origin, Score
from foreshock.core.state import AssetState
from foreshock.detectors.reference import Reference
from foreshock.errors import CaseRejected, ConfigurationError, InputRejected, SnapshotRejected
from foreshock.fleet import FleetSpec
from foreshock.records import from_tree
from foreshock.replay import Recorded
from foreshock.streams.cases.bytes import digest
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.reader import make
from foreshock.streams.codec.avro.schema import Schema
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.codec.registry import Registry
from foreshock.streams.wire import Decoder

Record = TypeVar("Record", Anomaly, Score)


def anomaly_of(record: Mapping[str, Any]) -> Anomaly:
    """Give the event that was decoded to plain fields.

    Raises
    ------
    CaseRejected
        It is none.
    """
    return _record(Anomaly, record)


def score_of(record: Mapping[str, Any]) -> Score:
    """Give the score that was decoded to plain fields.

    Raises
    ------
    CaseRejected
        It is none.
    """
    return _record(Score, record)


def case_of(body: bytes, fingerprint: bytes | None = None) -> Case:
    """Read the Avro body of a case, of any version that we know; None: of the present one.

    Raises
    ------
    CaseRejected
        It is damaged.
    """
    version = schemas.by_fingerprint().get(fingerprint) if fingerprint else schemas.current()["Case"]
    if version is None or version.name != "Case":
        raise CaseRejected(f"no version of Case has the fingerprint {(fingerprint or b'').hex()}")
    try:
        found, end = make(version.schema, schemas.current()["Case"].schema)(body, 0)
        if end != len(body):
            raise CaseRejected(f"{len(body) - end} bytes are left behind the case")
        return Case(**{**found, "origin": from_tree(Origin, found["origin"]), "headers": pairs(found["headers"])})
    except (InputRejected, ValueError, TypeError, KeyError) as exc:
        raise CaseRejected(f"the case is damaged: {exc}") from exc


def part_of(record: Mapping[str, Any]) -> CasePart:
    """Give a part that was decoded to plain fields.

    Raises
    ------
    CaseRejected
        It is none.
    """
    try:
        origin = None if record["origin"] is None else from_tree(Origin, record["origin"])
        own = {"origin": origin, "headers": pairs(record["headers"]), "kind": PartKind(record["kind"])}
        return CasePart(**{**record, **own})
    except (ValueError, TypeError, KeyError) as exc:
        raise CaseRejected(f"not a part of a case: {exc}") from exc


def pairs(headers: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, bytes | None], ...]:
    """Give headers as the contract has them."""
    return tuple((each["name"], each["value"]) for each in headers)


def joined(parts: Iterable[CasePart], sha256: str) -> tuple[bytes, bytes] | None:
    """Put the pieces of a case together: its body and the fingerprint of its schema; None where one is missing."""
    pieces = {part.number: part for part in parts if part.kind is PartKind.CHUNK and part.sha256 == sha256}
    first = pieces.get(0)
    if first is None or sorted(pieces) != list(range(first.count)):
        return None
    return b"".join(pieces[number].value or b"" for number in range(first.count)), bytes.fromhex(first.note)


def prove(anomaly: Anomaly, body: bytes) -> None:
    """Hold the body of a case against what the anomaly says of it.

    Raises
    ------
    CaseRejected
        It is not the one.
    """
    named, found = anomaly.lineage.evidence, digest(body)
    if not named:
        raise CaseRejected(f"anomaly {anomaly.event_id} names no case")
    if named != found:
        raise CaseRejected(f"the case is not the one that the anomaly names: sha256 {found}, named is {named}")


def recorded(anomaly: Anomaly, body: bytes, fingerprint: bytes | None = None) -> Recorded:
    """Give what a replay needs, from a case that was proven.

    Raises
    ------
    CaseRejected
        The case is not the one that the anomaly names, does not belong to it, or cannot be read.
    """
    prove(anomaly, body)
    case = case_of(body, fingerprint)
    told = anomaly.lineage
    said = (anomaly.event_id, told.code, told.numeric_platform)
    if said != (case.event_id, case.code, case.numeric_platform):
        raise CaseRejected(f"the anomaly says {said}, its case {(case.event_id, case.code, case.numeric_platform)}")
    try:
        return Recorded(
            anomaly=anomaly,
            score=score_of(decode_output(case.score)["record"]),
            block=block_of(case),
            state=AssetState.from_bytes(case.state),
            spec=spec_of(case),
            reference=Reference.parse(case.reference) if case.reference else None,
            numeric_platform=case.numeric_platform,
        )
    except (InputRejected, SnapshotRejected, ConfigurationError) as exc:
        raise CaseRejected(f"the case cannot be read: {exc}") from exc


def block_of(case: Case) -> Block:
    """Decode the input record of a case as the worker did.

    Raises
    ------
    InputRejected
        It cannot be decoded.
    """
    registry = cast("Registry", _OneSchema(json.loads(case.writer_schema))) if case.writer_schema else None
    return Decoder(registry).decode(case.value, origin=case.origin, key=case.key)


def spec_of(case: Case) -> FleetSpec:
    """Give the settings of detection of a case.

    Raises
    ------
    CaseRejected
        This release has other settings.
    ConfigurationError
        They cannot be run.
    """
    try:
        given = json.loads(case.detection)
        unknown = given.keys() - {each.name for each in fields(FleetSpec)}
        if unknown:
            raise CaseRejected(f"{case.code} had settings of detection that this release lacks: {sorted(unknown)}")
        return FleetSpec(**given)
    except (ValueError, TypeError, AttributeError) as exc:
        raise CaseRejected(f"the settings of the case are damaged: {exc}") from exc


class _OneSchema:
    """Stands for the registry that the value's schema id was asked of."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def schema(self, schema_id: int) -> Schema:
        """Give the one schema."""
        del schema_id
        return self._schema


def _record(kind: type[Record], record: Mapping[str, Any]) -> Record:
    try:
        return from_tree(kind, _plain({name: value for name, value in record.items() if name != "type"}))
    except (ValueError, TypeError, KeyError) as exc:
        raise CaseRejected(f"not a record of type {kind.__name__}: {exc}") from exc


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
