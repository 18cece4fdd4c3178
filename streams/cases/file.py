"""A case as a file: an Anomaly, its Case, and the raw records around the event.

No flipped bit goes unnoticed (`container.py`). That nobody changed the case on purpose is shown by the sha256 that the
Anomaly names, and by the replay, which computes the Anomaly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from foreshock.cases import CasePart, PartKind
from foreshock.contract import Anomaly
from foreshock.errors import CaseRejected
from foreshock.streams.cases.bytes import body_of, digest
from foreshock.streams.cases.container import Entry, decode, pack, present, unpack
from foreshock.streams.cases.reading import anomaly_of, part_of
from foreshock.streams.codec.encode import Encoder

_KINDS = ("Anomaly", "Case", "CasePart")
_ORDER = {PartKind.BEFORE: 0, PartKind.AFTER: 1, PartKind.WINDOW: 2, PartKind.CHUNK: 3}


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What a file holds: the event, the Avro body of its case with the fingerprint of its schema, raw records around."""

    anomaly: Anomaly
    body: bytes
    fingerprint: bytes
    parts: tuple[CasePart, ...] = ()


def write(case: CaseFile) -> bytes:
    """Give the bytes of the file; the same case gives the same bytes."""
    prints = (present("Anomaly"), case.fingerprint, present("CasePart"))
    raw = ((2, body_of(Encoder().encode(each))) for each in in_order(case.parts))
    entries = [(0, body_of(Encoder().encode(case.anomaly))), (1, case.body), *raw]
    return pack(prints, entries, case.anomaly.event_id)


def read(data: bytes) -> CaseFile:
    """Read a file.

    Raises
    ------
    CaseRejected
        It is not as `write` has written it.
    """
    prints, entries = unpack(data, _KINDS)
    if [kind for kind, _ in entries[:2]] != [0, 1] or any(kind != 2 for kind, _ in entries[2:]):
        raise CaseRejected("a case file holds an Anomaly, its Case, and raw records, in this order")
    parts = tuple(part_in(entry, prints[2]) for entry in entries[2:])
    return CaseFile(anomaly_of(decode("Anomaly", prints[0], entries[0][1])), entries[1][1], prints[1], parts)


def in_order(parts: Iterable[CasePart]) -> list[CasePart]:
    """Give the parts that a file holds, as they stand in it: the raw records by offset, then what closes the window."""
    return sorted(
        (each for each in parts if each.kind is not PartKind.CHUNK), key=lambda each: (_ORDER[each.kind], each.number)
    )


def part_in(entry: Entry, fingerprint: bytes) -> CasePart:
    """Read a raw record of a file.

    Raises
    ------
    CaseRejected
        It is damaged.
    """
    part = part_of(decode("CasePart", fingerprint, entry[1]))
    if part.value is not None and digest(part.value) != part.sha256:
        raise CaseRejected(f"the raw record at offset {part.number} is damaged")
    return part
