"""The life of an alert, after ISA-18.2: one incident of an asset at a time, from its first demand to `closed`. Pure.

Every function takes the policy, the state and a context, and gives the state after it with what is to be told. Decided:

- Out of service goes before shelved before suppressed. Evaluation goes on below; each way in has its way out, which is told
  before what stands by then is raised, escalated or alarmed again.
- What is suppressed keeps an incident open that was never raised. A reason is told once, and again for a higher severity,
  until the incident is raised or closed; it is closed when nothing demands it for `close_after_s`.
- An incident goes up with any point that is not withheld, and returns with the last one. A point that is withheld raises
  nothing and takes nothing back.
- What late records alone demand is held until a record is on time, or none has come for `page_delayed_s`.
- A returned alert closes when it is acknowledged and `close_after_s` are over, or unanswered after `stale_after_s`.
"""

from __future__ import annotations

from collections.abc import Mapping

from foreshock.alerts.commands import command, work
from foreshock.alerts.conditions import Demand
from foreshock.alerts.due import due_ns
from foreshock.alerts.policy import Policy
from foreshock.alerts.quiet import lags
from foreshock.alerts.settle import STANDING, advance, settle
from foreshock.alerts.states import Alarm, Context, Draft, Lead, Member, Step
from foreshock.alerts.transitions import transition
from foreshock.alerts.turn import Turn, rank
from foreshock.alerts.vocabulary import AlarmState, SuppressedBy

__all__ = ["Alarm", "Context", "Draft", "Step", "command", "due_ns", "step", "tick", "transition", "work"]

_MISSED = {
    SuppressedBy.FLEETING: "it was over before its on-delay was",
    SuppressedBy.N_OF_M: "too few of the last rows were at its level",
}


def step(policy: Policy, alarm: Alarm, demands: Mapping[str, Demand], context: Context) -> Step:
    """Take up what the measuring points of one row demand.

    Parameters
    ----------
    demands
        By measuring point: those that the row is of; the others stay as they were.
    context
        Of the row.

    Returns
    -------
    tuple of Alarm and tuple of Draft
        The state after the row, and the transitions, in order.
    """
    log_ns = context.origin.ingest_ns
    due = due_ns(policy, alarm, context.asset.path, log_ns - context.at_ns)
    overdue = due is not None and log_ns >= due
    if alarm.incident is None and not overdue and not alarm.ended and not _asks(demands):
        return alarm, ()
    turn = Turn(policy, alarm, context, log_ns=log_ns, at_ns=context.at_ns)
    if overdue:  # what time has ended comes before the row
        advance(turn)
    if turn.ended:
        demands = {point: _anew(turn, point, demand) for point, demand in demands.items()}
    if turn.incident is None:
        if not _asks(demands):
            return turn.done()
        turn.begin()
    if lags(alarm, context.at_ns, log_ns):
        turn.rest = turn.rest._replace(lag_ns=log_ns - context.at_ns)
    turn.fell_ns = None
    for point, demand in demands.items():
        _take(turn, point, demand)
    worked_on = {*turn.alert.maintenance, *demands} if context.maintenance else {*turn.alert.maintenance} - {*demands}
    turn.set(maintenance=tuple(sorted(worked_on)), parent=context.parent, heard_ns=log_ns)
    settle(turn)
    return turn.done()


def _asks(demands: Mapping[str, Demand]) -> bool:
    return any(demand.severity or demand.missed for demand in demands.values())


def _anew(turn: Turn, point: str, demand: Demand) -> Demand:
    """Leave out of a demand what has ended before, and is not reached anew."""
    ended = next((each for each in turn.ended if each.point == point), None)
    if ended is None:
        return demand
    turn.ended = tuple(each for each in turn.ended if each.point != point)
    if rank(demand.severity) <= rank(ended.severity):  # the condition knows by now
        return demand
    left = max(ended.severity, demand.reached, key=rank)
    if rank(left) >= rank(demand.severity):
        return demand
    turn.end(point, left)
    return demand._replace(
        severity=left, falls=tuple(each for each in demand.falls if rank(each.severity) < rank(left))
    )


def _take(turn: Turn, point: str, demand: Demand) -> None:
    """Make a measuring point a member of the incident, or no longer one."""
    incident, reading = turn.alert, demand.reading
    before = next((member for member in turn.members if member.point == point), None)
    others = [member for member in turn.members if member.point != point]
    lead = Lead(
        score=reading.value,
        rule=demand.rule,
        trend=reading.trend,
        hypothesis=reading.hypothesis,
        mode=reading.mode,
        anomaly_id=reading.anomaly_id,
        evidence=reading.evidence,
    )
    if reading.value is not None:
        turn.values[point] = reading.value
    if demand.severity is not None:
        same = before is not None and before.severity is demand.severity
        still = same and rank(demand.reached) < demand.severity.rank  # the reading says no more than that it stands
        kept = before.lead if before is not None and (still or not demand.rule) else lead
        others.append(Member(point, demand.severity, demand.withheld, demand.falls, kept))
    turn.members = tuple(sorted(others))
    if demand.severity or demand.missed:
        value = None if reading.inhibited else reading.value
        peak = max((each for each in (incident.peak, value) if each is not None), default=None)
        points = incident.points if point in incident.points else (*incident.points, point)
        turn.set(points=points, peak=peak)
    turn.set(delayed_s=reading.delayed_s)
    if demand.missed is not None and demand.missed_by is not None:
        shown = incident.severity if incident.base in STANDING else None
        if demand.missed.rank > rank(shown):
            if incident.raised_ns is None:
                turn.set(over_ns=None)  # it is closed so long after the last one
            unseen = incident.raised_ns is None and incident.state is AlarmState.NORMAL
            state = AlarmState.SUPPRESSED if unseen else incident.state
            why = _MISSED[demand.missed_by]
            turn.suppress(demand.missed_by, demand.missed, why, state, lead._replace(rule=demand.missed_rule))


def tick(policy: Policy, alarm: Alarm, at_ns: int, context: Context) -> Step:
    """Take up that it is `at_ns` (log time): what runs out by time alone. A second one at the same time does nothing.

    It must only be called when all records before that time are folded in, as ticks of the worker are.
    """
    turn = Turn(policy, alarm, context, log_ns=at_ns)
    if turn.incident is not None:
        turn.set(parent=context.parent)
    advance(turn)
    return turn.done()
