"""The short way of a row that changes nothing but when its asset was heard last. Pure.

An alert that stands, or is over and waits for its end, does so for minutes, and every row of its asset comes by meanwhile.
Nearly all of them are below every level. What they lead to is what `conditions.evaluate` and `lifecycle.step` give, in a
twentieth of the time; where it may be more, `unmoved` and `heard` say so, and the row goes the long way.
"""

from __future__ import annotations

from foreshock.alerts.conditions import Condition
from foreshock.alerts.policy import Band, Policy
from foreshock.alerts.settle import STANDING
from foreshock.alerts.states import Alarm, Incident
from foreshock.alerts.turn import NS
from foreshock.alerts.vocabulary import AlarmState, Severity

LAG_NS = NS  # a lag that varies by less is the same: due times stay where they are
_UNRAISED = frozenset({AlarmState.NORMAL, AlarmState.SUPPRESSED})
_RAISED = frozenset({AlarmState.NORMAL, AlarmState.RETURNED_UNACKNOWLEDGED, *STANDING})


def unmoved(policy: Policy, condition: Condition, at_ns: int, value: float, scale: float) -> bool:
    """Say whether a reading below every level, of a sound sensor, leaves the condition of its point and its demand as they are.

    So it is where every band that stands goes on to be in its deadband, or below its clear level for less than its off-delay.

    Parameters
    ----------
    scale
        What the clear levels are multiplied by: the `factor` of `evaluate`, 1 for a static limit.
    """
    if policy.minimum_effect is not None or condition.withheld is not None:
        return False
    counts = {count.severity: count for count in condition.counts}
    above = False
    for band in sorted(policy.bands, key=_downwards):
        count = counts.pop(band.severity, None)
        if count is None:
            if above:  # what demands more demands this as well, from this reading on
                return False
            continue
        above = True
        under_ns = count.under_ns
        if not count.standing or (under_ns is not None) is not (value < band.clear_at * scale):
            return False
        if under_ns is not None and not under_ns <= at_ns < under_ns + int(band.off_delay_s * NS):
            return False
    return not counts


def heard(
    policy: Policy,
    alarm: Alarm,
    *,
    point: str,
    demands: Severity | None,
    value: float,
    at_ns: int,
    log_ns: int,
    parent: str,
    due_ns: int | None,
) -> Alarm | None:
    """Give what `lifecycle.step` gives for a row that demands what its point demanded before; None: it may be more.

    Parameters
    ----------
    point, demands
        The measuring point, and what it demands; None: nothing.
    value
        Of the row.
    at_ns, log_ns
        Source time and log time of the row.
    parent
        The parent asset whose alarm stands.
    due_ns
        Log time at which time alone would change something, by the lag of the row to within `LAG_NS`; it may be early.
    """
    incident = alarm.incident
    if (
        incident is None
        or incident.parent != parent
        or incident.maintenance
        or alarm.ended
        or alarm.shelf is not None
        or alarm.windows
        or policy.windows
        or (due_ns is not None and log_ns >= due_ns - 2 * LAG_NS)
    ):
        return None
    delayed_s = (log_ns - at_ns) / 1e9
    before = next((member.severity for member in alarm.members if member.point == point), None)
    if before is not demands or not (_stands(policy, alarm, incident, delayed_s) if alarm.members else _over(incident)):
        return None
    if demands is not None and (point not in incident.points or incident.peak is None or value > incident.peak):
        return None
    after = incident._replace(delayed_s=delayed_s, heard_ns=log_ns, seen_ns=at_ns)
    return alarm._replace(incident=after, lag_ns=log_ns - at_ns if lags(alarm, at_ns, log_ns) else alarm.lag_ns)


def lags(alarm: Alarm, at_ns: int, log_ns: int) -> bool:
    """Say whether a row has another lag than the rows before it: then due times have moved."""
    return abs(log_ns - at_ns - alarm.lag_ns) > LAG_NS


def _over(incident: Incident) -> bool:
    """Whether nothing is demanded any more, and all that this leads to was told."""
    states = _UNRAISED if incident.raised_ns is None else _RAISED - STANDING
    return incident.over_ns is not None and incident.held is None and incident.state in states


def _stands(policy: Policy, alarm: Alarm, incident: Incident, delayed_s: float) -> bool:
    """Whether what is demanded is what is shown, or held back for late records, and goes on to be."""
    if (
        incident.over_ns is not None
        or incident.suppressed_by is not None
        or any(each.withheld for each in alarm.members)
    ):
        return False
    target = max((each.severity for each in alarm.members if each.severity), key=lambda each: each.rank, default=None)
    if incident.raised_ns is not None:
        return incident.state in STANDING and incident.held is None and incident.severity is target
    late = delayed_s * NS > int(policy.page_delayed_s * NS) > 0
    return incident.state in _UNRAISED and incident.held is target and late


def _downwards(band: Band) -> int:
    return -band.severity.rank
