"""How many alerts other policies would have raised: the same scores through two sets of policies, side by side. Pure.

Nobody is there to acknowledge in a preview, so every alert counts as acknowledged when it is raised: what is counted is
how often people would have been called, not how fast they came. Parents inhibit nobody here. Scores carry no expected
values and no hypothesis: minimum effects withhold nothing, and levels for a hypothesis are not reached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from foreshock.alerts import lifecycle
from foreshock.alerts.budget import factor, of
from foreshock.alerts.conditions import Condition, Reading, evaluate
from foreshock.alerts.files import resolve
from foreshock.alerts.policy import Policy
from foreshock.alerts.records import Command
from foreshock.alerts.states import Alarm, Context, Step
from foreshock.alerts.vocabulary import Change, CommandKind, Severity
from foreshock.contract import Asset, Origin

NS = 1_000_000_000
MONTH_NS = 30 * 86_400 * NS
_CALLS = frozenset({Change.RAISED, Change.REALARMED})


class Measured(NamedTuple):
    """What a record of `scores.v1` says of one row of one measuring point."""

    at_ns: int
    value: float | None
    trend: float | None
    running: bool = True
    usable: bool = True
    mode: str = "model"  # model | static_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One record of `scores.v1`."""

    asset: str
    point: str
    quality: tuple[str, ...]
    origin: Origin
    rows: tuple[Measured, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One asset in a preview: alerts raised today and with the changed policies, in all and by severity."""

    asset: str
    policy: str  # today's
    changed_policy: str
    today: Mapping[str, int]
    changed: Mapping[str, int]
    months: float  # of the scores that were read
    budget: float  # of the changed policy: alerts per asset and month

    @property
    def raised(self) -> tuple[int, int]:
        """Alerts raised today and with the changed policies."""
        return sum(self.today.values()), sum(self.changed.values())


@dataclass(slots=True)
class _Run:
    """One asset under one policy."""

    asset: Asset
    policy: Policy
    scale: float
    alarm: Alarm = field(default_factory=Alarm)
    conditions: dict[str, Condition] = field(default_factory=dict)
    raised: Counter[str] = field(default_factory=Counter)
    worst: Severity | None = None  # of the alert that stands

    def take(self, score: Scored) -> None:
        """Fold one record in, after what time has brought since the one before."""
        self.wait(score.origin)
        inhibited = any(kind in self.policy.inhibit_on for kind in score.quality)
        for number, row in enumerate(score.rows):
            reading = Reading(
                at_ns=row.at_ns,
                value=row.value,
                trend=row.trend,
                usable=row.usable,
                running=row.running,
                inhibited=inhibited,
                mode=row.mode,
                delayed_s=(score.origin.ingest_ns - row.at_ns) / NS,
            )
            before = self.conditions.get(score.point, Condition())
            after, demand = evaluate(self.policy, before, reading, self.scale)
            self.conditions[score.point] = after
            if self.alarm.idle and demand.severity is None and demand.missed is None:
                continue
            context = Context(asset=self.asset, origin=score.origin, at_ns=row.at_ns, row=number, running=row.running)
            self._after(context, lifecycle.step(self.policy, self.alarm, {score.point: demand}, context))

    def wait(self, origin: Origin) -> None:
        """Take up what time brings until then."""
        last = None
        while (due := lifecycle.due_ns(self.policy, self.alarm, self.asset.path)) is not None:
            if due >= origin.ingest_ns or due == last:
                return
            context = Context(asset=self.asset, origin=replace(origin, ingest_ns=due), at_ns=due)
            last = due
            self._after(context, lifecycle.tick(self.policy, self.alarm, due, context))

    def _after(self, context: Context, step: Step) -> None:
        """Count what was raised, by the worst severity that each alert came to, and acknowledge it."""
        self.alarm, drafts = step
        for draft in drafts:
            if draft.change in _CALLS:
                self.raised[draft.severity] += 1
                self.worst = draft.severity
            elif draft.change is Change.ESCALATED and self.worst is not None:
                self.raised[self.worst] -= 1
                self.raised[draft.severity] += 1
                self.worst = draft.severity
        if any(draft.change in _CALLS for draft in drafts):
            seen = Command(
                command_id="",
                kind=CommandKind.ACKNOWLEDGE,
                asset=self.asset.asset,
                actor="preview",
                reason="counted",
                at_ns=context.origin.ingest_ns,
            )
            self.alarm, _ = lifecycle.command(self.policy, self.alarm, seen, context)


@dataclass(slots=True)
class Preview:
    """Counts while scores pass. Its memory is the alert state of each asset, twice.

    Parameters
    ----------
    today, changed
        The two sets of policies.
    assets
        Master data by asset; one that is not there has no class and no place.
    detection_budget
        `[detection] budget`, by which the scores are scaled.
    """

    today: Sequence[Policy]
    changed: Sequence[Policy]
    assets: Mapping[str, Asset]
    detection_budget: float = 1.0
    _runs: dict[str, tuple[_Run, _Run]] = field(default_factory=dict)
    _spans: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, score: Scored) -> None:
        """Fold one record in; those of one asset in its order."""
        runs = self._runs.get(score.asset)
        if runs is None:
            asset = self.assets.get(score.asset) or Asset(asset=score.asset, registered=False)
            runs = self._runs[score.asset] = (self._run(asset, self.today), self._run(asset, self.changed))
        for run in runs:
            run.take(score)
        for row in score.rows:
            first, last = self._spans.get(score.asset, (row.at_ns, row.at_ns))
            self._spans[score.asset] = (min(first, row.at_ns), max(last, row.at_ns))

    def lines(self) -> list[Line]:
        """Give the assets, those that change most first."""
        found = [
            Line(
                asset=asset,
                policy=today.policy.name,
                changed_policy=changed.policy.name,
                today=_counts(today.raised),
                changed=_counts(changed.raised),
                months=(self._spans[asset][1] - self._spans[asset][0]) / MONTH_NS,
                budget=of(changed.policy),
            )
            for asset, (today, changed) in self._runs.items()
            if asset in self._spans
        ]
        return sorted(found, key=lambda line: (-abs(line.raised[1] - line.raised[0]), -line.raised[0], line.asset))

    def _run(self, asset: Asset, policies: Sequence[Policy]) -> _Run:
        policy = resolve(policies, asset)
        return _Run(asset, policy, factor(of(policy), self.detection_budget))


def _counts(raised: Counter[str]) -> dict[str, int]:
    return {severity.value: raised[severity] for severity in Severity if raised[severity]}
