"""Injected against found: the verdict on a demonstration, a pure function of the ground truth and the events seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foreshock.contract import QualityKind
from foreshock.simulate.faults import Fault, Kind
from foreshock.simulate.plan import Plan

ANOMALY = "anomaly"
"""What an event says of a machine; of a sensor it says the kind of the quality condition."""

_MAY_COME_ALONG = {
    Kind.CLOCK: {QualityKind.LATE, QualityKind.GAP},
    Kind.SPIKE: {QualityKind.OUT_OF_RANGE},
    Kind.CLIPPED: {QualityKind.OUT_OF_RANGE},
    Kind.WRONG_RATE: {QualityKind.GAP},
    Kind.JITTER: {QualityKind.GAP, QualityKind.LATE, QualityKind.OUT_OF_ORDER},
    Kind.OUT_OF_ORDER: {QualityKind.GAP, QualityKind.LATE},
    Kind.MISSING: {QualityKind.COLD_START},
}
"""What one fault of a sensor rightly shows as besides its own name."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was published: an anomaly opened, or a quality condition was raised."""

    asset: str
    what: str
    """`ANOMALY`, or the kind of the quality condition."""
    plant_s: float
    """Plant time of the block that led to it."""
    event_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one fault."""

    fault: Fault
    event: Event | None
    """The first event that named it rightly."""
    delay_blocks: int | None
    """Blocks of the asset from the beginning of the fault to the event; stopped ones count."""
    running_blocks: int | None
    """The same, counting only those while the machine ran."""


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict."""

    findings: tuple[Finding, ...]
    false_alarms: tuple[Event, ...]
    """Everything else that was reported."""
    dead_letters: int
    unscored: tuple[str, ...]
    """Assets with a sound sensor and no score in the feed: a demonstration that did not look finds nothing false."""

    @property
    def passed(self) -> bool:
        """Whether every fault was found and called by its name, and nothing else was reported."""
        found = all(finding.event is not None for finding in self.findings)
        return found and not self.false_alarms and not self.dead_letters and not self.unscored


def event(plan: Plan, asset: str, what: str, *, source_ns: int, ingest_ns: int, event_id: str, detail: str) -> Event:
    """Put an event on plant time: that of its block; where the block's clock is wrong, that of its arrival."""
    plant = plan.plant
    at = (source_ns - plant.epoch_ns) / 1e9
    if at > plan.end_s:
        block_s = next(machine.block_s for machine in plant.machines if machine.asset == asset)
        at = (ingest_ns - plant.epoch_ns) / 1e9 - block_s
    return Event(asset, what, at, event_id, detail)


def verdict(plan: Plan, seen: Sequence[Event], *, scored: Iterable[str], dead_letters: int = 0) -> Report:
    """Hold what was reported against what was injected.

    Parameters
    ----------
    plan : Plan
    seen : sequence of Event
        From `events`.
    scored : iterable of str
        Assets that had a score in the feed.
    dead_letters : int
        Records that were rejected.
    """
    findings = tuple(_finding(plan, fault, seen) for fault in plan.plant.faults)
    by_asset = {fault.asset: fault for fault in plan.plant.faults}
    false = tuple(event for event in seen if not _explained(by_asset.get(event.asset), event))
    known = set(scored)
    known |= {fault.asset for fault in plan.plant.faults if fault.kind.of_sensor}
    missing = tuple(machine.asset for machine in plan.plant.machines if machine.asset not in known)
    return Report(findings, false, dead_letters, missing)


def _names(fault: Fault) -> set[str]:
    return {str(fault.kind)} if fault.kind.of_sensor else {ANOMALY}


def _explained(fault: Fault | None, event: Event) -> bool:
    """Whether a fault of the asset accounts for an event."""
    if fault is None or event.plant_s < fault.start_s:
        return False
    return event.what in _names(fault) | {str(kind) for kind in _MAY_COME_ALONG.get(fault.kind, ())}


def _finding(plan: Plan, fault: Fault, seen: Sequence[Event]) -> Finding:
    rightly = (e for e in seen if e.asset == fault.asset and e.plant_s >= fault.start_s and e.what in _names(fault))
    event = next(rightly, None)
    if event is None:
        return Finding(fault, None, None, None)
    plant = plan.plant
    asset = next(i for i, machine in enumerate(plant.machines) if machine.asset == fault.asset)
    first, last = plant.number_at(asset, fault.start_s), plant.number_at(asset, event.plant_s)
    running = sum(plant.runs(asset, number) for number in range(first, last + 1))
    return Finding(fault, event, last - first + 1, running)
