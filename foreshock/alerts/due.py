"""When time alone would next change something of an alarm. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from foreshock.alerts.policy import Policy
from foreshock.alerts.settle import STANDING, again_due_ns
from foreshock.alerts.states import Alarm, Incident
from foreshock.alerts.turn import HOUR_NS, NS
from foreshock.alerts.vocabulary import AlarmState, SuppressedBy
from foreshock.alerts.windows import next_change_ns


def due_ns(policy: Policy, alarm: Alarm, path: tuple[str, ...] = (), lag_ns: int | None = None) -> int | None:
    """The next log time at which a tick may tell something; None: never. Cheap for an idle asset.

    Parameters
    ----------
    path
        Place of the asset in the plant: for the windows of its line.
    lag_ns
        Log time less asset time; None: that of the last reading.
    """
    if alarm.incident is None:
        return None if alarm.shelf is None else alarm.shelf.until_ns
    shelf = () if alarm.shelf is None else (alarm.shelf.until_ns,)
    lag_ns = alarm.lag_ns if lag_ns is None else lag_ns
    machine = (at_ns + lag_ns for at_ns in _of_machine(policy, alarm, alarm.incident, path))
    return min((*shelf, *machine, *_of_people(policy, alarm.incident)), default=None)


def _of_machine(policy: Policy, alarm: Alarm, incident: Incident, path: tuple[str, ...]) -> Iterator[int]:
    """Give asset times: off-delays, windows, what follows from that the demand is over, what holds a raise back."""
    yield from (member.falls[0].at_ns for member in alarm.members if member.falls)
    if policy.windows or alarm.windows:
        change_ns = next_change_ns((*policy.windows, *alarm.windows), path, incident.seen_ns)
        yield from () if change_ns is None else (change_ns,)
    if incident.over_ns is not None:
        yield from _when_over(policy, incident, incident.over_ns)
    elif incident.suppressed_by is SuppressedBy.REFRACTORY and alarm.closed_ns is not None:
        yield alarm.closed_ns + int(policy.refractory_s * NS)
    elif incident.suppressed_by is SuppressedBy.RATE_LIMIT and policy.most_per_hour:
        yield from (at_ns + HOUR_NS for at_ns in alarm.raises[-policy.most_per_hour :][:1])


def _when_over(policy: Policy, incident: Incident, over_ns: int) -> Iterator[int]:
    if incident.raised_ns is None or incident.state is AlarmState.NORMAL:
        yield over_ns + int(policy.close_after_s * NS)
    elif incident.state is AlarmState.RETURNED_UNACKNOWLEDGED:
        yield over_ns + int(policy.stale_after_s * NS)
    elif incident.chattering and incident.state in STANDING:
        yield over_ns + 60 * NS


def _of_people(policy: Policy, incident: Incident) -> Iterator[int]:
    """Give log times: late records that nothing newer followed, the response window, an alarm again."""
    if incident.held is not None:
        yield incident.heard_ns + int(policy.page_delayed_s * NS)
    if incident.state is AlarmState.UNACKNOWLEDGED and incident.respond_by_ns is not None:
        yield incident.respond_by_ns
    again_ns = again_due_ns(policy, incident)
    if incident.state is AlarmState.ACKNOWLEDGED and again_ns is not None:
        yield again_ns
