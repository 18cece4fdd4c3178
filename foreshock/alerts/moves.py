"""The moves of a raised alert: each sets the state, and tells it. Pure."""

from __future__ import annotations

from foreshock.alerts.states import Lead
from foreshock.alerts.turn import HOUR_NS, NS, Turn, band_of, rank
from foreshock.alerts.vocabulary import AlarmState, Change, Severity, SuppressedBy


def raise_it(turn: Turn, severity: Severity, lead: Lead) -> None:
    """Raise the incident."""
    turn.forget()
    turn.set(raised_ns=turn.context.at_ns, initial_score=lead.score)
    alarm(turn, Change.RAISED, severity, lead, lead.rule)
    _chatters(turn, severity, lead)


def alarm(turn: Turn, change: Change, severity: Severity, lead: Lead, reason: str) -> None:
    """Have it unacknowledged at a severity: raised, escalated or alarmed again."""
    worst = turn.alert.worst
    turn.set(
        base=AlarmState.UNACKNOWLEDGED,
        severity=severity,
        worst=severity if rank(worst) < severity.rank else worst,
        lead=lead,
        acknowledged_by="",
        acknowledged_ns=None,
    )
    _ask(turn, severity)
    turn.tell(change, reason, state=AlarmState.UNACKNOWLEDGED)


def change(turn: Turn, shown: Severity | None, target: Severity | None, lead: Lead) -> None:
    """Move a raised alert from the severity that is shown to the one that is demanded; None is normal."""
    if target is None:
        if shown is not None:
            _return(turn, shown, lead)
    elif shown is None:
        alarm(turn, Change.REALARMED, target, lead, f"it is back: {lead.rule}")
        _chatters(turn, target, lead)
    elif target.rank > shown.rank:
        alarm(turn, Change.ESCALATED, target, lead, lead.rule)
    elif target.rank < shown.rank:
        turn.set(severity=target, lead=lead)
        turn.tell(Change.DE_ESCALATED, f"no longer {shown}: {lead.rule}")
    elif turn.left and turn.alert.base is AlarmState.ACKNOWLEDGED:
        alarm(turn, Change.REALARMED, target, lead, f"it stands after it was put aside: {lead.rule}")
    elif turn.left:
        _ask(turn, target)


def overdue(turn: Turn) -> None:
    """Tell the next of the escalation chain that nobody acknowledged the alert in its response window."""
    incident = turn.alert
    severity = incident.severity or Severity.INFO
    band = band_of(turn.policy, severity)
    told = band.escalation[incident.chain : incident.chain + 1]
    chain = incident.chain + 1
    more = chain < len(band.escalation)
    turn.set(chain=chain, respond_by_ns=turn.log_ns + int(band.respond_within_s * NS) if more else None)
    whom = f"next is {told[0]}" if told else "the escalation chain has ended"
    turn.tell(Change.OVERDUE, f"nobody acknowledged it within {band.respond_within_s:g} s; {whom}")


def _ask(turn: Turn, severity: Severity) -> None:
    """Begin the response window."""
    band = band_of(turn.policy, severity)
    turn.set(respond_by_ns=turn.log_ns + int(band.respond_within_s * NS), chain=0)


def _return(turn: Turn, shown: Severity, lead: Lead) -> None:
    answered = turn.alert.base is AlarmState.ACKNOWLEDGED
    base = AlarmState.NORMAL if answered else AlarmState.RETURNED_UNACKNOWLEDGED
    turn.set(base=base, respond_by_ns=None)
    turn.tell(
        Change.RETURNED_TO_NORMAL, turn.why or "no point demands it any more", state=base, severity=shown, lead=lead
    )


def _chatters(turn: Turn, severity: Severity, lead: Lead) -> None:
    """Note an alarm; where it chatters (ISA-18.2), have it held standing until it is quiet for a minute."""
    turn.raises = (*(at_ns for at_ns in turn.raises if at_ns > turn.now_ns - HOUR_NS), turn.now_ns)
    lately = sum(at_ns > turn.now_ns - 60 * NS for at_ns in turn.raises)
    if lately >= turn.policy.chattering_per_min and not turn.alert.chattering:
        turn.set(chattering=True)
        why = f"alarmed {lately} times within a minute: it is held standing until it is quiet for a minute"
        turn.suppress(SuppressedBy.CHATTERING, severity, why, turn.alert.state, lead)
