"""What the cache holds of an asset, and under which key. Pure: no client, no clock.

===================================  =======  ==========================================================================
key                                  type     content
===================================  =======  ==========================================================================
``foreshock:<prefix>asset:<asset>``  hash     ``state:<point>`` the last state of a measuring point, ``event:<point>`` its last event; JSON
``foreshock:<prefix>assets``         zset     every asset, by the log-append time of its last record in ms
===================================  =======  ==========================================================================

`<prefix>` is the prefix of the topics. Both keys expire when nothing was heard for a week. Times are nanoseconds since 1970.
"""

from __future__ import annotations

from typing import Any, TypedDict

import orjson

from foreshock.alerts.records import AlertTransition
from foreshock.contract import DataQuality
from foreshock.core.points import PointView
from foreshock.outcome import Outcome

TTL_S = 7 * 86400
STATE, EVENT = "state:", "event:"


class PointState(TypedDict):
    """The last state of a measuring point, as JSON under `state:<point>`."""

    asset: str
    point: str
    state: str  # ScoreState
    reason: str
    score: float | None
    p_value: float | None
    alarm: bool
    trend: float | None  # growth of the RMS level per hour, as in the score
    run_state: str
    quality: list[str]
    health: float  # of the sensor, 0..1
    regime: str
    registered: bool
    warmup: float  # 0..1
    learning: str  # "learning", or why it is held
    source_ns: int
    ingest_ns: int
    gap_s: float  # between this record and the last one that was written here
    score_id: str
    topic: str
    partition: int
    offset: int
    worker: str


class PointEvent(TypedDict):
    """The last event of a measuring point, as JSON under `event:<point>`."""

    event_id: str
    kind: str  # "alert", "anomaly" or a kind of quality
    phase: str  # change of the alert; opened, updated, closed; raised, cleared
    severity: str
    score: float | None
    hypothesis: str
    source_ns: int
    ingest_ns: int
    trace_id: str


def asset_key(prefix: str, asset: str) -> str:
    """Key of the hash of an asset."""
    return f"foreshock:{prefix}asset:{asset}"


def index_key(prefix: str) -> str:
    """Key of the sorted set of all assets."""
    return f"foreshock:{prefix}assets"


def state_of(outcome: Outcome, *, gap_s: float, worker: str) -> PointState:
    """State that an outcome leaves its measuring point in: that of its last row."""
    score = outcome.score
    row = score.rows[-1]
    return PointState(
        asset=score.asset,
        point=score.point,
        state=str(row.state),
        reason=row.reason,
        score=row.value,
        p_value=row.p_value,
        alarm=row.alarm,
        trend=row.trend,
        run_state=str(row.run_state),
        quality=list(score.quality),
        health=outcome.health,
        regime=score.regime,
        registered=score.registered,
        warmup=score.warmup,
        learning=score.learning,
        source_ns=row.source_ns,
        ingest_ns=score.origin.ingest_ns,
        gap_s=gap_s,
        score_id=score.score_id,
        topic=score.origin.topic,
        partition=score.origin.partition,
        offset=score.origin.offset,
        worker=worker,
    )


def restored(view: PointView, *, worker: str) -> PointState:
    """State of a measuring point that a worker took up: all that its snapshot tells, which is not the whole last score."""
    latest, last = view.latest, view.last
    return PointState(
        asset=view.asset,
        point=view.point,
        state=str(latest.state),
        reason=latest.reason,
        score=latest.value,
        p_value=None,
        alarm=latest.alarm,
        trend=latest.trend,
        run_state=str(latest.run_state),
        quality=list(view.quality),
        health=view.health,
        regime=latest.regime,
        registered=view.registered,
        warmup=latest.warmup,
        learning=latest.learning,
        source_ns=latest.source_ns,
        ingest_ns=last.ingest_ns,
        gap_s=view.interval_ns / 1e9,
        score_id="",
        topic=last.topic,
        partition=last.partition,
        offset=last.offset,
        worker=worker,
    )


def event_of(outcome: Outcome) -> PointEvent | None:
    """Last event of an outcome; an alert counts before an anomaly, and that before a quality transition."""
    if outcome.alerts:
        return changed(outcome.alerts[-1])
    if outcome.anomalies:
        anomaly = outcome.anomalies[-1]
        return PointEvent(
            event_id=anomaly.event_id,
            kind="anomaly",
            phase=str(anomaly.phase),
            severity=anomaly.severity,
            score=anomaly.score,
            hypothesis=anomaly.hypothesis,
            source_ns=anomaly.source_ns,
            ingest_ns=anomaly.ingest_ns,
            trace_id=anomaly.trace_id,
        )
    return told(outcome.quality[-1]) if outcome.quality else None


def changed(alert: AlertTransition) -> PointEvent:
    """Event of a change of an alert."""
    return PointEvent(
        event_id=alert.event_id,
        kind="alert",
        phase=str(alert.change),
        severity=str(alert.severity),
        score=alert.score,
        hypothesis=alert.hypothesis,
        source_ns=alert.at_ns,
        ingest_ns=alert.origin.ingest_ns,
        trace_id=alert.trace_id,
    )


def told(quality: DataQuality) -> PointEvent:
    """Event of a quality transition."""
    return PointEvent(
        event_id=quality.event_id,
        kind=str(quality.kind),
        phase="raised" if quality.raised else "cleared",
        severity=quality.ne107,
        score=quality.value,
        hypothesis=quality.detail,
        source_ns=quality.source_ns,
        ingest_ns=quality.ingest_ns,
        trace_id=quality.trace_id,
    )


def pack(document: PointState | PointEvent) -> bytes:
    """Write a document of the cache; what is not a number becomes null."""
    return orjson.dumps(document)


def points(fields: dict[str, bytes]) -> list[dict[str, Any]]:
    """Read the hash of an asset: one state for each measuring point, its last event (or None) under `last_event`."""
    found = []
    for name in sorted(fields):
        if name.startswith(STATE):
            event = fields.get(EVENT + name.removeprefix(STATE))
            found.append({**orjson.loads(fields[name]), "last_event": orjson.loads(event) if event else None})
    return found
