"""The records of alerting, as they stand on their topics; beside `foreshock/contract.py`, and built the same way.

`AlertTransition` on `alerts.v1`, `AlarmRecord` on `alarms.v1`, `Command` on `control.v1`, `WorkOrder` on `maintenance.v1`.
All times are nanoseconds of UTC. Ids are functions of the input's coordinates, or of the command's, never random.
"""

from __future__ import annotations

from dataclasses import dataclass

from foreshock.alerts.vocabulary import (
    AlarmState,
    Change,
    CommandKind,
    Holds,
    Severity,
    SuppressedBy,
    Verdict,
    WorkKind,
)
from foreshock.contract import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityInput:
    """One thing the priority was computed from, with its value."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMember:
    """The alert of one machine, as part of the incident of a line."""

    asset: str
    alert_id: str
    path: tuple[str, ...]
    state: AlarmState
    severity: Severity
    open: bool  # False: the alert is closed
    work_order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTransition:
    """An alert changed. One alert is one incident of one asset: its measuring points are members of it.

    With `members` it tells of the incident of a line (`incidents.v1`): `asset` is the line, `alert_id` the incident.
    """

    event_id: str
    alert_id: str  # of the whole life of the incident, from raised to closed
    change: Change
    state: AlarmState  # after the change
    before: AlarmState
    asset: str
    path: tuple[str, ...]
    site: str
    points: tuple[str, ...]  # measuring points that took part so far
    severity: Severity
    score: float | None  # that fired the change; never overwritten by later ones
    initial_score: float | None  # that raised the alert
    trend: float | None  # growth per hour
    hypothesis: str
    mode: str  # model | static_limit
    at_ns: int  # in the order of the asset: source time of the record, or the time of the command or tick
    raised_ns: int
    suppressed_by: SuppressedBy | None
    reason: str  # a sentence: why this change
    actor: str  # "policy", or who gave the command
    command_id: str
    policy: str  # name@hash of the policy that decided
    rule: str  # the level that was crossed, as text with its figures
    priority: int  # 1 is the most urgent
    priority_inputs: tuple[PriorityInput, ...]
    owner: str
    escalation: tuple[str, ...]  # who is told next, in order
    runbook: tuple[str, ...]  # steps
    action: str  # recommended
    respond_by_ns: int | None
    work_order: str
    anomaly_id: str  # event of `anomalies.v1` behind it, with its lineage and evidence
    evidence: str  # sha256 of that event's case
    effect: str  # of a label: what it changed
    delayed_s: float  # how late the record behind it came
    origin: Origin
    trace_id: str
    worst: Severity = Severity.INFO  # from here on: of the alert after the change, for `alarm_record`
    peak: float | None = None
    acknowledged_by: str = ""
    shelved_until_ns: int | None = None
    line: str = ""  # whose alerts are one incident, as the policy groups; "": this asset's alone
    line_window_s: float = 0.0  # and within which time
    members: tuple[LineMember, ...] = ()
    cause: str = ""  # of the incident of a line: the event of `alerts.v1` that changed it


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRecord:
    """The present state of an alert: what a newcomer needs to know of it without its history."""

    alert_id: str
    asset: str
    state: AlarmState
    severity: Severity
    worst: Severity
    points: tuple[str, ...]
    raised_ns: int
    changed_ns: int
    acknowledged_by: str
    shelved_until_ns: int | None
    suppressed_by: SuppressedBy | None
    work_order: str
    owner: str
    last_event_id: str
    initial_score: float | None
    peak: float | None
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody asks for. Its key on `control.v1` is the asset."""

    command_id: str
    kind: CommandKind
    asset: str
    actor: str
    reason: str
    at_ns: int
    alert_id: str = ""  # acknowledge, shelve, unshelve, close: empty is the open one of the asset
    until_ns: int | None = None  # shelve, window
    from_ns: int | None = None  # window, label
    holds: Holds = Holds.BOTH  # window
    verdict: Verdict | None = None  # label
    fault_code: str = ""  # label: after ISO 14224
    note: str = ""
    work_order: str = ""
    label_id: str = ""  # label: the one that is revised or accepted
    accept: bool = False  # label: the second step; by another person than the first


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """What maintenance did, or will do. Its key on `maintenance.v1` is the asset."""

    record_id: str
    kind: WorkKind
    asset: str
    work_order: str
    at_ns: int
    actor: str
    alert_id: str = ""
    failure_mode: str = ""
    failure_cause: str = ""
    planned: bool = False
    note: str = ""
    downtime_s: float | None = None
    finished_ns: int | None = None
    incident_id: str = ""  # of a line: what it was raised for, `alert_id` being a member


def ends(told: AlertTransition) -> bool:
    """Say whether nothing stands any more after a change: the alert is closed, or was never raised and is over."""
    silent = told.change in {Change.SUPPRESSED, Change.UNSUPPRESSED}
    return told.change is Change.CLOSED or (silent and told.state is AlarmState.NORMAL)


def moves(told: AlertTransition) -> bool:
    """Say whether a change is one of an alert that stood until then: a label, or a work order, may come after its end."""
    if not told.alert_id or told.change in {Change.LABELLED, Change.REFUSED}:
        return False
    return told.change is not Change.WORK_ORDER or told.state is not AlarmState.NORMAL


def alarm_record(told: AlertTransition) -> AlarmRecord:
    """Give the present state of an alert after a change: a function of the change alone."""
    return AlarmRecord(
        alert_id=told.alert_id,
        asset=told.asset,
        state=told.state,
        severity=told.severity,
        worst=max(told.worst, told.severity, key=lambda each: each.rank),
        points=told.points,
        raised_ns=told.raised_ns,
        changed_ns=told.at_ns,
        acknowledged_by=told.acknowledged_by,
        shelved_until_ns=told.shelved_until_ns,
        suppressed_by=told.suppressed_by,
        work_order=told.work_order,
        owner=told.owner,
        last_event_id=told.event_id,
        initial_score=told.initial_score,
        peak=told.peak,
        origin=told.origin,
    )
