"""The raw records around an event: which are wanted, which were found, and when nothing more is to be expected."""

from __future__ import annotations

from dataclasses import dataclass, field

from confluent_kafka import Message

from foreshock.alerts.records import WorkOrder
from foreshock.cases import CasePart, PartKind
from foreshock.contract import Anomaly, Origin
from foreshock.streams.border import pairs_of, trace
from foreshock.streams.cases.bytes import digest
from foreshock.streams.codec.framing import named_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many raw records a case gets.

    Attributes
    ----------
    before, after
        Records of the asset, beside an anomaly's own, which is in the case.
    after_s
        Seconds on the broker's clock after which no more records are waited for.
    work_s
        The same for a work order: a machine that was worked on takes its time to run again.
    scan
        Records of the partition that are looked through backwards, of all assets, at most.
    """

    before: int = 16
    after: int = 8
    after_s: float = 120.0
    work_s: float = 3600.0
    scan: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a window is around, and where that is among the asset's records.

    Attributes
    ----------
    record
        The anomaly, or the work order.
    event_id
        Its id, which is the key of what is found.
    topic, topic_id, partition
        Of the asset's records.
    start
        Offset; records below it are before the event.
    end
        Offset; records from it on are after the event.
    end_ns
        The time that belongs to it, by the broker's clock, since 1970 UTC.
    wait_s
        Seconds from then on in which records count.
    told_ns
        When the broker took what made the event known, since 1970 UTC.
    trace_id
        The trace that it belongs to.
    """

    record: Anomaly | WorkOrder
    event_id: str
    topic: str
    topic_id: str
    partition: int
    start: int
    end: int
    end_ns: int
    wait_s: float
    told_ns: int
    trace_id: str

    @property
    def key(self) -> bytes:
        """Key of the asset's records."""
        return self.record.asset.encode()


@dataclass(slots=True, kw_only=True)
class Window:
    """What is collected for one event.

    Attributes
    ----------
    source
        Topic and partition of the record that tells of the event.
    place
        Its offset: what is committed once the window is out.
    earlier, later
        Offsets of the records found.
    problems
        What cannot be had, and why.
    done
        Whether no record is waited for any more.
    """

    subject: Subject
    source: tuple[str, int]
    place: int
    reach: Reach
    earlier: list[int] = field(default_factory=list)
    later: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    done: bool = False

    def wants(self, record: Message) -> bool:
        """Say whether a record is one of the records after the event."""
        offset = record.offset() or 0
        mine = record.key() == self.subject.key and offset >= self.subject.end and offset not in self.later
        return mine and len(self.later) < self.reach.after and self._in_time(record)

    def _in_time(self, record: Message) -> bool:
        return int(record.timestamp()[1]) * 1_000_000 <= self._until_ns()

    def _until_ns(self) -> int:
        return self.subject.end_ns + int(self.subject.wait_s * 1e9)

    def look(self, record: Message) -> None:
        """Note that nothing more is to come, where a record shows that: there are enough, or the time is over."""
        behind = (record.offset() or 0) >= self.subject.end
        self.done = self.done or len(self.later) >= self.reach.after or (behind and not self._in_time(record))

    def expired(self, now_ms: int) -> bool:
        """Say whether the time is over by the wall clock: then the end of the partition is the end of the window."""
        return now_ms * 1_000_000 > self._until_ns()

    def end(self) -> CasePart:
        """Give the part that closes the window: how much there is, and what is missing."""
        missing = list(self.problems)
        if len(self.later) < self.reach.after:
            came = f"{len(self.later)} of {self.reach.after} records after the event came"
            missing.append(f"{came} within {self.subject.wait_s:g} s")
        note = "; ".join(missing)
        return CasePart(
            event_id=self.subject.event_id,
            kind=PartKind.WINDOW,
            number=len(self.earlier),
            count=len(self.later),
            sha256=digest(note.encode()),
            note=note,
        )


def raw(subject: Subject, record: Message, kind: PartKind) -> CasePart:
    """Give a raw record as a part of a case: the same record gives the same bytes."""
    value = record.value()
    traceparent, tracestate = trace(record)
    origin = Origin(
        topic=subject.topic,
        topic_id=subject.topic_id,
        partition=subject.partition,
        offset=record.offset() or 0,
        ingest_ns=record.timestamp()[1] * 1_000_000,
        schema=named_schema(value),
        traceparent=traceparent,
        tracestate=tracestate,
    )
    return CasePart(
        event_id=subject.event_id,
        kind=kind,
        number=origin.offset,
        origin=origin,
        key=record.key(),
        value=value,
        headers=tuple(pairs_of(record)),
        sha256=digest(value or b""),
    )
