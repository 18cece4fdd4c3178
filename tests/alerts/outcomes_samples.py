"""Alerts, labels and work orders to make outcomes of: everything that a test does not say has a plain value."""

from foreshock.alerts.outcomes.reliability import Exposure
from foreshock.alerts.outcomes.report import MONTH_S, Given, report
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.vocabulary import AlarmState, Change, CommandKind, Severity, Verdict, WorkKind
from foreshock.contract import Origin

S, H, D = 1_000_000_000, 3600 * 1_000_000_000, 86400 * 1_000_000_000
MONTH = int(MONTH_S * S)


def transition(alert: str, change: Change, at_ns: int, asset: str = "pump-7", **more) -> AlertTransition:
    """One transition of an alert that was raised when its id says, if nothing else is given."""
    plain = {
        "event_id": f"{alert} {change} {at_ns}",
        "alert_id": alert,
        "change": change,
        "state": AlarmState.UNACKNOWLEDGED,
        "before": AlarmState.NORMAL,
        "asset": asset,
        "path": ("acme", "north"),
        "site": "north",
        "points": ("drive-end",),
        "severity": Severity.WARNING,
        "score": 2.5,
        "initial_score": 2.5,
        "trend": 0.01,
        "hypothesis": "outer race",
        "mode": "model",
        "at_ns": at_ns,
        "raised_ns": at_ns,
        "suppressed_by": None,
        "reason": "",
        "actor": "policy",
        "command_id": "",
        "policy": "pumps@1234",
        "rule": "score 2.50 at or above 2.00",
        "priority": 2,
        "priority_inputs": (),
        "owner": "maintenance",
        "escalation": (),
        "runbook": ("look",),
        "action": "inspect",
        "respond_by_ns": at_ns + H,
        "work_order": "",
        "anomaly_id": "an",
        "evidence": "",
        "effect": "",
        "delayed_s": 0.0,
        "origin": Origin(topic="sensors.v1", topic_id="t", partition=0, offset=0, ingest_ns=at_ns),
        "trace_id": "",
    }
    return AlertTransition(**(plain | more))


def life(alert: str, raised: int, *, acknowledged=None, returned=None, closed=None, asset="pump-7", **more):
    """All transitions of an alert."""
    times = (
        (Change.RAISED, raised),
        (Change.ACKNOWLEDGED, acknowledged),
        (Change.RETURNED_TO_NORMAL, returned),
        (Change.CLOSED, closed),
    )
    base = {"raised_ns": raised, "respond_by_ns": raised + H} | more
    states = {
        Change.RAISED: AlarmState.UNACKNOWLEDGED,
        Change.ACKNOWLEDGED: AlarmState.ACKNOWLEDGED,
        Change.RETURNED_TO_NORMAL: AlarmState.NORMAL if acknowledged else AlarmState.RETURNED_UNACKNOWLEDGED,
        Change.CLOSED: AlarmState.NORMAL,
    }
    return [
        transition(alert, change, at, asset, **{"state": states[change]} | base)
        for change, at in times
        if at is not None
    ]


def labelled(alert: str, verdict: Verdict, at_ns: int, asset: str = "pump-7", **more) -> list[Command]:
    """The two commands of an accepted label."""
    plain = {"kind": CommandKind.LABEL, "asset": asset, "reason": "looked at it", "at_ns": at_ns}
    name = f"l-{alert}"
    first = {"command_id": name, "actor": "anna", "alert_id": alert, "verdict": verdict} | more
    return [
        Command(**plain, **first),
        Command(**plain, command_id=f"{name}+", actor="ben", label_id=name, accept=True),
    ]


def work(number: str, kind: WorkKind, at_ns: int, asset: str = "pump-7", **more) -> WorkOrder:
    """One record of a work order."""
    plain = {"record_id": f"{number} {kind} {at_ns}", "kind": kind, "asset": asset, "actor": "carl"}
    return WorkOrder(work_order=number, at_ns=at_ns, **(plain | more))


def month(transitions=(), commands=(), work_orders=(), assets=("pump-7",), asset_class="pump", **more):
    """The report of one month from 0."""
    exposures = {
        name: Exposure(asset=name, asset_class=asset_class, observed_s=MONTH_S, running_s=MONTH_S) for name in assets
    }
    given = {
        "from_ns": 0,
        "until_ns": MONTH,
        "transitions": tuple(transitions),
        "commands": tuple(commands),
        "work_orders": tuple(work_orders),
        "exposures": exposures,
    }
    return report(Given(**(given | more)))
