"""The case of an anomaly event: all that it can be computed from again, and the raw records around it (evidence.v1).

`Case` is what proves the event: its Avro body has the sha256 that the event's lineage names, and the event and its
score follow from it alone. `CasePart` is what belongs to it beside that, and what is kept around work on a machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foreshock.contract import Origin


class PartKind(StrEnum):
    """What a part of a case is."""

    CHUNK = "chunk"  # a piece of a Case that is too large for one record
    BEFORE = "before"  # a raw record of the asset before the event
    AFTER = "after"  # and after it
    WINDOW = "window"  # the raw records are complete, or will not become so


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The input record of an event and the state before it."""

    event_id: str
    asset: str
    point: str
    origin: Origin
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    writer_schema: str = ""  # JSON, where the value names its schema by a registry's id
    state: bytes  # canonical bytes of an `AssetState`, which holds the master data too
    score: bytes  # the Score in single-object encoding
    detection: str  # JSON of the `FleetSpec`
    reference: str = ""  # JSON of the `Reference`, "" where none was configured
    feature_set: str
    model: str
    policy: str
    numeric_platform: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePart:
    """A piece of a large Case, a raw record around an event or around work, or the end of those."""

    event_id: str
    kind: PartKind
    number: int
    count: int = 0
    origin: Origin | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    sha256: str
    note: str = ""
