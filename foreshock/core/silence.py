"""Sensors that say nothing any more: measuring points that are overdue at a wall-clock time on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from foreshock.contract import DataQuality, QualityKind, RunState, Tick
from foreshock.core.admission import Admission
from foreshock.core.points import Owner, Partition, Point
from foreshock.core.quality import event
from foreshock.features.conditions import Condition, Finding, Transition
from foreshock.features.silence import TOGETHER_NS

NS = 1_000_000_000
NEVER = 1 << 63


class _Rules(NamedTuple):
    """What makes a sensor silent: so many intervals without a record, and at least so many seconds."""

    intervals: float
    least_s: float

    @property
    def least_ns(self) -> int:
        """No sensor is silent sooner after its last record."""
        return max(int(self.least_s * NS), int(self.intervals * TOGETHER_NS))


class _Calm(NamedTuple):
    """What was found when nobody was silent: before `until_ns` none of them is, but for those that were heard since."""

    partition: Partition
    rules: _Rules
    until_ns: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Finds and tells the measuring points of an admission from which nothing came for too long.

    One is told once: the condition stands until the next record of the point, whatever becomes of that.
    """

    admission: Admission
    calm: dict[int, _Calm] = field(default_factory=dict)

    def overdue(self, number: int, at_ns: int, since_ns: int = 0) -> bool:
        """Say whether a tick would tell anything; changes no state.

        It is asked every second, of ten thousand points. One whose last record stands is not silent before a time that is
        known; one with a new record not before the least time after the first that came since. So points are looked at
        when the earlier of the two is over. (Where a broker's clock is set back a silence is noticed later by as much.)
        """
        partition = self.admission.partitions.get(number)
        if partition is None:
            return False
        rules, calm = self._rules(number), self.calm.get(number)
        if calm is not None and calm.partition is partition and calm.rules == rules and at_ns <= calm.until_ns:
            heard_ns = partition.heard_ns
            if not heard_ns or at_ns <= heard_ns + rules.least_ns:
                return False
        until_ns = _due(partition, rules, at_ns, since_ns)
        if until_ns is None:
            return True
        self.calm[number] = _Calm(partition, rules, until_ns)
        partition.heard_ns = 0
        return False

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
            # Its id rests on the last record alone: whichever worker notices it and when, it is one event.
            raised = Transition(finding, raised=True)
            told.append(event(asset, name, last, tick.at_ns, raised, point.quality.standing))
        return told

    def _found(self, number: int, at_ns: int, since_ns: int) -> Iterator[tuple[str, str, Owner, Point]]:
        """Walk the points of a partition; most are told by one comparison, for the limit is never below the least."""
        partition = self.admission.partitions.get(number)
        if partition is None:
            return
        rules = self._rules(number)
        before_ns = at_ns - rules.least_ns
        for asset, owner in partition.owners.items():
            for name, point in owner.points.items():
                pulse = point.quality.pulse
                if pulse.last is None or pulse.last.ingest_ns >= before_ns or _told(point):
                    continue
                limit = pulse.limit_ns(*rules)
                if limit and pulse.silent_ns(at_ns, since_ns) > limit:
                    yield asset, name, owner, point

    def _rules(self, number: int) -> _Rules:
        spec = self.admission.recipe_of(number).spec
        return _Rules(spec.silent_intervals, spec.silent_s)

    def _finding(self, point: Point, tick: Tick) -> Finding:
        spec, pulse = self.admission.recipe_of(tick.partition).spec, point.quality.pulse
        silent_s = pulse.silent_ns(tick.at_ns, tick.since_ns) / NS
        limit_s = pulse.limit_ns(spec.silent_intervals, spec.silent_s) / NS
        source = "promised" if pulse.promised_ns == pulse.interval_ns() else "usual"
        sentence = f"no record for {silent_s:.0f} s; one every {pulse.interval_ns() / NS:g} s is {source}"
        if point.latest is not None and point.latest.run_state is RunState.STOPPED:
            sentence += "; the machine stood still with the last one"
        return Finding(QualityKind.SILENT, "", silent_s, limit_s, sentence, usable=True)


def _due(partition: Partition, rules: _Rules, at_ns: int, since_ns: int) -> int | None:
    """Give the time up to which nobody of a partition is silent as long as nothing is heard; None: somebody is now."""
    due_ns, least_ns = NEVER, rules.least_ns
    for owner in partition.owners.values():
        for point in owner.points.values():
            pulse = point.quality.pulse
            if pulse.last is None:
                continue
            at_least_ns = pulse.last.ingest_ns + least_ns
            if (at_least_ns >= at_ns and at_least_ns >= due_ns) or _told(point):
                continue
            limit = pulse.limit_ns(*rules)
            if limit:
                due_ns = min(due_ns, pulse.last.ingest_ns + limit)
                if pulse.silent_ns(at_ns, since_ns) > limit:
                    return None
    return due_ns


def _told(point: Point) -> bool:
    return any(each.finding.kind is QualityKind.SILENT for each in point.quality.standing)


def _place(found: tuple[str, str, Owner, Point]) -> tuple[str, str]:
    return found[0], found[1]
