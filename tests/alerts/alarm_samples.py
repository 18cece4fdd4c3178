"""A machine, a policy and a bench on which an alarm is driven by hand: rows, commands and ticks at stated seconds."""

from dataclasses import replace

from foreshock.alerts.conditions import Condition, Reading, evaluate
from foreshock.alerts.lifecycle import Alarm, Context, command, due_ns, step, tick, transition, work
from foreshock.alerts.policy import Band, Policy
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.vocabulary import CommandKind, Severity, WorkKind
from foreshock.contract import Asset, Origin

S = 1_000_000_000
T0 = 1_750_000_000 * S  # a Sunday, 15 June 2025, 15:06:40 UTC
PUMP = Asset(asset="pump-7", path=("acme", "north", "hall-1", "line-3"), asset_class="pump", criticality="high")


def band(severity=Severity.WARNING, raise_at=2.0, clear_at=1.6, **more) -> Band:
    """A band with somebody who acts on it."""
    return Band(
        severity=severity,
        raise_at=raise_at,
        clear_at=clear_at,
        **{
            "owner": "maintenance",
            "runbook": ("Look at it.",),
            "action": "Look at it.",
            "respond_within_s": 600.0,
            "escalation": ("shift lead", "plant manager"),
            **more,
        },
    )


WATCH = band(Severity.WATCH, 1.0, 0.8)
WARNING = band()
CRITICAL = band(Severity.CRITICAL, 4.0, 3.2, respond_within_s=60.0)


def policy(*bands: Band, **more) -> Policy:
    """A policy of three bands without delays, if no others are given."""
    return Policy(name="test", version="0" * 64, bands=bands or (WATCH, WARNING, CRITICAL), **more)


class Bench:
    """An asset with its alert state; times are seconds after `T0`."""

    def __init__(self, rules: Policy | None = None, asset: Asset = PUMP) -> None:
        self.policy = rules or policy()
        self.asset = asset
        self.alarm = Alarm()
        self.conditions: dict[str, Condition] = {}
        self.told: list[AlertTransition] = []
        self.parent = ""
        self.now_s = 0.0  # of the log
        self._offset = 0

    def context(self, at_s: float, late_s: float = 0.0, topic: str = "sensors.v1", **more) -> Context:
        """The context of the next record."""
        self._offset += 1
        self.now_s = max(self.now_s, at_s + late_s)
        at_ns = T0 + round(at_s * S)
        origin = Origin(
            topic=topic, topic_id=topic, partition=0, offset=self._offset, ingest_ns=at_ns + round(late_s * S)
        )
        return Context(asset=self.asset, origin=origin, at_ns=at_ns, parent=self.parent, **more)

    def _done(self, found, context) -> list[str]:
        self.alarm, drafts = found
        told = [transition(self.policy, draft, context) for draft in drafts]
        self.told += told
        return [words(each) for each in told]

    def row(self, at_s: float, value: float | None, point: str = "de", *, late_s=0.0, maintenance=False, **more):
        """One reading of one point; gives what was told."""
        reading = Reading(T0 + round(at_s * S), value, delayed_s=late_s, **more)
        condition, demand = evaluate(self.policy, self.conditions.get(point, Condition()), reading)
        self.conditions[point] = condition
        context = self.context(at_s, late_s, maintenance=maintenance)
        return self._done(step(self.policy, self.alarm, {point: demand}, context), context)

    def rows(self, first_s: int, *values: float) -> list[str]:
        """One reading a second."""
        return [each for place, value in enumerate(values) for each in self.row(first_s + place, value)]

    def tick(self, at_s: float) -> list[str]:
        """It is so late in the log."""
        context = self.context(at_s)
        return self._done(tick(self.policy, self.alarm, context.at_ns, context), context)

    def due_s(self) -> float | None:
        """When the next tick is due."""
        at_ns = due_ns(self.policy, self.alarm, self.asset.path)
        return None if at_ns is None else (at_ns - T0) / S

    def ask(self, kind: CommandKind, at_s: float, **more) -> list[str]:
        """Somebody asks for something; `until_s` and `from_s` are seconds as well."""
        context = self.context(at_s, topic="control.v1")
        for name in ("until", "from"):
            if f"{name}_s" in more:
                more[f"{name}_ns"] = T0 + round(more.pop(f"{name}_s") * S)
        plain = {"command_id": f"c{context.origin.offset}", "actor": "ada", "reason": "because", "at_ns": context.at_ns}
        asked = Command(kind=kind, asset=self.asset.asset, **{**plain, **more})
        return self._done(command(self.policy, self.alarm, asked, context), context)

    def order(self, kind: WorkKind, at_s: float, work_order: str = "4711", **more) -> list[str]:
        """Maintenance says something."""
        context = self.context(at_s, topic="maintenance.v1")
        plain = {"record_id": f"m{context.origin.offset}", "actor": "crew", "at_ns": context.at_ns}
        given = WorkOrder(kind=kind, asset=self.asset.asset, work_order=work_order, **{**plain, **more})
        return self._done(work(self.policy, self.alarm, given, context), context)

    @property
    def state(self) -> str:
        """State of the open alert; "" without one."""
        return "" if self.alarm.incident is None else self.alarm.incident.state.value

    @property
    def last(self) -> AlertTransition:
        """What was told last."""
        return self.told[-1]


def words(told: AlertTransition) -> str:
    """A transition in short: `raised warning`, `suppressed warning fleeting`."""
    by = f" {told.suppressed_by}" if told.suppressed_by and told.change == "suppressed" else ""
    return f"{told.change} {told.severity}{by}"


def without(rules: Policy, **changes) -> Policy:
    """A policy with other fields."""
    return replace(rules, **changes)
