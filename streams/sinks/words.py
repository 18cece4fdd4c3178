"""A transition in words: the closed list of fields that templates may use. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import AlarmState, Change, Severity
from foreshock.streams.codec.headers import iso

Word = str | int | float
ENDED = frozenset({Change.CLOSED})
_SAID: Mapping[Change, str] = MappingProxyType(
    {
        Change.DE_ESCALATED: "less severe",
        Change.REALARMED: "raised again",
        Change.OVERDUE: "not acknowledged in time",
        Change.SUPPRESSED: "held back",
        Change.UNSUPPRESSED: "no longer held back",
        Change.REMOVED_FROM_SERVICE: "out of service",
        Change.RETURNED_TO_SERVICE: "back in service",
        Change.RETURNED_TO_NORMAL: "back to normal",
    }
)


def worst(alert: AlertTransition) -> Severity:
    """Give the highest severity that the alert has had."""
    return max(alert.severity, alert.worst, key=lambda each: each.rank)


def ended(alert: AlertTransition) -> bool:
    """Say whether the alert is over: closed, or back to normal after somebody acknowledged it."""
    return alert.change in ENDED or alert.state is AlarmState.NORMAL


def title(alert: AlertTransition) -> str:
    """Give one line: how bad, which machine, what happened."""
    return f"{alert.severity.upper()} {alert.asset}: {said(alert.change)}"


def said(change: Change) -> str:
    """Give a change in plain words."""
    return _SAID.get(change, change.replace("_", " "))


def description(alert: AlertTransition) -> str:
    """Give all that somebody needs to act, line by line."""
    where, points = " / ".join(alert.path) or alert.site, _listed(alert.points)
    lines = [
        f"{said(alert.change).capitalize()} at {when(alert.at_ns)}{f' by {alert.actor}' if alert.actor != 'policy' else ''}.",
        alert.reason,
        f"Line: {alert.asset}; machines: {machines(alert)}"
        if alert.members
        else f"Machine: {alert.asset}{f', {where}' if where else ''}{f'; measured at {points}' if points else ''}",
        f"Score: {_number(alert.score)} (1 is the boundary of normal); {alert.rule}" if alert.score is not None else "",
        f"What it looks like: {alert.hypothesis}" if alert.hypothesis else "",
        f"What to do: {alert.action}" if alert.action else "",
        *(f"  {number}. {step}" for number, step in enumerate(alert.runbook, start=1)),
        f"Who: {alert.owner}{f', then {_listed(alert.escalation)}' if alert.escalation else ''}",
        f"Answer by: {when(alert.respond_by_ns)}" if alert.respond_by_ns is not None else "",
        f"Work order: {alert.work_order}" if alert.work_order else "",
        f"Effect: {alert.effect}" if alert.effect else "",
        f"Alert {alert.alert_id}, priority {alert.priority}, policy {alert.policy}, trace {alert.trace_id}",
    ]
    return "\n".join(line for line in lines if line)


def machines(alert: AlertTransition) -> str:
    """Give the machines of the incident of a line, and how each stands; of another alert its own."""
    if not alert.members:
        return alert.asset
    found = [f"{each.severity}, {each.state.replace('_', ' ')}" if each.open else "closed" for each in alert.members]
    return _listed(tuple(f"{each.asset} ({text})" for each, text in zip(alert.members, found, strict=True)))


def when(at_ns: int | None) -> str:
    """Give a time in UTC to the second; "" for none."""
    return "" if at_ns is None else f"{iso(at_ns)[:19]}Z"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _number(value: float | None) -> Word:
    return "" if value is None else float(f"{value:.6g}")


# What a template may name. The list is closed: a name that is not here is refused before anything is sent.
FIELDS: Mapping[str, Callable[[AlertTransition], Word]] = MappingProxyType(
    {
        "title": title,
        "description": description,
        "event_id": lambda alert: alert.event_id,
        "alert_id": lambda alert: alert.alert_id,
        "change": lambda alert: alert.change.value,
        "said": lambda alert: said(alert.change),
        "status": lambda alert: "resolved" if ended(alert) else "firing",
        "state": lambda alert: alert.state.value,
        "before": lambda alert: alert.before.value,
        "asset": lambda alert: alert.asset,
        "path": lambda alert: "/".join(alert.path),
        "site": lambda alert: alert.site,
        "points": lambda alert: _listed(alert.points),
        "machines": machines,
        "severity": lambda alert: alert.severity.value,
        "worst": lambda alert: worst(alert).value,
        "score": lambda alert: _number(alert.score),
        "initial_score": lambda alert: _number(alert.initial_score),
        "trend": lambda alert: _number(alert.trend),
        "hypothesis": lambda alert: alert.hypothesis,
        "mode": lambda alert: alert.mode,
        "at": lambda alert: when(alert.at_ns),
        "raised": lambda alert: when(alert.raised_ns),
        "suppressed_by": lambda alert: alert.suppressed_by or "",
        "reason": lambda alert: alert.reason,
        "actor": lambda alert: alert.actor,
        "policy": lambda alert: alert.policy,
        "rule": lambda alert: alert.rule,
        "priority": lambda alert: alert.priority,
        "owner": lambda alert: alert.owner,
        "escalation": lambda alert: _listed(alert.escalation),
        "runbook": lambda alert: "\n".join(alert.runbook),
        "action": lambda alert: alert.action,
        "respond_by": lambda alert: when(alert.respond_by_ns),
        "work_order": lambda alert: alert.work_order,
        "anomaly_id": lambda alert: alert.anomaly_id,
        "evidence": lambda alert: alert.evidence,
        "effect": lambda alert: alert.effect,
        "trace_id": lambda alert: alert.trace_id,
    }
)


def words(alert: AlertTransition) -> dict[str, Word]:
    """Give every field of a transition."""
    return {name: give(alert) for name, give in FIELDS.items()}
