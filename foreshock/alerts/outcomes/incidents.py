"""Transitions to alerts: what the whole life of an incident comes to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change, Severity

_ANNOUNCED = frozenset({Change.RAISED, Change.REALARMED})  # what an operator hears
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
# What only an alert that was raised can have; a suppressed one that nobody heard of has neither.
_OF_RAISED = _ANNOUNCED | {Change.ESCALATED, Change.DE_ESCALATED, Change.ACKNOWLEDGED, Change.OVERDUE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One alert, from raised to closed. Times are ns in the order of the asset; None: not yet."""

    alert_id: str
    asset: str
    site: str
    policy: str  # name@hash that raised it
    rule: str  # level that was crossed, without its figures, so that alerts of one rule are together
    severity: Severity  # that it was raised with
    worst: Severity
    owner: str
    raised_ns: int
    announced_ns: tuple[int, ...]  # raised and re-alarmed
    acknowledged_ns: int | None
    acknowledged_by: str
    respond_by_ns: int | None
    returned_ns: int | None  # to normal, for good
    closed_ns: int | None
    overdue: int  # how often the next of the chain had to be told
    score: float | None  # that raised it
    trend: float | None
    hypothesis: str
    work_order: str
    anomaly_id: str
    mode: str
    points: tuple[str, ...]

    @property
    def ended_ns(self) -> int | None:
        """When it was over: returned to normal, else closed."""
        return self.returned_ns if self.returned_ns is not None else self.closed_ns


def unique(transitions: Iterable[AlertTransition]) -> tuple[AlertTransition, ...]:
    """Each transition once, by its id, in the order of time: topics deliver at least once."""
    found: dict[str, AlertTransition] = {}
    for each in transitions:
        found.setdefault(each.event_id, each)
    return tuple(sorted(found.values(), key=lambda each: each.at_ns))


def incidents(transitions: Iterable[AlertTransition]) -> tuple[Incident, ...]:
    """Fold transitions to alerts, in the order in which they were raised.

    Parameters
    ----------
    transitions
        In any order, with or without repeats. What was suppressed and never raised is no incident.
    """
    lives: dict[str, list[AlertTransition]] = {}
    for each in unique(transitions):
        if each.alert_id:
            lives.setdefault(each.alert_id, []).append(each)
    found = [_incident(life) for life in lives.values() if any(each.change in _OF_RAISED for each in life)]
    return tuple(sorted(found, key=lambda each: (each.raised_ns, each.alert_id)))


def _incident(life: list[AlertTransition]) -> Incident:
    first = next((each for each in life if each.change is Change.RAISED), None) or next(
        each for each in life if each.change in _OF_RAISED
    )  # its beginning may be past retention
    last = life[-1]
    acknowledged = next((each for each in life if each.change is Change.ACKNOWLEDGED), None)
    return Incident(
        alert_id=first.alert_id,
        asset=first.asset,
        site=first.site,
        policy=first.policy,
        rule=_NUMBER.sub("#", first.rule),
        severity=first.severity,
        worst=max((each.severity for each in life), key=lambda severity: severity.rank),
        owner=first.owner,
        raised_ns=first.raised_ns,
        announced_ns=tuple(each.at_ns for each in life if each.change in _ANNOUNCED),
        acknowledged_ns=acknowledged.at_ns if acknowledged else None,
        acknowledged_by=acknowledged.actor if acknowledged else "",
        respond_by_ns=first.respond_by_ns,
        returned_ns=_returned(life),
        closed_ns=next((each.at_ns for each in life if each.change is Change.CLOSED), None),
        overdue=sum(each.change is Change.OVERDUE for each in life),
        score=first.initial_score if first.initial_score is not None else first.score,
        trend=next((each.trend for each in reversed(life) if each.trend is not None), None),
        hypothesis=next((each.hypothesis for each in reversed(life) if each.hypothesis), ""),
        work_order=next((each.work_order for each in reversed(life) if each.work_order), ""),
        anomaly_id=first.anomaly_id,
        mode=first.mode,
        points=last.points or first.points,
    )


def _returned(life: list[AlertTransition]) -> int | None:
    """When it returned to normal, and stayed there."""
    since = None
    for each in life:
        if each.change is Change.RETURNED_TO_NORMAL:
            since = each.at_ns
        elif each.change in _ANNOUNCED or each.change is Change.ESCALATED:
            since = None
    return since
