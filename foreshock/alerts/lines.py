"""The alerts of one line as one incident: what `incidents.v1` tells instead of `alerts.v1`. Pure.

A line that stops alarms on every machine that stands on it; somebody wants to be told once. This folds the transitions of
alerts, in the order in which they are given, into incidents of lines. Each transition becomes exactly one record: itself
where no line has it (its policy does not group, it is an answer to a command, it was never raised), else a change of the
incident that its alert belongs to. So whoever reads the records in the place of the transitions misses none.

An incident begins with the first alert that is raised, takes up what is raised on its line within its window of asset time,
is as severe as its worst member, and ends when all members are closed. An alert that is raised later is another incident:
what stands for days must not swallow what happens then.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from foreshock import lineage
from foreshock.alerts.records import AlertTransition, LineMember, moves
from foreshock.alerts.vocabulary import AlarmState, Change, Severity

NS = 1_000_000_000
LATELY = 2000  # events of a partition that are remembered: a worker that was killed may send its last ones again
_STANDING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})
_UNANSWERED = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED})
_AT_REST = (AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE, AlarmState.SUPPRESSED)
_OVER = frozenset({Change.RETURNED_TO_NORMAL, Change.SHELVED, Change.REMOVED_FROM_SERVICE})
_ALARMS = frozenset({Change.RAISED, Change.ESCALATED, Change.REALARMED})
_QUIET = frozenset({Change.SUPPRESSED, Change.UNSUPPRESSED})  # their severity is not one that stands


class Member(NamedTuple):
    """An alert that is part of an incident, as it was told last."""

    last: AlertTransition
    is_open: bool = True


class LineIncident(NamedTuple):
    """One incident of a line, from its first alert until all are closed."""

    incident_id: str
    line: str
    began_ns: int  # asset time at which its first alert was raised
    window_s: float
    initial_score: float | None
    severity: Severity  # as it stood last
    worst: Severity
    members: tuple[Member, ...] = ()  # in the order in which they came; one of each asset
    told: tuple[str, ...] = ()  # of escalation chains: who was told that nobody answered


class _View(NamedTuple):
    """How the members stand together."""

    state: AlarmState
    severity: Severity | None  # None: nothing stands


Incidents = tuple[LineIncident, ...]


class Lines:
    """The lines with an open incident.

    Parameters
    ----------
    state
        Incidents by line, as `state` gave them.
    """

    def __init__(self, state: Mapping[str, Incidents] | None = None) -> None:
        self._lines = dict(state or {})
        self._where = {asset: line for line, found in self._lines.items() for asset in _assets(found)}

    def take(self, told: AlertTransition) -> tuple[AlertTransition, str]:
        """Fold a transition; one that comes again has to be left out before (`Lately`).

        Returns
        -------
        AlertTransition
            What is told instead: the transition itself, or a change of an incident.
        str
            The line that changed; "": none did.
        """
        line = self._where.get(told.asset, told.line)
        before = self._lines.get(line, ())
        after, record = step(before, told)
        if after == before:
            return record, ""
        for asset in _assets(before):
            self._where.pop(asset, None)  # where state was lost and found again an asset may stand in two lines
        self._where |= dict.fromkeys(_assets(after), line)
        self._lines[line] = after
        if not after:
            del self._lines[line]
        return record, line

    def state(self, line: str) -> Incidents:
        """Give what has to be kept of a line; nothing where no incident is open."""
        return self._lines.get(line, ())

    def standing(self) -> int:
        """Count the incidents that are open."""
        return sum(map(len, self._lines.values()))


class Lately:
    """The events that came last, of one partition: a function of its last `LATELY` records, so nothing of it is kept."""

    def __init__(self, events: Iterable[str] = ()) -> None:
        self._order: deque[str] = deque(events, LATELY)
        self._known = Counter(self._order)

    def again(self, event_id: str) -> bool:
        """Take note of an event; say whether it came before."""
        repeated = event_id in self._known
        if len(self._order) == LATELY:
            oldest = self._order[0]
            self._known[oldest] -= 1
            if not self._known[oldest]:
                del self._known[oldest]
        self._order.append(event_id)
        self._known[event_id] += 1
        return repeated


def step(incidents: Incidents, told: AlertTransition) -> tuple[Incidents, AlertTransition]:
    """Fold a transition into the incidents of its line."""
    at = _place(incidents, told)
    if at is None:
        return incidents, told
    incident = incidents[at] if at < len(incidents) else _opened(told)
    known = _member(incident, told.asset)
    members = _with(incident.members, known, told)
    before = _view(incident.members) if incident.members else None
    now = _view(members)
    change = _change(incident, before, now, told, members)
    severity = now.severity or incident.severity
    incident = incident._replace(
        members=members,
        severity=severity,
        worst=max(incident.worst, severity, key=lambda each: each.rank),
        told=_chain(incident, change, told),
    )
    left = (*incidents[:at], *([] if change is Change.CLOSED else [incident]), *incidents[at + 1 :])
    return left, _record(incident, before, now, change, told)


def _assets(incidents: Incidents) -> Iterable[str]:
    return (member.last.asset for incident in incidents for member in incident.members if member.is_open)


def _place(incidents: Incidents, told: AlertTransition) -> int | None:
    """Which incident a transition belongs to: the one with its alert; one that begins with it has the next number."""
    mine = [number for number, each in enumerate(incidents) if _is_open(_member(each, told.asset))]
    known = next((number for number in mine if _alert(incidents[number], told.asset) == told.alert_id), None)
    if known is None and told.change is Change.RAISED and told.line:
        # An asset has one alert at a time: another one takes the place of one whose end was never told.
        near = [n for n, each in enumerate(incidents) if abs(told.raised_ns - each.began_ns) <= each.window_s * NS]
        return mine[0] if mine else near[-1] if near else len(incidents)
    return known if known is not None and moves(told) else None


def _member(incident: LineIncident, asset: str) -> Member | None:
    return next((each for each in incident.members if each.last.asset == asset), None)


def _is_open(member: Member | None) -> bool:
    return member is not None and member.is_open


def _alert(incident: LineIncident, asset: str) -> str:
    member = _member(incident, asset)
    return member.last.alert_id if member else ""


def _opened(told: AlertTransition) -> LineIncident:
    return LineIncident(
        incident_id=lineage.event_id("incident", told.origin, 0, told.line, told.alert_id),
        line=told.line,
        began_ns=told.raised_ns,
        window_s=told.line_window_s,
        initial_score=told.initial_score,
        severity=told.severity,
        worst=told.severity,
    )


def _with(members: tuple[Member, ...], known: Member | None, told: AlertTransition) -> tuple[Member, ...]:
    """The members after a transition; what was suppressed does not change how severe an alert stands."""
    if known is not None and told.change in _QUIET:
        told = replace(told, severity=known.last.severity)
    member = Member(told, told.change is not Change.CLOSED)
    if known is None:
        return (*members, member)
    return tuple(member if each is known else each for each in members)


def _view(members: tuple[Member, ...]) -> _View:
    """Unacknowledged while something stands and one member has no answer; else as the first of the states at rest."""
    found = [each.last for each in members if each.is_open]
    states = {each.state for each in found}
    standing = [each.severity for each in found if each.state in _STANDING]
    if standing:
        state = AlarmState.UNACKNOWLEDGED if states & _UNANSWERED else AlarmState.ACKNOWLEDGED
        return _View(state, max(standing, key=lambda each: each.rank))
    return _View(next((each for each in _AT_REST if each in states), AlarmState.NORMAL), None)


def _change(
    incident: LineIncident, before: _View | None, now: _View, told: AlertTransition, members: tuple[Member, ...]
) -> Change:
    """What a transition means for the incident: what somebody has to hear first."""
    if before is None:
        return Change.RAISED
    was, rank, said = _rank(before.severity), _rank(now.severity), told.change
    answered = before.state in _UNANSWERED and now.state not in _UNANSWERED
    asks = now.state is AlarmState.UNACKNOWLEDGED and before.state is not AlarmState.UNACKNOWLEDGED
    cases = (
        (not any(each.is_open for each in members), Change.CLOSED),
        (rank > was >= 0, Change.ESCALATED),
        (rank > was or asks, Change.REALARMED),
        (rank < 0 <= was, said if said in _OVER else Change.RETURNED_TO_NORMAL),
        (said is Change.ACKNOWLEDGED and answered, Change.ACKNOWLEDGED),
        (rank < was, Change.DE_ESCALATED),
        (said is Change.OVERDUE and _next(told) not in incident.told, Change.OVERDUE),
        (said is Change.WORK_ORDER and told.work_order not in _orders(incident.members), Change.WORK_ORDER),
        (said is Change.RAISED, Change.JOINED),
        (said is Change.CLOSED, Change.LEFT),
    )
    return next((change for holds, change in cases if holds), Change.MEMBER_CHANGED)


def _rank(severity: Severity | None) -> int:
    return -1 if severity is None else severity.rank


def _next(told: AlertTransition) -> str:
    """Who is told by a transition that nobody answered; "": the chain has ended."""
    return told.escalation[0] if told.escalation else ""


def _orders(members: tuple[Member, ...]) -> set[str]:
    return {each.last.work_order for each in members}


def _chain(incident: LineIncident, change: Change, told: AlertTransition) -> tuple[str, ...]:
    """Whom of the chains it was told to; an alarm begins anew."""
    if change in _ALARMS:
        return ()
    return (*incident.told, _next(told)) if change is Change.OVERDUE else incident.told


def _record(
    incident: LineIncident, before: _View | None, now: _View, change: Change, told: AlertTransition
) -> AlertTransition:
    """The record of a change. Its id is a function of that of the transition behind it: told again, it is the same."""
    there = [each.last for each in incident.members if each.is_open]
    standing = [each for each in there if each.state in _STANDING]
    lead = max(standing, key=lambda each: each.severity.rank, default=told)  # of equal ones the first
    due = [each.respond_by_ns for each in there if each.respond_by_ns is not None]
    orders = [each.last.work_order for each in incident.members if each.last.work_order]
    answered = now.state not in _UNANSWERED
    return replace(
        told,
        event_id=lineage.event_id("incident.change", told.origin, 0, told.event_id),
        alert_id=incident.incident_id,
        change=change,
        state=now.state,
        before=before.state if before else AlarmState.NORMAL,
        asset=incident.line,
        path=tuple(incident.line.split("/")),
        points=tuple(f"{each.last.asset}/{point}" for each in incident.members for point in each.last.points),
        severity=incident.severity,
        initial_score=incident.initial_score,
        raised_ns=incident.began_ns,
        suppressed_by=told.suppressed_by if now.severity is None else None,
        reason=f"{told.asset}: {told.change.replace('_', ' ')}: {told.reason}",
        priority=min((each.priority for each in there), default=told.priority),
        priority_inputs=lead.priority_inputs,
        owner=lead.owner,
        escalation=told.escalation if change is Change.OVERDUE else lead.escalation,
        runbook=lead.runbook,
        action=lead.action,
        respond_by_ns=min(due, default=None),
        work_order=orders[0] if orders else "",
        worst=incident.worst,
        peak=max((each.last.peak for each in incident.members if each.last.peak is not None), default=None),
        acknowledged_by=told.acknowledged_by if answered else "",
        shelved_until_ns=told.shelved_until_ns if now.state is AlarmState.SHELVED else None,
        line=incident.line,
        line_window_s=incident.window_s,
        members=tuple(map(_shown, incident.members)),
        cause=told.event_id,
    )


def _shown(member: Member) -> LineMember:
    last = member.last
    return LineMember(
        asset=last.asset,
        alert_id=last.alert_id,
        path=last.path,
        state=last.state,
        severity=last.severity,
        open=member.is_open,
        work_order=last.work_order,
    )
