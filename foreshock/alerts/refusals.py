"""The answer to a command that no alert ever sees: it cannot be used, or the asset is not known where it arrived. Pure."""

from __future__ import annotations

from foreshock import lineage
from foreshock.alerts.items import Refused
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import AlarmState, Change, Severity


def refusal(refused: Refused) -> AlertTransition:
    """Give the record of `alerts.v1` that tells the sender why nothing came of it; of no alert, and of no policy."""
    origin = refused.origin
    return AlertTransition(
        event_id=lineage.event_id("alert.refused", origin, 0, refused.asset, refused.command_id),
        alert_id="",
        change=Change.REFUSED,
        state=AlarmState.NORMAL,
        before=AlarmState.NORMAL,
        asset=refused.asset,
        path=(),
        site="",
        points=(),
        severity=Severity.INFO,
        score=None,
        initial_score=None,
        trend=None,
        hypothesis="",
        mode="",
        at_ns=origin.ingest_ns,
        raised_ns=origin.ingest_ns,
        suppressed_by=None,
        reason=refused.reason,
        actor=refused.actor,
        command_id=refused.command_id,
        policy="",
        rule="",
        priority=4,
        priority_inputs=(),
        owner="",
        escalation=(),
        runbook=(),
        action="",
        respond_by_ns=None,
        work_order="",
        anomaly_id="",
        evidence="",
        effect="",
        delayed_s=0.0,
        origin=origin,
        trace_id=lineage.trace_id(origin),
    )
