"""The decision: from what stands, what is put aside, and the time, to the state that the alarm must be in. Pure.

`settle` may be called at any time and as often as one likes: where nothing changed it tells nothing. Whatever happens to
an alarm (a row, a command, a tick) changes what it looks at, and calls it.

What is above a level and not alerted is told with its reason, and keeps an incident open that was never raised: so it is
one incident with one id when it is raised later, and it is told once and not with every row.
"""

from __future__ import annotations

from foreshock.alerts.moves import alarm, change, overdue, raise_it
from foreshock.alerts.policy import Policy
from foreshock.alerts.states import Incident, Lead, Member
from foreshock.alerts.turn import HOUR_NS, NS, Turn, highest, lead_of, rank
from foreshock.alerts.vocabulary import AlarmState, Change, Severity, SuppressedBy
from foreshock.alerts.windows import holds_alerting

STANDING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})
Reason = tuple[SuppressedBy, str]


def advance(turn: Turn) -> None:
    """Take up what time alone has ended since, then settle."""
    members = []
    for member in turn.members:
        due = [fall for fall in member.falls if fall.at_ns <= turn.now_ns]
        if due:
            turn.fell_ns = max(turn.fell_ns or 0, due[-1].at_ns)
            turn.end(member.point, due[-1].severity)
            member = member._replace(severity=due[-1].severity, falls=member.falls[len(due) :])  # noqa: PLW2901  # the same one, later
        if member.severity is not None:
            members.append(member)
    turn.members = tuple(members)
    settle(turn)


def settle(turn: Turn) -> None:
    """Bring the alarm to the state that follows from its members, its shelf, its windows and the time."""
    if turn.shelf is not None and turn.log_ns >= turn.shelf.until_ns:
        turn.unshelve(f"the time it was shelved for by {turn.shelf.actor} is over")
    if turn.incident is None:
        return
    if turn.members:
        turn.set(over_ns=None)
    elif turn.incident.over_ns is None:
        turn.set(over_ns=turn.now_ns if turn.fell_ns is None else turn.fell_ns)
    turn.set(seen_ns=turn.now_ns)
    out = _out_of_service(turn)
    if turn.alert.state is AlarmState.OUT_OF_SERVICE and out is None:
        _return_to_service(turn)
    if out is not None or turn.shelf is not None:
        _beneath(turn, out)
    elif turn.alert.raised_ns is None:
        _unraised(turn)
    else:
        _raised(turn)
    _by_time(turn)


def _out_of_service(turn: Turn) -> Reason | None:
    window = holds_alerting(turn.policy, turn.rest, turn.context.asset.path, turn.now_ns)
    if window is not None:
        return SuppressedBy.MAINTENANCE_WINDOW, f"maintenance window {window.name}"
    return (SuppressedBy.OUT_OF_SERVICE, "the device says that it is worked on") if turn.alert.maintenance else None


def _return_to_service(turn: Turn) -> None:
    state = turn.alert.base if turn.shelf is None else AlarmState.SHELVED
    turn.tell(Change.RETURNED_TO_SERVICE, "maintenance is over", state=state)
    turn.forget(SuppressedBy.MAINTENANCE_WINDOW, SuppressedBy.OUT_OF_SERVICE)
    turn.left |= turn.shelf is None


def _beneath(turn: Turn, out: Reason | None) -> None:
    """Below a shelf or maintenance evaluation goes on; what would be alerted is told as suppressed."""
    shelf = turn.shelf
    by, why = out or (SuppressedBy.SHELVED, f"shelved by {shelf.actor}: {shelf.reason}" if shelf else "")
    state = AlarmState.OUT_OF_SERVICE if out else AlarmState.SHELVED
    raised = turn.alert.raised_ns is not None
    demanded = highest(each for member in turn.members if (each := member.severity))
    target = demanded if rank(demanded) >= rank(turn.alert.held) else turn.alert.held
    turn.set(held=None, suppressed_by=by)
    if raised and turn.alert.state is not state:
        turn.tell(Change.REMOVED_FROM_SERVICE, why, state=state)
    if target is not None and rank(target) > rank(_shown(turn)):
        turn.suppress(by, target, why, state, _lead(turn))


