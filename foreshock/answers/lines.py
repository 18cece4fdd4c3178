"""The facts behind an answer, each with its source and its age."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foreshock.answers import alerting
from foreshock.answers.facts import Facts, Line, Seen, counted, ingest_ns

SHOWN = 3  # of events


def lines(facts: Facts, points: Mapping[str, Seen]) -> Iterator[Line]:
    """Give everything that the sentence could rest on, with its source."""
    workers = counted(facts.members, "worker")
    owner = facts.owner or "nobody"
    yield Line("partition", f"{facts.partition}, owned by {owner}; {workers} in the group", f"group {facts.group}")
    yield Line("input", f"{facts.behind} of {facts.end} records behind", f"sensors.v1 [{facts.partition}]")
    if facts.waiting is not None:
        yield Line("waiting", "oldest record of the asset not done", facts.waiting.source, facts.waiting.at_ns)
    for name, seen in points.items():
        yield from _score(name, seen)
    yield from _quality(facts)
    for seen in facts.anomalies[:SHOWN]:
        each = seen.record
        text = f"{each['phase']} {each['severity']} {each['event_id'][:8]}, score {each['score']:.2f}"
        if each.get("lowered_by"):
            text += f", lowered by {', '.join(each['lowered_by'])}"
        yield Line(f"{each['point']} anomaly", text, seen.source, seen.at_ns)
    yield from alerting.lines(facts)
    for seen in facts.letters[:SHOWN]:
        yield Line("dead letter", f"{seen.record['reason']}: {seen.record['sentence']}", seen.source, seen.at_ns)
    if facts.registered is None:
        yield Line("master data", "none: scored with defaults", "assets.v1")
    else:
        known = facts.registered
        yield Line("master data", known.record.get("asset_class") or "registered", known.source, known.at_ns)
    for state in facts.cached:
        yield Line(
            f"{state['point']} last state", str(state["state"]), state.get("source", "cache"), state["ingest_ns"]
        )
    if facts.cache:
        yield Line("cache", facts.cache, "cache")


def _score(name: str, seen: Seen) -> Iterator[Line]:
    record, row = seen.record, seen.record["rows"][-1]
    value = "" if row["value"] is None else f" {row['value']:.3f}"
    reason = f": {row['reason']}" if row["reason"] else ""
    yield Line(f"{name} score", f"{row['state']}{value}{reason}", seen.source, ingest_ns(seen))
    model = f"warm-up {100 * record['warmup']:.0f} %, {record['learning']}"
    yield Line(f"{name} model", model, seen.source, ingest_ns(seen))


def _quality(facts: Facts) -> Iterator[Line]:
    """The newest transition of each condition of each sensor."""
    newest: dict[tuple[str, str, str], Seen] = {}
    for each in facts.quality:
        newest.setdefault((each.record["point"], each.record["kind"], each.record["channel"]), each)
    for (point, kind, channel), seen in newest.items():
        label = f"{kind} {channel}" if channel else kind
        word = "raised" if seen.record["raised"] else "cleared"
        yield Line(f"{point} quality", f"{label} {word}: {seen.record['detail']}", seen.source, seen.at_ns)
    for point in dict.fromkeys(point for point, _, _ in newest):
        seen = next(each for each in facts.quality if each.record["point"] == point)
        health = seen.record.get("health")
        if health is not None:
            state = str(seen.record["status"]).replace("_", " ")
            yield Line(f"{point} sensor", f"health {health:.0%}: {state}", seen.source, seen.at_ns)
