"""What the spans of a record say: OpenTelemetry's names for messaging, and our own under `foreshock.`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foreshock.alerts.records import AlertTransition
from foreshock.contract import Anomaly, DataQuality, DeadLetter, Decision, Origin, Score
from foreshock.outcome import Outcome
from foreshock.signals import Diagnosis, FeatureVector

Value = str | bool | int | float
Attributes = dict[str, Value]

EVENT_ID = "foreshock.event_id"
ALERT_ID = "foreshock.alert_id"
ASSET = "foreshock.asset"
SAMPLED_BY = "foreshock.sampled_by"
QUEUE_MS = "foreshock.queue_ms"
GIVEN = "foreshock.traceparent"  # what a producer sent as its trace context and is none


def origin_of(item: Outcome | DeadLetter) -> Origin:
    """Coordinates of the input record."""
    return item.score.origin if isinstance(item, Outcome) else item.origin


def id_of(item: Outcome | DeadLetter) -> str:
    """Id of the one output that every input record has: its score or its dead letter."""
    return item.score.score_id if isinstance(item, Outcome) else item.event_id


def messaging(operation: str, kind: str, topic: str, partition: int, offset: int | None) -> Attributes:
    """Attributes of the conventions for messaging; operation `kind` is receive, process or send."""
    found: Attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
    }
    if offset is not None:
        found["messaging.kafka.offset"] = offset
    return found


def about_record(item: Outcome | DeadLetter) -> Attributes:
    """Attributes of the root."""
    return _about_score(item.score) if isinstance(item, Outcome) else _about_dead_letter(item)


def about_stage(stage: str, item: Outcome | DeadLetter) -> Attributes:
    """What is worth knowing of a stage beside its time."""
    if stage == "decode":
        return _present({"foreshock.schema": origin_of(item).schema})
    if not isinstance(item, Outcome):
        return {}
    score = item.score
    about: dict[str, Value | None] = {}
    if stage == "quality":
        about = {"foreshock.registered": score.registered, "foreshock.quality": ",".join(score.quality)}
    elif stage == "features":
        about = {"foreshock.feature_set": score.feature_set}
    elif stage == "score":
        about = {"foreshock.model": score.model, "foreshock.reference": score.reference}
    elif stage == "policy":
        row = score.rows[-1] if score.rows else None
        about = {"foreshock.policy": score.policy, "foreshock.alarm": bool(row and row.alarm)}
        about |= _about_decision(item.anomalies[-1].decision) if item.anomalies else {}
    return _present(about)


def outputs(item: Outcome | DeadLetter) -> Iterator[tuple[str, str, int, Attributes]]:
    """Topic, id, partition (every output of a partition goes to the same number) and attributes of each output."""
    if isinstance(item, DeadLetter):
        yield "dead-letters.v1", item.event_id, item.origin.partition, {EVENT_ID: item.event_id}
        return
    partition = item.score.origin.partition
    yield "scores.v1", item.score.score_id, partition, {"foreshock.score_id": item.score.score_id}
    for anomaly in item.anomalies:
        yield "anomalies.v1", anomaly.event_id, partition, _about_anomaly(anomaly)
    for quality in item.quality:
        yield "quality.v1", quality.event_id, partition, _about_quality(quality)
    for vector in item.vectors:
        yield "features.v1", vector.vector_id, partition, _about_vector(vector)
    for diagnosis in item.diagnoses:
        yield "diagnoses.v1", diagnosis.diagnosis_id, partition, _about_diagnosis(diagnosis)
    for alert in item.alerts:
        yield "alerts.v1", alert.event_id, partition, about_alert(alert)


def _about_score(score: Score) -> Attributes:
    row = score.rows[-1] if score.rows else None
    return _present(
        {
            "messaging.kafka.message.key": score.asset,
            ASSET: score.asset,
            "foreshock.point": score.point,
            "foreshock.score_id": score.score_id,
            "foreshock.state": str(row.state) if row else "",
            "foreshock.reason": row.reason if row else "",
            "foreshock.score": row.value if row else None,
            "foreshock.p_value": row.p_value if row else None,
            "foreshock.regime": score.regime,
            "foreshock.learning": score.learning,
            "foreshock.delayed_s": score.delayed_s,
        }
    )


def _about_dead_letter(letter: DeadLetter) -> Attributes:
    return _present(
        {
            "error.type": str(letter.reason),
            EVENT_ID: letter.event_id,
            "foreshock.field": letter.field,
            "foreshock.fix": letter.fix,
            "messaging.message.body.size": letter.value_size,
        }
    )


def _about_decision(decision: Decision) -> Attributes:
    operands = ", ".join(f"{operand.name}={operand.value:g}" for operand in decision.operands)
    return {"foreshock.rule": decision.rule, "foreshock.operands": operands}


def _about_anomaly(anomaly: Anomaly) -> Attributes:
    return _present(
        {
            EVENT_ID: anomaly.event_id,
            "foreshock.episode_id": anomaly.episode_id,
            "foreshock.phase": str(anomaly.phase),
            "foreshock.severity": anomaly.severity,
            "foreshock.score": anomaly.score,
            "foreshock.hypothesis": anomaly.hypothesis,
            ASSET: anomaly.asset,
            "foreshock.point": anomaly.point,
        }
    )


def about_alert(told: AlertTransition) -> Attributes:
    """Attributes of the span that sends a change of an alert."""
    return _present(
        {
            EVENT_ID: told.event_id,
            ALERT_ID: told.alert_id,
            "foreshock.change": str(told.change),
            "foreshock.alarm_state": str(told.state),
            "foreshock.severity": str(told.severity),
            "foreshock.suppressed_by": str(told.suppressed_by or ""),
            "foreshock.reason": told.reason,
            "foreshock.rule": told.rule,
            "foreshock.policy": told.policy,
            "foreshock.actor": told.actor,
            "foreshock.command_id": told.command_id,
            "foreshock.work_order": told.work_order,
            ASSET: told.asset,
        }
    )


def _about_quality(quality: DataQuality) -> Attributes:
    return _present(
        {
            EVENT_ID: quality.event_id,
            "foreshock.quality": str(quality.kind),
            "foreshock.raised": quality.raised,
            ASSET: quality.asset,
            "foreshock.point": quality.point,
            "foreshock.channel": quality.channel,
        }
    )


def _about_vector(vector: FeatureVector) -> Attributes:
    return _present(
        {
            "foreshock.vector_id": vector.vector_id,
            "foreshock.feature_set": vector.feature_set,
            "foreshock.window_ended": str(vector.ended),
            "foreshock.window_s": (vector.until_ns - vector.from_ns) / 1e9,
            "foreshock.zone": vector.zone,
            ASSET: vector.asset,
            "foreshock.point": vector.point,
        }
    )


def _about_diagnosis(diagnosis: Diagnosis) -> Attributes:
    return _present(
        {
            EVENT_ID: diagnosis.diagnosis_id,
            "foreshock.vector_id": diagnosis.vector_id,
            "foreshock.fault": diagnosis.fault,
            "foreshock.component": diagnosis.component,
            "foreshock.confidence": diagnosis.confidence,
            ASSET: diagnosis.asset,
            "foreshock.point": diagnosis.point,
            "foreshock.channel": diagnosis.channel,
        }
    )


def _present(attributes: Mapping[str, Value | None]) -> Attributes:
    """Leave out what is not stated."""
    return {name: value for name, value in attributes.items() if value is not None and value != ""}