def _unraised(turn: Turn) -> None:
    """Raise what stands and was not raised so far, unless something withholds it."""
    if not turn.members:
        _let_go(turn, None)
        return
    free = [member for member in turn.members if member.withheld is None]
    gate = _gate(turn, free)
    turn.set(suppressed_by=gate[0] if gate else None)
    target = highest(each for member in free or turn.members if (each := member.severity))
    if target is None:
        raise AssertionError("members demand something")
    if gate is not None:
        turn.set(held=None)
        turn.suppress(gate[0], target, gate[1], AlarmState.SUPPRESSED, _lead(turn))
        return
    _let_go(turn, target)
    if _is_delayed(turn):
        turn.set(held=target)
        return
    if turn.alert.state is AlarmState.SUPPRESSED:
        turn.tell(Change.UNSUPPRESSED, "what suppressed it is over, and it stands", state=AlarmState.NORMAL)
    raise_it(turn, target, lead_of(free))
    _more_withheld(turn)


def _raised(turn: Turn) -> None:
    """Move an alert that was raised to what its members demand now."""
    shown = _shown(turn)
    free = [member for member in turn.members if member.withheld is None]
    target = highest(each for member in free if (each := member.severity))
    if shown is not None:  # what is withheld raises nothing; it does not take back what was raised either
        held = highest(each for member in turn.members if (each := member.severity))
        target = max(target, min(held, shown, key=rank), key=rank) if held else target
    _more_withheld(turn)
    turn.set(suppressed_by=None)
    if target is not None and rank(target) > rank(shown):
        target = _upwards(turn, shown, target, free)
    else:
        _let_go(turn, target)
    if shown is not None and target is None and turn.alert.chattering:
        if turn.now_ns < (turn.alert.over_ns or 0) + 60 * NS:
            return
        turn.set(chattering=False)
        turn.forget(SuppressedBy.CHATTERING)
    change(turn, shown, target, _lead(turn))


def _upwards(turn: Turn, shown: Severity | None, target: Severity, free: list[Member]) -> Severity | None:
    """The severity that an alert may go up to: that which is demanded, or for a reason that is told not more than is shown."""
    gate = _gate(turn, free)
    if gate is not None:
        turn.set(held=None, suppressed_by=gate[0])
        turn.suppress(gate[0], target, gate[1], turn.alert.state, lead_of(free))
        return shown
    _let_go(turn, target)
    if _is_delayed(turn):
        turn.set(held=target)
        return shown
    return target


def _more_withheld(turn: Turn) -> None:
    """Tell what is withheld above what is shown."""
    bound = [member for member in turn.members if member.withheld is not None]
    top = max(bound, key=lambda member: rank(member.severity), default=None)
    if top is not None and top.withheld and top.severity and rank(top.severity) > rank(_shown(turn)):
        turn.suppress(top.withheld, top.severity, _why(top), turn.alert.state, top.lead)


def _gate(turn: Turn, free: list[Member]) -> Reason | None:
    """What keeps a demand from being raised; None: nothing."""
    policy, now_ns = turn.policy, turn.now_ns
    if turn.alert.parent:
        return SuppressedBy.PARENT, f"the alarm of {turn.alert.parent} stands"
    if not free:
        top = max(turn.members, key=lambda member: rank(member.severity))
        return top.withheld or SuppressedBy.SENSOR_FAULT, _why(top)
    end_ns = None if turn.closed_ns is None else turn.closed_ns + int(policy.refractory_s * NS)
    if turn.alert.raised_ns is None and end_ns is not None and now_ns < end_ns:
        return SuppressedBy.REFRACTORY, f"the alert before it was closed less than {policy.refractory_s:g} s ago"
    lately = sum(at_ns > now_ns - HOUR_NS for at_ns in turn.raises)
    if _shown(turn) is None and policy.most_per_hour is not None and lately >= policy.most_per_hour:
        return SuppressedBy.RATE_LIMIT, f"it was raised {lately} times in the last hour; the policy allows no more"
    return None


