"""Anomaly events and alerts as their pages tell them: the decision in words, contributions, timeline. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from foreshock.account import Paragraph, account
from foreshock.contract import Anomaly, Asset, Contribution
from foreshock.features.catalog import PROFILES
from foreshock.lineage import asset_record
from foreshock.streams.console.alertbook import Alert, change_tree
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.problems import Problem

NS_MS = 1e6
NEAR_MS = 600_000.0
DIGITS = re.compile(r"[0-9a-f]{6,32}")


def digits(text: str, what: str) -> str:
    """Check an id that was given.

    Raises
    ------
    Problem
        It is none.
    """
    if not DIGITS.fullmatch(text):
        raise Problem("bad_request", f"{text[:64]!r} is no id of {what}: 32 hexadecimal digits, or the first 8")
    return text


def alert_of(plant: Plant, start: str) -> Alert:
    """Give an alert by its id, or by its first digits.

    Raises
    ------
    Problem
        There is none, or there are several.
    """
    found = plant.alerts.get(digits(start, "an alert"))
    if not found:
        raise Problem("unknown_alert", f"no alert {start} is known", "`foreshock alerts` reads all that Kafka keeps")
    if len(found) > 1:
        raise Problem("bad_request", f"{len(found)} alerts begin with {start}: give more digits")
    return found[0]


def event_line(plant: Plant, start: str) -> Mapping[str, Any] | None:
    """Give the line of an anomaly event that is held; None: it is not.

    Raises
    ------
    Problem
        It is no id, or there are several.
    """
    start = digits(start, "an event")
    exact = plant.anomalies.get(start)
    if exact is not None:
        return exact
    found = [each for name, each in plant.anomalies.items() if name.startswith(start)]
    if len(found) > 1:
        raise Problem("bad_request", f"{len(found)} events begin with {start}: give more digits")
    return found[0] if found else None


def anomaly_tree(event: Anomaly, alert_id: str, master: Asset | None) -> dict[str, Any]:
    """Give the page of an anomaly event; `master` is what is registered of its asset now."""
    last = event.lineage.inputs[-1] if event.lineage.inputs else None
    return {
        "event_id": event.event_id,
        "episode_id": event.episode_id,
        "phase": event.phase,
        "asset": event.asset,
        "point": event.point,
        "site": event.site,
        "gateway": event.gateway,
        "severity": event.severity,
        "mode": event.mode,
        "score": event.score,
        "initial_score": event.initial_score,
        "p": event.p_value,
        "confidence": event.confidence,
        "at_ms": event.ingest_ns / NS_MS,
        "source_ms": event.source_ns / NS_MS,
        "started_ms": event.started_ns / NS_MS,
        "hypothesis": event.hypothesis,
        "lowered_by": list(event.lowered_by),
        "run_state": event.run_state,
        "regime": event.regime,
        "trend": event.trend,
        "trace_id": event.trace_id,
        "account": [list(each) for each in told(event, master)],
        "decision": {
            "rule": event.decision.rule,
            "operands": [{"name": each.name, "value": each.value} for each in event.decision.operands],
            "result": event.decision.result,
        },
        "contributions": [_contribution(each, event.score or 1.0) for each in event.contributions],
        "evidence": event.lineage.evidence,
        "alert_id": alert_id,
        "block": None if last is None else {"partition": last.partition, "offset": last.last},
    }


def told(event: Anomaly, master: Asset | None) -> Iterator[Paragraph]:
    """Give the account of an event; of the machine by what is registered of it now, without its case."""
    for heading, lines in account(event, None):
        if heading != "machine":
            yield heading, lines
            continue
        same = master is not None and asset_record(master) == event.lineage.asset_record
        known = [] if master is None else [" / ".join((*master.path, master.asset_class)) or "place not stated"]
        if master is not None:
            known.append(f"criticality {master.criticality}, owner {master.owner or 'not stated'}")
        since = "" if same or master is None else " (registered anew since)"
        yield heading, [event.asset, *known, f"master data {event.lineage.asset_record}{since}", *lines[2:]]


def _contribution(each: Contribution, score: float) -> dict[str, Any]:
    return {
        "feature": each.feature,
        "meaning": meaning(each.feature),
        "amount": each.amount,
        "share": each.amount / score,
        "value": each.value,
        "expected": each.expected,
        "lower": each.lower,
        "upper": each.upper,
    }


def alert_tree(alert: Alert) -> dict[str, Any]:
    """Give the page of an alert, without its anomaly."""
    last = alert.last
    names = ("path", "site", "rule", "policy", "mode", "trend", "delayed_s", "action", "runbook", "escalation")
    raised = next((record for _, record in alert.changes if record["change"] == "raised"), None)
    trace = raised or (alert.changes[0][1] if alert.changes else {})
    return {
        **alert.summary(),
        **{name: last.get(name) for name in (*names, "priority_inputs")},
        "timeline": [change_tree(at_ms, record) for at_ms, record in alert.changes],
        "trace_id": trace.get("trace_id", ""),
        "evidence": trace.get("evidence", ""),
    }


def incident_tree(incident: Alert) -> dict[str, Any]:
    """Give the incident of a line: its members, and what happened to it."""
    last = incident.last
    return {
        **incident.summary(),
        "line": last["line"],
        "cause": last["cause"],
        "members": last["members"],
        "timeline": [change_tree(at_ms, record) for at_ms, record in incident.changes],
    }


def incident_with(plant: Plant, alert_id: str) -> dict[str, Any] | None:
    """Give the newest incident of a line that an alert is part of; None: it is part of none."""
    for incident in plant.lines.every():
        members = incident.last["members"]
        if any(each["alert_id"] == alert_id for each in members):
            return {"id": incident.alert_id, "line": incident.last["line"], "members": members, "open": incident.open}
    return None


def alert_behind(plant: Plant, event_id: str, asset: str) -> str:
    """Give the id of the alert that an anomaly event led to; "" where it led to none."""
    for alert in plant.alerts.of(asset):
        if any(record["anomaly_id"] == event_id for _, record in alert.changes):
            return alert.alert_id
    return ""


def anomaly_behind(plant: Plant, alert: Alert) -> str:
    """Give the id of the anomaly event behind an alert: the one that it names, else one of its points opened just then."""
    summary = alert.summary()
    named = str(summary["anomaly_id"])
    if named:
        return named
    raised = next((at_ms for at_ms, record in alert.changes if record["change"] == "raised"), summary["told_ms"])
    if raised is None:
        return ""
    near = [
        (abs(each["at_ms"] - raised), name)
        for name, each in plant.anomalies.items()
        if each["asset"] == alert.asset and each["phase"] == "opened" and each["point"] in summary["points"]
    ]
    return min(near)[1] if near and min(near)[0] < NEAR_MS else ""


def meaning(feature: str) -> str:
    """Say what a feature of the catalogue is; "" for a tag of telemetry."""
    name = feature.partition("[")[0]
    return next((each.meaning for each in PROFILES["full"].features if each.name == name), "")
