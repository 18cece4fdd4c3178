"""Events and their cases on Kafka: found by id, read without a group, held against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from foreshock.cases import CasePart, PartKind
from foreshock.contract import Anomaly
from foreshock.errors import CaseRejected, ConfigurationError, InputRejected
from foreshock.settings import Settings
from foreshock.streams.cases.bytes import body_of, digest
from foreshock.streams.cases.file import CaseFile
from foreshock.streams.cases.reading import anomaly_of, joined, part_of
from foreshock.streams.codec import schemas
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.codec.registry import Registry
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.tailing import records

_EARLIER_MS = 60_000  # of the broker's times: a case is taken right before its anomaly, a crash in between included
_LATER_MS = 24 * 3600 * 1000  # for raw records of a slow asset; the case itself is looked for to the end
_LEAST_DIGITS = 6
_ID = re.compile(r"[0-9a-f]{6,32}")


@dataclass(frozen=True, slots=True)
class Sighting:
    """An event as it stands on anomalies.v1."""

    anomaly: Anomaly
    partition: int
    offset: int
    at_ms: int  # when the broker took it


@dataclass(slots=True)
class Gathering:
    """What was seen of a case so far."""

    sha256: str
    body: bytes | None = None
    fingerprint: bytes = b""
    parts: dict[tuple[PartKind, int], CasePart] = field(default_factory=dict)

    def take(self, value: bytes, registry: Registry | None) -> None:
        """Take a value of evidence.v1 that has the event's key; what is not the case that is named is left alone."""
        found = decode_output(value, registry)
        if found["schema"].endswith("CasePart"):
            part = part_of(found["record"])
            self.parts.setdefault((part.kind, part.number), part)
            whole = joined(self.parts.values(), self.sha256) if part.kind is PartKind.CHUNK else None
            if whole is not None and self.body is None:
                self._use(*whole)
        elif self.body is None:
            self._use(body_of(value), _fingerprint(found["fingerprint"]))

    def _use(self, body: bytes, fingerprint: bytes) -> None:
        if digest(body) == self.sha256:
            self.body, self.fingerprint = body, fingerprint

    @property
    def complete(self) -> bool:
        """Whether the raw records are complete too."""
        return self.body is not None and any(kind is PartKind.WINDOW for kind, _ in self.parts)


def _fingerprint(shown: str) -> bytes:
    """Give the fingerprint of a case's schema; one that a registry gave by id is of the present version."""
    return schemas.current()["Case"].fingerprint if shown.startswith("id ") else bytes.fromhex(shown)


def find(settings: Settings, event: str) -> Sighting:
    """Find an event on anomalies.v1 by its id, or by its first digits.

    Raises
    ------
    ConfigurationError
        No event has the id, or several begin with these digits.
    """
    if not _ID.fullmatch(event):
        raise ConfigurationError(
            f"{event!r} is no event id: 32 hexadecimal digits, or the first {_LEAST_DIGITS} of them"
        )
    found = {each.anomaly.event_id: each for each in sightings(settings, event)}
    if not found:
        raise ConfigurationError(f"no anomaly {event} is on {settings.topics.prefix}anomalies.v1")
    if len(found) > 1:
        raise ConfigurationError(f"several anomalies begin with {event}: {', '.join(sorted(found))}")
    return next(iter(found.values()))


def sightings(settings: Settings, start: str = "") -> Iterator[Sighting]:
    """Give every event on anomalies.v1 whose id begins so; one that was sent again is given once."""
    registry = registry_for(settings)
    seen: set[str] = set()
    for message in records(settings, "anomalies.v1", beginning=True, follow=False):
        record = decode_output(message.value() or b"", registry)["record"]
        if record["event_id"].startswith(start) and record["event_id"] not in seen:
            seen.add(record["event_id"])
            at = (message.partition() or 0, message.offset() or 0, message.timestamp()[1])
            yield Sighting(anomaly_of(record), *at)


def case_for(settings: Settings, seen: Sighting) -> CaseFile | None:
    """Give an event's case with its raw records; None where it has no case, or evidence.v1 does not hold it any more.

    Raises
    ------
    CaseRejected
        There are records of the event, but none is the case that the anomaly names.
    """
    anomaly = seen.anomaly
    if not anomaly.lineage.evidence:
        return None
    key, registry = anomaly.event_id.encode(), registry_for(settings)
    for since in (seen.at_ms - _EARLIER_MS, 0):
        gathering, others = Gathering(anomaly.lineage.evidence), 0
        for message in records(
            settings, "evidence.v1", beginning=True, follow=False, only=seen.partition, since_ms=since
        ):
            if message.key() == key:
                others += 1
                _take(gathering, message.value() or b"", registry)
            late = message.timestamp()[1] > seen.at_ms + _LATER_MS and gathering.body is not None
            if late or gathering.complete:
                break
        if gathering.body is not None:
            return CaseFile(anomaly, gathering.body, gathering.fingerprint, tuple(gathering.parts.values()))
    if others:
        raise CaseRejected(
            f"{others} records of {anomaly.event_id} are on evidence.v1, none is the case with the sha256 that the anomaly names"
        )
    return None


def _take(gathering: Gathering, value: bytes, registry: Registry | None) -> None:
    try:
        gathering.take(value, registry)
    except InputRejected as exc:
        raise CaseRejected(f"a record of the event on evidence.v1 cannot be read: {exc}") from exc


def every_case(settings: Settings, wanted: dict[str, Sighting]) -> Iterator[CaseFile]:
    """Read evidence.v1 once and give the case of each wanted event as soon as it is there, without raw records."""
    registry = registry_for(settings)
    open_: dict[str, Gathering] = {}
    done: set[str] = set()
    for message in records(settings, "evidence.v1", beginning=True, follow=False):
        event_id = (message.key() or b"").decode("ascii", "replace")
        if event_id not in wanted or event_id in done:
            continue
        anomaly = wanted[event_id].anomaly
        gathering = open_.setdefault(event_id, Gathering(anomaly.lineage.evidence))
        _take(gathering, message.value() or b"", registry)
        if gathering.body is not None:
            done.add(event_id)
            del open_[event_id]
            yield CaseFile(anomaly, gathering.body, gathering.fingerprint)