def _why(member: Member) -> str:
    if member.withheld is SuppressedBy.MINIMUM_EFFECT:
        return f"what changed at {member.point} is within the minimum effect of the policy"
    return f"the sensor of {member.point} has a fault"


def _is_delayed(turn: Turn) -> bool:
    """Whether what stands is known from late records only, and newer ones may still come."""
    page_ns = int(turn.policy.page_delayed_s * NS)
    return turn.alert.delayed_s * NS > page_ns and turn.log_ns < turn.alert.heard_ns + page_ns


def _let_go(turn: Turn, target: Severity | None) -> None:
    """Tell what was held because its records were late, and is over by now; `target` is what still stands."""
    held = turn.alert.held
    turn.set(held=None)
    if held is not None and rank(held) > rank(target):
        state = AlarmState.SUPPRESSED if turn.alert.raised_ns is None else turn.alert.state
        why = f"its records came {turn.alert.delayed_s:.0f} s late, and it was over by then"
        lead = Lead(score=turn.alert.peak, rule=f"{held}, from late records only")
        turn.suppress(SuppressedBy.CLEARED_WHILE_DELAYED, held, why, state, lead)


def _shown(turn: Turn) -> Severity | None:
    """The severity that stands for those who were told; None: nothing does."""
    return turn.alert.severity if turn.alert.base in STANDING else None


def _lead(turn: Turn) -> Lead:
    """What stands behind a change: the highest member; where there is none, what was read in this turn."""
    free = [member for member in turn.members if member.withheld is None]
    if turn.members:
        return lead_of(free or turn.members)
    return turn.alert.lead._replace(
        score=max(turn.values.values(), default=None), rule="below every level that it stood on"
    )


def _by_time(turn: Turn) -> None:
    """Close what is over for long enough; remind of what nobody answered."""
    if turn.incident is None:
        return
    incident, policy = turn.incident, turn.policy
    over_s = None if incident.over_ns is None else (turn.now_ns - incident.over_ns) / NS
    if incident.raised_ns is None:
        if over_s is not None and over_s >= policy.close_after_s:
            times = ", ".join(told.by + (f" {told.times} times" if told.times > 1 else "") for told in incident.told)
            turn.close(f"over for {over_s:.0f} s and never raised" + (f": {times}" if times else ""))
    elif incident.state is AlarmState.NORMAL and over_s is not None and over_s >= policy.close_after_s:
        turn.close(f"acknowledged, and normal for {over_s:.0f} s")
    elif incident.state is AlarmState.RETURNED_UNACKNOWLEDGED and over_s is not None and over_s >= policy.stale_after_s:
        turn.close(f"stale: normal for {over_s:.0f} s, and nobody acknowledged it")
    elif incident.state is AlarmState.UNACKNOWLEDGED:
        if incident.respond_by_ns is not None and turn.log_ns >= incident.respond_by_ns:
            overdue(turn)
    elif incident.state is AlarmState.ACKNOWLEDGED and incident.severity is not None:
        again_ns = again_due_ns(policy, incident)
        if again_ns is not None and turn.log_ns >= again_ns:
            why = f"it stands still, {policy.realarm_after_s:g} s after {incident.acknowledged_by} acknowledged it"
            alarm(turn, Change.REALARMED, incident.severity, incident.lead, why)


def again_due_ns(policy: Policy, incident: Incident) -> int | None:
    """Log time at which an acknowledged alert is alarmed again, should it still stand."""
    if policy.realarm_after_s is None or incident.acknowledged_ns is None:
        return None
    return incident.acknowledged_ns + int(policy.realarm_after_s * NS)
