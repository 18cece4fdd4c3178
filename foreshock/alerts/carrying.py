"""An alert that outlives the state of its asset: `alarms.v1` has it still, and the asset starts cold. Pure.

What the machine demanded went with its state, so nothing stands that anybody could show. The alert goes on under its id
with what people did with it, returns to normal with the reason, and then ends as any other does: a demand that
comes back alarms it again, an operator acknowledges it, or it is closed as over or stale. None stays open for ever.
"""

from __future__ import annotations

from foreshock.alerts.items import Carried
from foreshock.alerts.policy import Policy
from foreshock.alerts.records import AlarmRecord
from foreshock.alerts.settle import STANDING, settle
from foreshock.alerts.states import Alarm, Context, Incident, Shelf, Step
from foreshock.alerts.turn import Turn
from foreshock.alerts.vocabulary import AlarmState

LOST = "the state of the asset was lost, and with it what was demanded: it starts cold, look at the machine"
_BELOW = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})


def carry(policy: Policy, alarm: Alarm, item: Carried, context: Context) -> Step:
    """Go on with an alert, or close it where the asset has another one by now; an alert that is known stays as it is."""
    found, now = _incident(item.record), alarm.incident
    if now is not None and now.alert_id == found.alert_id:
        return alarm, ()
    if now is not None:
        turn = Turn(policy, alarm._replace(incident=found, members=()), context, log_ns=context.origin.ingest_ns)
        turn.close(f"{LOST}; alert {now.alert_id} was raised meanwhile")
        return alarm._replace(number=turn.done()[0].number), turn.done()[1]
    until_ns = item.record.shelved_until_ns
    begun = alarm._replace(
        incident=found,
        shelf=None if until_ns is None else Shelf(until_ns, "", "shelved before its state was lost"),
        lag_ns=alarm.lag_ns or max(item.record.origin.ingest_ns - item.record.changed_ns, 0),
    )
    turn = Turn(policy, begun, context, log_ns=context.origin.ingest_ns)
    turn.why = LOST
    settle(turn)
    return turn.done()


def _incident(record: AlarmRecord) -> Incident:
    """What `alarms.v1` tells of an alert. Below a shelf or maintenance it is as acknowledged as its name says."""
    raised = record.state is not AlarmState.SUPPRESSED
    base = record.state
    if base in _BELOW:
        base = AlarmState.ACKNOWLEDGED if record.acknowledged_by else AlarmState.UNACKNOWLEDGED
    return Incident(
        alert_id=record.alert_id,
        began_ns=record.raised_ns,
        raised_ns=record.raised_ns if raised else None,
        state=record.state,
        base=base if raised else AlarmState.NORMAL,
        severity=record.severity if raised and base in STANDING else None,
        worst=record.worst,
        points=record.points,
        initial_score=record.initial_score,
        peak=record.peak,
        heard_ns=record.origin.ingest_ns,
        suppressed_by=record.suppressed_by,
        changed_ns=record.changed_ns,
        acknowledged_by=record.acknowledged_by,
        work_order=record.work_order,
    )
