"""Where an event came from, as a picture: from raw records over features, model and policy to the alert. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from foreshock.alerts.records import WorkOrder
from foreshock.contract import Anomaly
from foreshock.streams.console.alertbook import Alert

_LAYERS = {
    "input": 0,
    "schema": 0,
    "asset": 1,
    "features": 1,
    "reference": 1,
    "calibration": 2,
    "state": 2,
    "model": 2,
    "score": 3,
    "anomaly": 4,
    "case": 4,
    "policy": 5,
    "alert": 5,
    "command": 6,
    "work": 6,
}


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[tuple[str, str]] = []

    def node(self, kind: str, title: str, lines: Sequence[str], link: str = "", after: Sequence[str] = ()) -> str:
        name = f"n{len(self.nodes)}"
        told = [line for line in lines if line]
        self.nodes.append(
            {"id": name, "kind": kind, "title": title, "lines": told, "link": link, "layer": _LAYERS[kind]}
        )
        self.edges += [(each, name) for each in after if each]
        return name


def lineage(
    event: Anomaly, alert: Alert | None, work: Sequence[tuple[float, WorkOrder]], place: Mapping[str, Any]
) -> dict[str, Any]:
    """Give nodes and edges.

    Parameters
    ----------
    event
    alert
        That the event led to; None: none.
    work
        Work orders of the asset that name the alert, with their times.
    place
        Partition and offset of the event itself.
    """
    graph, told = _Graph(), event.lineage
    score = _score(graph, event)
    anomaly = graph.node(
        "anomaly",
        f"{event.phase} {event.severity}",
        [
            f"event {event.event_id[:8]}, episode {event.episode_id[:8]}",
            f"anomalies.v1 [{place['partition']}] @{place['offset']}",
            event.decision.rule,
            event.hypothesis,
        ],
        f"/anomaly/{event.event_id}",
        [score],
    )
    if told.evidence:
        graph.node(
            "case", "evidence", [f"sha256 {told.evidence[:16]}", "the record and the state before it"], "", [score]
        )
    if alert is not None:
        _alert(graph, event, alert, work, anomaly)
    return {"event_id": event.event_id, "nodes": graph.nodes, "edges": graph.edges}


def _score(graph: _Graph, event: Anomaly) -> str:
    told = event.lineage
    inputs = []
    for each in told.inputs:
        link = f"/asset?id={quote(event.asset, safe='')}&partition={each.partition}&offset={each.last}"
        count = each.last - each.first
        span = f"@{each.first}..{each.last}" if count else f"@{each.last}"
        row = "" if each.row is None else f"row {each.row} of its frame"
        lines = [f"records of {event.asset}", f"topic id {each.topic_id}", row]
        inputs.append(graph.node("input", f"{each.topic} [{each.partition}] {span}", lines, link))
    schema = graph.node("schema", "schema", [told.schema])
    master = graph.node(
        "asset", "master data", [event.asset, told.asset_record], f"/asset?id={quote(event.asset, safe='')}"
    )
    features = ""
    if told.feature_set:
        features = graph.node("features", "features", [told.feature_set], "", [*inputs, schema])
    reference = graph.node("reference", "fleet reference", [told.reference]) if told.reference else ""
    state = ""
    if told.model_state:
        state = graph.node("state", "state before it", [told.model_state], "", inputs if not features else [features])
    calibration = graph.node("calibration", "calibration", [told.calibration], "", [state]) if told.calibration else ""
    model = graph.node("model", "model", [told.model, told.code, told.numeric_platform], "", [reference])
    value = f"{event.score:.3g}" + ("" if event.p_value is None else f", p {event.p_value:.3g}")
    ways = [features, state, calibration, model, master, *([] if features else [*inputs, schema])]
    return graph.node("score", f"score {value}", [f"sensor {event.point}", str(event.mode)], "", ways)


def _alert(graph: _Graph, event: Anomaly, alert: Alert, work: Sequence[tuple[float, WorkOrder]], anomaly: str) -> None:
    last = alert.last
    policy = graph.node(
        "policy", "policy", [str(last.get("policy") or event.lineage.policy), str(last.get("rule") or "")]
    )
    node = graph.node(
        "alert",
        f"alert {alert.alert_id[:8]} {last['severity']}",
        [str(last["state"]).replace("_", " "), f"owner {last['owner']}" if last["owner"] else ""],
        f"/alert/{alert.alert_id}",
        [anomaly, policy],
    )
    for _, record in alert.changes:
        if record["command_id"]:
            what = str(record["change"]).replace("_", " ")
            graph.node("command", what, [f"by {record['actor']}", record["reason"]], "", [node])
    for _, order in work:
        graph.node("work", f"work order {order.work_order}", [str(order.kind), order.note], "", [node])
