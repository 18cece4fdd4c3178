"""Runs a policy test through the very functions that a worker runs: conditions, life cycle, commands and ticks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from heapq import merge
from typing import Any

from foreshock.alerts import lifecycle
from foreshock.alerts.conditions import Condition, Reading, evaluate, level
from foreshock.alerts.margin import effect
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.states import Alarm, Context, Draft
from foreshock.alerts.trial.case import Case
from foreshock.alerts.trial.happenings import Happening
from foreshock.alerts.trial.notation import NS, Row, span
from foreshock.alerts.trial.verdict import Verdict, judge
from foreshock.alerts.vocabulary import WorkKind
from foreshock.contract import Origin

_MOST_TICKS = 10_000
_ANEW = frozenset({WorkKind.REPAIR, WorkKind.REPLACEMENT})


def run(case: Case) -> Verdict:
    """Run a test: rows, commands and the passing of time, each at its place.

    Returns
    -------
    Verdict
        What was expected beside what came.
    """
    return judge(case.file, case.title, case.expect, transitions(case), case.starts_ns)


def transitions(case: Case) -> list[AlertTransition]:
    """All transitions of a test, in order."""
    trial = _Trial(case)
    for log_ns, happens in merge(_rows(case), _asked(case), key=lambda each: each[0]):
        trial.wait(log_ns)
        if isinstance(happens, Happening):
            trial.ask(happens, log_ns)
        else:
            point, row, setting = happens
            trial.measure(point, row, setting, log_ns)
    trial.wait(case.until_ns + 1)
    return trial.told


@dataclass(slots=True)
class _Setting:
    """What holds for the readings of a point at a time."""

    trend: float | None = None
    hypothesis: str = ""
    effect: tuple[tuple[str, float, float], ...] = ()
    fault: str = ""
    machine: str = "running"
    parent: str = ""
    mode: str = "model"
    late_ns: int = 0
    comes_ns: int = 0  # backlog: not before

    def take(self, happens: Happening) -> None:
        """Change what a line of `when` says."""
        text = "" if happens.words == ("none",) else " ".join(happens.words)
        if happens.word == "trend":
            self.trend = float(text) if text else None
        elif happens.word == "effect":
            self.effect = ((happens.words[0], float(happens.words[1]), float(happens.words[2])),) if text else ()
        elif happens.word == "late":
            self.late_ns = (span(text) or 0) if text else 0
        elif happens.word == "backlog":
            self.comes_ns = happens.until_ns
        else:
            setattr(self, happens.word, text)


def _rows(case: Case) -> Iterator[tuple[int, Any]]:
    """Rows in the order in which they come: (log time since the start, (point, row, setting))."""
    found: list[tuple[int, int, str, Row, _Setting]] = []
    for point, rows in case.rows:
        setting = _Setting()
        waiting = [each for each in case.when if each.asked is None and each.point in {"", point}]
        for row in rows:
            while waiting and waiting[0].at_ns <= row.at_ns:
                setting.take(waiting.pop(0))
            log_ns = max(row.at_ns + setting.late_ns, setting.comes_ns)
            found.append((log_ns, row.at_ns, point, row, replace(setting)))
    order = [point for point, _ in case.rows]
    found.sort(key=lambda each: (each[0], each[1], order.index(each[2])))
    return ((log_ns, (point, row, setting)) for log_ns, _, point, row, setting in found)


def _asked(case: Case) -> Iterator[tuple[int, Any]]:
    return ((each.at_ns, each) for each in case.when if each.asked is not None)


@dataclass(slots=True)
class _Trial:
    """The state of one asset while a test runs."""

    case: Case
    alarm: Alarm = field(default_factory=Alarm)
    conditions: dict[str, Condition] = field(default_factory=dict)
    told: list[AlertTransition] = field(default_factory=list)
    places: int = 0
    ticks: int = 0
    setting: _Setting = field(default_factory=_Setting)  # of the newest row

    def wait(self, until_ns: int) -> None:
        """Let time go on to just before `until_ns`, and take up what is due on the way."""
        case, start = self.case, self.case.starts_ns
        while (due := lifecycle.due_ns(case.policy, self.alarm, case.asset.path)) is not None:
            at_ns = max(due, start)
            if at_ns >= start + until_ns:
                return
            self.ticks += 1
            if self.ticks > _MOST_TICKS:
                raise RuntimeError(
                    f"{case.file}: time does not go on at {(at_ns - start) / NS:g} s: a tick changes nothing"
                )
            context = self._context("tick", at_ns, at_ns)
            self._after(context, lifecycle.tick(case.policy, self.alarm, at_ns, context))

    def measure(self, point: str, row: Row, setting: _Setting, log_ns: int) -> None:
        """Fold one row in."""
        policy, start = self.case.policy, self.case.starts_ns
        self.setting = setting
        reading = Reading(
            at_ns=start + row.at_ns,
            value=row.value,
            trend=setting.trend,
            hypothesis=setting.hypothesis,
            effect=setting.effect,
            usable=row.value is not None,
            running=setting.machine != "stopped",
            inhibited=setting.fault in policy.inhibit_on,
            mode=setting.mode,
            delayed_s=(log_ns - row.at_ns) / NS,
        )
        margin = effect(self.alarm.labels, asset=self.case.asset.asset, level=level(policy)).margin_factor
        condition, demand = evaluate(policy, self.conditions.get(point, Condition()), reading, margin)
        self.conditions[point] = condition
        context = self._context("sensors.v1", start + row.at_ns, start + log_ns)
        self._after(context, lifecycle.step(policy, self.alarm, {point: demand}, context))

    def ask(self, happens: Happening, log_ns: int) -> None:
        """Give a command or a work order."""
        case, start = self.case, self.case.starts_ns
        context = self._context("control.v1", start + log_ns, start + log_ns)
        incident = self.alarm.incident
        asked = _placed(happens.asked, case, self.places, incident.alert_id if incident else "")
        if isinstance(asked, Command):
            self._after(context, lifecycle.command(case.policy, self.alarm, asked, context))
        elif isinstance(asked, WorkOrder):
            if asked.kind in _ANEW:
                self.conditions.clear()
            self._after(context, lifecycle.work(case.policy, self.alarm, asked, context))

    def _context(self, topic: str, at_ns: int, log_ns: int) -> Context:
        self.places += 1
        origin = Origin(topic=topic, topic_id="policy-test", partition=0, offset=self.places, ingest_ns=log_ns)
        machine = self.setting.machine
        return Context(
            asset=self.case.asset,
            origin=origin,
            at_ns=at_ns,
            running=machine != "stopped",
            maintenance=machine == "maintenance",
            parent=self.setting.parent,
        )

    def _after(self, context: Context, step: tuple[Alarm, tuple[Draft, ...]]) -> None:
        self.alarm, drafts = step
        self.told += [lifecycle.transition(self.case.policy, draft, context) for draft in drafts]


def _placed(asked: Command | WorkOrder | None, case: Case, number: int, alert: str) -> Command | WorkOrder | None:
    """Give a command its asset, its ids, and times of UTC."""
    start = case.starts_ns
    if asked is not None and asked.alert_id == "this":
        asked = replace(asked, alert_id=alert)
    if isinstance(asked, Command):
        return replace(
            asked,
            command_id=asked.command_id or f"command-{number}",
            asset=case.asset.asset,
            at_ns=start + asked.at_ns,
            until_ns=None if asked.until_ns is None else start + asked.until_ns,
            from_ns=None if asked.from_ns is None else start + asked.from_ns,
        )
    if asked is None:
        return None
    return replace(
        asked, record_id=asked.record_id or f"work-{number}", asset=case.asset.asset, at_ns=start + asked.at_ns
    )
