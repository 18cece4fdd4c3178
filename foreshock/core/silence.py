"""Sensors that say nothing any more: measuring points that are overdue at a wall-clock time on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from foreshock import lineage
from foreshock.contract import DataQuality, Origin, QualityKind, RunState, Tick
from foreshock.core.admission import Admission
from foreshock.core.points import Owner, Point
from foreshock.features.conditions import Condition, Finding, Transition

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Silence:
    """Finds and tells the measuring points of an admission from which nothing came for too long.

    One is told once: the condition stands until the next record of the point, whatever becomes of that.
    """

    admission: Admission

    def overdue(self, number: int, at_ns: int, since_ns: int = 0) -> bool:
        """Say whether a tick would tell anything; changes nothing."""
        return next(self._found(number, at_ns, since_ns), None) is not None

    def tick(self, tick: Tick) -> list[DataQuality]:
        """Raise `silent` for what is overdue, by asset and point.

        An asset that is further than the tick's place has seen it already: after a restart it is left alone.
        """
        told = []
        partition = self.admission.partition(tick.partition)
        for asset, name, owner, point in sorted(self._found(tick.partition, tick.at_ns, tick.since_ns), key=_place):
            if owner.folded > tick.offset:
                continue
            last = point.quality.pulse.last
            if last is None:
                raise AssertionError("what was never heard is not overdue")
            finding = self._finding(point, tick)
            point.quality = point.quality._replace(standing=(*point.quality.standing, Condition(finding, 0)))
            partition.touch(asset, owner, tick.offset)
            told.append(_event(asset, name, last, tick, Transition(finding, raised=True)))
        return told

    def _found(self, number: int, at_ns: int, since_ns: int) -> Iterator[tuple[str, str, Owner, Point]]:
        """Walk the points of a partition; most are told by one comparison, for the limit is never below the least."""
        partition = self.admission.partitions.get(number)
        if partition is None:
            return
        spec = self.admission.recipe_of(number).spec
        intervals, least_s = spec.silent_intervals, spec.silent_s
        before_ns = at_ns - int(least_s * NS)
        for asset, owner in partition.owners.items():
            for name, point in owner.points.items():
                pulse = point.quality.pulse
                if pulse.last is None or pulse.last.ingest_ns >= before_ns or _told(point):
                    continue
                limit = pulse.limit_ns(intervals, least_s)
                if limit and pulse.silent_ns(at_ns, since_ns) > limit:
                    yield asset, name, owner, point

    def _finding(self, point: Point, tick: Tick) -> Finding:
        spec, pulse = self.admission.recipe_of(tick.partition).spec, point.quality.pulse
        silent_s = pulse.silent_ns(tick.at_ns, tick.since_ns) / NS
        limit_s = pulse.limit_ns(spec.silent_intervals, spec.silent_s) / NS
        source = "promised" if pulse.promised_ns == pulse.interval_ns() else "usual"
        sentence = f"no record for {silent_s:.0f} s; one every {pulse.interval_ns() / NS:g} s is {source}"
        if point.latest is not None and point.latest.run_state is RunState.STOPPED:
            sentence += "; the machine stood still with the last one"
        return Finding(QualityKind.SILENT, "", silent_s, limit_s, sentence, usable=True)


def _told(point: Point) -> bool:
    return any(each.finding.kind is QualityKind.SILENT for each in point.quality.standing)


def _place(found: tuple[str, str, Owner, Point]) -> tuple[str, str]:
    return found[0], found[1]


def _event(asset: str, name: str, last: Origin, tick: Tick, transition: Transition) -> DataQuality:
    """Tell a sensor silent. Its id rests on the last record alone: whichever worker notices it and when, it is one event."""
    finding = transition.finding
    return DataQuality(
        event_id=lineage.event_id(f"quality.{finding.kind}.raised", last, 0, name, finding.channel),
        asset=asset,
        point=name,
        channel=finding.channel,
        kind=finding.kind,
        raised=True,
        source_ns=tick.at_ns,
        ingest_ns=last.ingest_ns,
        value=finding.value,
        limit=finding.limit,
        detail=finding.detail,
        cause=transition.cause,
        ne107=transition.ne107,
        origin=last,
        trace_id=lineage.trace_id(last),
    )
