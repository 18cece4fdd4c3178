"""From outcomes to records: topic, partition, key, bytes and headers of everything that goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from confluent_kafka import Message

from foreshock.alerts.records import AlarmRecord, AlertTransition, alarm_record, ends, moves
from foreshock.cases import Case
from foreshock.contract import Anomaly, DataQuality, DeadLetter, Origin, Reason, Score
from foreshock.errors import InputRejected
from foreshock.outcome import Outcome
from foreshock.signals import Diagnosis, FeatureVector
from foreshock.streams import wire
from foreshock.streams.border import pairs_of
from foreshock.streams.cases.bytes import body_of, chunks, digest
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.publish import HEADERS_BYTES, Output
from foreshock.streams.telemetry import Telemetry
from foreshock.streams.topics import TopicInfo

TOPIC_OF: Mapping[type, str] = {
    Score: "scores.v1",
    Anomaly: "anomalies.v1",
    DataQuality: "quality.v1",
    DeadLetter: "dead-letters.v1",
    AlertTransition: "alerts.v1",
    AlarmRecord: "alarms.v1",
    Case: "evidence.v1",
    FeatureVector: "features.v1",
    Diagnosis: "diagnoses.v1",
}
_CHUNK_ROOM = (
    2 * HEADERS_BYTES
)  # of a record that holds a piece of a case: its headers, and its fields beside the piece


class Outputs:
    """Writes the records of the output topics.

    Every output goes to the partition number of its input, so that one partition of the outputs tells the story of one
    partition of the input, in its order.

    Parameters
    ----------
    topics
        As they were found at start, by name without the prefix.
    encoders
        By the name of the topic without the prefix.
    framing
        Of the values, for the headers.
    telemetry
        Gives each output its trace context.
    worker
        Name of this worker, for the headers.
    casebook
        Makes cases of the evidence of an outcome; None: there are none.
    """

    def __init__(
        self,
        topics: Mapping[str, TopicInfo],
        *,
        encoders: Mapping[str, wire.Encoder],
        framing: str,
        telemetry: Telemetry,
        worker: str,
        casebook: Casebook | None = None,
    ) -> None:
        self._topics = {kind: topics[name].name for kind, name in TOPIC_OF.items()}
        self._limits = {topics[name].name: int(topics[name].config["max.message.bytes"]) for name in TOPIC_OF.values()}
        self._encode = {kind: encoders[name].encode for kind, name in TOPIC_OF.items()}
        self._framing = framing
        self._telemetry = telemetry
        self._worker = worker
        self._casebook = casebook

    def outcome(self, outcome: Outcome, scored_ns: int, record: Message | None = None) -> tuple[Output, list[Output]]:
        """Give the score's record and those of the events that came with it; `record` is the input of both.

        The case of an anomaly stands before it, and the anomaly names the case's sha256.

        Raises
        ------
        InputRejected
            One of them is larger than its topic takes.
        """
        score = outcome.score
        key, origin = score.asset.encode(), score.origin
        if not outcome.anomalies and not outcome.quality and not outcome.alerts and not outcome.diagnoses:
            events = self._vectors(outcome, scored_ns, special=False) if outcome.vectors else []
            return self._output(score, score.score_id, key, origin, scored_ns, special=False), events
        events = self._vectors(outcome, scored_ns, special=True)
        named: dict[str, str] = {}
        for evidence in outcome.evidence:
            if self._casebook is not None and record is not None:
                case = self._casebook.case(evidence, score, record)
                named[case.event_id], written = self._case(case, scored_ns)
                events += written
        for each in outcome.anomalies:
            told = replace(each, lineage=replace(each.lineage, evidence=named.get(each.event_id, "")))
            events.append(self._output(told, each.event_id, key, origin, scored_ns, special=True))
        events += [
            self._output(each, each.event_id, f"{each.asset}/{each.point}".encode(), origin, scored_ns, special=True)
            for each in outcome.quality
        ]
        for alert in outcome.alerts:
            events += self.alert(alert, scored_ns)
        events += [
            self._output(each, each.diagnosis_id, key, origin, scored_ns, special=True) for each in outcome.diagnoses
        ]
        return self._output(score, score.score_id, key, origin, scored_ns, special=True), events

    def _vectors(self, outcome: Outcome, scored_ns: int, *, special: bool) -> list[Output]:
        """Give the records of the measurement windows that ended with a record; they are in its trace."""
        key, origin = outcome.score.asset.encode(), outcome.score.origin
        return [self._output(each, each.vector_id, key, origin, scored_ns, special=special) for each in outcome.vectors]

    def alert(self, told: AlertTransition, scored_ns: int) -> list[Output]:
        """Give the record of a change, and that of what stands after it: none any more where the alert has ended."""
        key, origin = (told.alert_id or told.asset).encode(), told.origin
        found = [self._output(told, told.event_id, key, origin, scored_ns, special=True)]
        if moves(told):
            alarm = self._output(alarm_record(told), f"{told.event_id}.alarm", key, origin, scored_ns, special=True)
            found.append(alarm._replace(value=None) if ends(told) else alarm)
        return found

    def _case(self, case: Case, scored_ns: int) -> tuple[str, list[Output]]:
        """Give the sha256 and the record of a case; of one that is too large for the topic those of its pieces."""
        whole = self._unchecked(case, f"{case.event_id}.case", case.event_id.encode(), case.origin, scored_ns)
        body, limit = body_of(whole.value or b""), self._limits[whole.topic]
        if whole.size() <= limit:
            return digest(body), [whole]
        pieces = []
        for part in chunks(case.event_id, body, limit - _CHUNK_ROOM):
            part_id = f"{case.event_id}.chunk.{part.number}"
            headers = wire.part_headers(whole.headers, part_id)
            value = self._encode[Case](part)
            pieces.append(whole._replace(value=value, headers=headers, record_id=part_id))
        return digest(body), pieces

    def quality(self, found: Sequence[DataQuality], scored_ns: int) -> list[Output]:
        """Give the records of quality transitions that came without a score."""
        return [
            self._output(each, each.event_id, _sensor(each), each.origin, scored_ns, special=True) for each in found
        ]

    def letter(self, rejected: InputRejected, record: Message, origin: Origin) -> DeadLetter:
        """Give the dead letter of a record."""
        headers = pairs_of(record)
        return wire.dead_letter(rejected, origin, record.key(), record.value(), headers)

    def dead(self, letter: DeadLetter, scored_ns: int) -> Output:
        """Give the record of a dead letter, under the original key."""
        return self._output(letter, letter.event_id, letter.key, letter.origin, scored_ns, special=True)

    def _output(
        self, record: Any, record_id: str, key: bytes | None, origin: Origin, scored_ns: int, *, special: bool
    ) -> Output:
        output = self._unchecked(record, record_id, key, origin, scored_ns, special=special)
        if output.size() > self._limits[output.topic]:
            raise InputRejected(
                Reason.TOO_LARGE,
                f"its {type(record).__name__} would have {output.size()} bytes, topic {output.topic} takes "
                f"{self._limits[output.topic]}",
                fix="send fewer rows in a frame, or raise max.message.bytes of the topic",
            )
        return output

    def _unchecked(
        self, record: Any, record_id: str, key: bytes | None, origin: Origin, scored_ns: int, *, special: bool = True
    ) -> Output:
        topic = self._topics[type(record)]
        parent = self._telemetry.traceparent_for(origin, record_id, event=special)
        headers = wire.headers(
            record,
            traceparent=parent,
            tracestate=origin.tracestate,
            scored_ns=scored_ns,
            worker=self._worker,
            framing="single-object" if isinstance(record, Case) and self._framing == "json" else self._framing,
        )
        return Output(topic, origin.partition, key, self._encode[type(record)](record), headers, record_id)


def _sensor(found: DataQuality) -> bytes:
    """Give the key of a quality record."""
    return f"{found.asset}/{found.point}".lstrip("/").encode()
