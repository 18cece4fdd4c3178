"""From a draft to the record of `alerts.v1`: identity, place, and who is to do what, from the policy. Pure."""

from __future__ import annotations

from typing import Any

from foreshock import lineage
from foreshock.alerts.policy import Band, Policy
from foreshock.alerts.priority import priority
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.states import Context, Draft, Incident
from foreshock.alerts.turn import band_of, worst_told
from foreshock.alerts.vocabulary import Change, GroupBy
from foreshock.contract import Asset

LINE = 4  # parts of an ISA-95 path: enterprise, site, area, line
_NOTHING = Incident(alert_id="", began_ns=0, raised_ns=None)


def transition(policy: Policy, draft: Draft, context: Context) -> AlertTransition:
    """Make the record of a transition.

    Its id is `event_id("alert.<change>", origin, row, asset, number)`; that of the alert came with its first demand.
    Who acts, and how, comes from the band of the severity; a command that concerns no alert leaves it empty.
    """
    asset, incident, lead = context.asset, draft.incident or _NOTHING, draft.lead
    band = band_of(policy, draft.severity) if draft.incident else None
    urgency, inputs = priority(policy, draft.severity, asset, running=context.running)
    began_ns = incident.began_ns if incident.raised_ns is None else incident.raised_ns
    return AlertTransition(
        event_id=lineage.event_id(f"alert.{draft.change}", context.origin, context.row, asset.asset, str(draft.number)),
        alert_id=draft.alert_id,
        change=draft.change,
        state=draft.state,
        before=draft.before,
        asset=asset.asset,
        path=asset.path,
        site=context.site,
        points=incident.points,
        severity=draft.severity,
        score=lead.score,
        initial_score=incident.initial_score,
        trend=lead.trend,
        hypothesis=lead.hypothesis,
        mode=lead.mode,
        at_ns=draft.at_ns,
        raised_ns=began_ns if draft.incident else draft.at_ns,
        suppressed_by=draft.suppressed_by,
        reason=draft.reason,
        actor=draft.actor,
        command_id=draft.command_id,
        policy=f"{policy.name}@{policy.version[:16]}",
        rule=lead.rule,
        priority=urgency,
        priority_inputs=inputs,
        **_who(band, incident.chain - (draft.change is Change.OVERDUE)),
        respond_by_ns=incident.respond_by_ns,
        work_order=incident.work_order or draft.work_order,
        anomaly_id=lead.anomaly_id,
        evidence=lead.evidence,
        effect=draft.effect,
        delayed_s=incident.delayed_s,
        origin=context.origin,
        trace_id=lineage.trace_id(context.origin),
        worst=worst_told(incident) if draft.incident else draft.severity,
        peak=incident.peak,
        acknowledged_by=incident.acknowledged_by,
        shelved_until_ns=draft.shelved_until_ns,
        **_line(policy, asset),
    )


def line_of(policy: Policy, asset: Asset) -> str:
    """Give the line whose alerts are one incident; "" for a machine of which nobody said on which line it stands."""
    return "/".join(asset.path[:LINE]) if policy.group_by is GroupBy.LINE and len(asset.path) >= LINE else ""


def _line(policy: Policy, asset: Asset) -> dict[str, Any]:
    line = line_of(policy, asset)
    return {"line": line, "line_window_s": policy.group_window_s} if line else {}


def _who(band: Band | None, told: int) -> dict[str, Any]:
    """Who acts, and how; of the escalation chain those who were not told so far."""
    if band is None:
        return {"owner": "", "escalation": (), "runbook": (), "action": ""}
    return {
        "owner": band.owner,
        "escalation": band.escalation[told:],
        "runbook": band.runbook,
        "action": band.action,
    }
