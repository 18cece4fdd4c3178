"""The raw records around work on a machine: found by the number of the work order, and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from foreshock.alerts.records import WorkOrder
from foreshock.cases import CasePart, PartKind
from foreshock.contract import Origin
from foreshock.errors import CaseRejected, ConfigurationError, InputRejected
from foreshock.records import from_tree
from foreshock.settings import Settings
from foreshock.streams.cases.bytes import body_of
from foreshock.streams.cases.container import decode, pack, present, unpack
from foreshock.streams.cases.file import in_order, part_in
from foreshock.streams.cases.reading import part_of
from foreshock.streams.cases.subjects import CAPTURED, work_id, work_order
from foreshock.streams.codec.encode import Encoder
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.coders import decoder_for, registry_for
from foreshock.streams.errands.tailing import records
from foreshock.streams.topics import inspect

_EARLIER_MS = 60_000  # of the broker's times
_KINDS = ("WorkOrder", "CasePart")


@dataclass(slots=True)
class Work:
    """One record of maintenance.v1, and the raw records around the work that it tells of.

    Attributes
    ----------
    event_id
        Key of the raw records on evidence.v1.
    parts
        By kind and number.
    """

    order: WorkOrder
    event_id: str
    parts: dict[tuple[PartKind, int], CasePart] = field(default_factory=dict)

    def of(self, kind: PartKind) -> list[CasePart]:
        """Give the parts of a kind, in order."""
        return [each for each in in_order(self.parts.values()) if each.kind == kind]


def find_work(settings: Settings, number: str) -> list[Work]:
    """Find what was told of a work order, with the raw records around it, in the order in which it was told.

    Raises
    ------
    ConfigurationError
        Nothing was told of it.
    CaseRejected
        A record of it on evidence.v1 cannot be read.
    """
    told = [each for each in _told(settings) if each[0].work_order == number]
    if not told:
        raise ConfigurationError(f"no work order {number} is on {settings.topics.prefix}maintenance.v1")
    told.sort(key=lambda each: (each[1].ingest_ns, each[1].partition, each[1].offset))
    found = {work_id(origin): Work(order, work_id(origin)) for order, origin in told}
    for partition in sorted({origin.partition for _, origin in told}):
        here = [origin for _, origin in told if origin.partition == partition]
        since_ms = here[0].ingest_ns // 1_000_000 - _EARLIER_MS
        _collect(settings, partition, since_ms, {work_id(each): found[work_id(each)] for each in here})
    return list(found.values())


def _told(settings: Settings) -> Iterator[tuple[WorkOrder, Origin]]:
    topic, decoder = inspect(settings)["maintenance.v1"], decoder_for(settings)
    for message in records(settings, "maintenance.v1", beginning=True, follow=False):
        try:
            order, origin = work_order(message, topic, decoder, settings.topics.partitioner)
        except InputRejected:
            continue  # the worker has not taken it either, and told its sender
        if order.kind in CAPTURED:
            yield order, origin


def _collect(settings: Settings, partition: int, since_ms: int, found: dict[str, Work]) -> None:
    registry, missing = registry_for(settings), set(found)
    for message in records(settings, "evidence.v1", beginning=True, follow=False, only=partition, since_ms=since_ms):
        work = found.get((message.key() or b"").decode("ascii", "replace"))
        if work is None:
            continue
        try:
            part = part_of(decode_output(message.value() or b"", registry)["record"])
        except InputRejected as exc:
            raise CaseRejected(f"a record of the work order on evidence.v1 cannot be read: {exc}") from exc
        work.parts.setdefault((part.kind, part.number), part)
        if part.kind is PartKind.WINDOW:
            missing.discard(work.event_id)
        if not missing:
            return


def write_work(found: list[Work]) -> bytes:
    """Give the bytes of a file: each record of the work order, and the raw records around it; the same give the same bytes."""
    encode = Encoder().encode
    entries = [
        entry
        for work in found
        for entry in (
            (0, body_of(encode(work.order))),
            *((1, body_of(encode(p))) for p in in_order(work.parts.values())),
        )
    ]
    return pack((present("WorkOrder"), present("CasePart")), entries, "".join(each.event_id for each in found))


def read_work(data: bytes) -> list[Work]:
    """Read such a file; the id of a record around which there is nothing is empty.

    Raises
    ------
    CaseRejected
        It is not as `write_work` has written it.
    """
    prints, entries = unpack(data, _KINDS)
    found: list[Work] = []
    for entry in entries:
        if entry[0] == 0:
            found.append(Work(_order(decode("WorkOrder", prints[0], entry[1])), ""))
            continue
        part = part_in(entry, prints[1])
        if entry[0] != 1 or not found or found[-1].event_id not in {"", part.event_id}:
            raise CaseRejected("the file holds each record of a work order before its raw records")
        found[-1].event_id = part.event_id
        found[-1].parts[part.kind, part.number] = part
    return found


def _order(tree: Mapping[str, Any]) -> WorkOrder:
    try:
        return from_tree(WorkOrder, tree)
    except (ValueError, TypeError, KeyError) as exc:
        raise CaseRejected(f"not a work order: {exc}") from exc
