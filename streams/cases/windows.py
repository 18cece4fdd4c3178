"""The raw records around an event: which are wanted, which were found, and when nothing more is to be expected."""

from __future__ import annotations

from dataclasses import dataclass, field

from confluent_kafka import Message

from foreshock.cases import CasePart, PartKind
from foreshock.contract import Anomaly, InputRange, Origin
from foreshock.streams.border import pairs_of, trace
from foreshock.streams.cases.bytes import digest
from foreshock.streams.codec.framing import named_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many raw records a case gets.

    Attributes
    ----------
    before, after
        Records of the asset, beside the event's own, which is in the case.
    after_s
        Seconds on the broker's clock after which no more records are waited for.
    scan
        Records of the partition that are looked through backwards, of all assets, at most.
    """

    before: int = 16
    after: int = 8
    after_s: float = 120.0
    scan: int = 20_000


@dataclass(slots=True, kw_only=True)
class Window:
    """What is collected for one event.

    Attributes
    ----------
    place
        Offset of the anomaly on its partition of anomalies.v1: what is committed once the window is out.
    earlier, later
        Offsets of the records found.
    problems
        What cannot be had, and why.
    done
        Whether no record is waited for any more.
    """

    anomaly: Anomaly
    partition: int
    place: int
    reach: Reach
    earlier: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    done: bool = False

    @property
    def inputs(self) -> InputRange:
        """Coordinates of the records behind the event."""
        return self.anomaly.lineage.inputs[-1]

    @property
    def key(self) -> bytes:
        """Key of the asset's records."""
        return self.anomaly.asset.encode()

    def wants(self, record: Message) -> bool:
        """Say whether a record behind the event's is one of the records after it."""
        offset = record.offset() or 0
        mine = record.key() == self.key and offset > self.inputs.last and offset not in self.later
        return mine and len(self.later) < self.reach.after and self._in_time(record)

    def _in_time(self, record: Message) -> bool:
        return int(record.timestamp()[1]) * 1_000_000 <= self.anomaly.ingest_ns + int(self.reach.after_s * 1e9)

    def look(self, record: Message) -> None:
        """Note that nothing more is to come, where a record shows that: there are enough, or the time is over."""
        behind = (record.offset() or 0) > self.inputs.last
        self.done = self.done or len(self.later) >= self.reach.after or (behind and not self._in_time(record))

    def expired(self, now_ms: int) -> bool:
        """Say whether the time is over by the wall clock: then the end of the partition is the end of the window."""
        return now_ms * 1_000_000 > self.anomaly.ingest_ns + int(self.reach.after_s * 1e9)

    def end(self) -> CasePart:
        """Give the part that closes the window: how much there is, and what is missing."""
        missing = list(self.problems)
        if len(self.later) < self.reach.after:
            missing.append(
                f"{len(self.later)} of {self.reach.after} records after the event came within {self.reach.after_s:g} s"
            )
        note = "; ".join(missing)
        return CasePart(
            event_id=self.anomaly.event_id,
            kind=PartKind.WINDOW,
            number=len(self.earlier),
            count=len(self.later),
            sha256=digest(note.encode()),
            note=note,
        )


def raw(window: Window, record: Message, kind: PartKind) -> CasePart:
    """Give a raw record as a part of a case: the same record gives the same bytes."""
    value, inputs = record.value(), window.inputs
    traceparent, tracestate = trace(record)
    origin = Origin(
        topic=inputs.topic,
        topic_id=inputs.topic_id,
        partition=inputs.partition,
        offset=record.offset() or 0,
        ingest_ns=record.timestamp()[1] * 1_000_000,
        schema=named_schema(value),
        traceparent=traceparent,
        tracestate=tracestate,
    )
    return CasePart(
        event_id=window.anomaly.event_id,
        kind=kind,
        number=origin.offset,
        origin=origin,
        key=record.key(),
        value=value,
        headers=tuple(pairs_of(record)),
        sha256=digest(value or b""),
    )
