"""From outcomes to records: topic, partition, key, bytes and headers of everything that goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Message

from foreshock.contract import Anomaly, DataQuality, DeadLetter, Origin, Outcome, Reason, Score
from foreshock.errors import InputRejected
from foreshock.streams import wire
from foreshock.streams.border import headers_of
from foreshock.streams.publish import Output
from foreshock.streams.telemetry import Telemetry
from foreshock.streams.topics import TopicInfo

TOPIC_OF: Mapping[type, str] = {
    Score: "scores.v1",
    Anomaly: "anomalies.v1",
    DataQuality: "quality.v1",
    DeadLetter: "dead-letters.v1",
}


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
    """

    def __init__(
        self,
        topics: Mapping[str, TopicInfo],
        *,
        encoders: Mapping[str, wire.Encoder],
        framing: str,
        telemetry: Telemetry,
        worker: str,
    ) -> None:
        self._topics = {kind: topics[name].name for kind, name in TOPIC_OF.items()}
        self._limits = {topics[name].name: int(topics[name].config["max.message.bytes"]) for name in TOPIC_OF.values()}
        self._encode = {kind: encoders[name].encode for kind, name in TOPIC_OF.items()}
        self._framing = framing
        self._telemetry = telemetry
        self._worker = worker

    def outcome(self, outcome: Outcome, scored_ns: int) -> tuple[Output, list[Output]]:
        """Give the score's record and those of the events that came with it.

        Raises
        ------
        InputRejected
            One of them is larger than its topic takes.
        """
        score = outcome.score
        key, origin = score.asset.encode(), score.origin
        if not outcome.anomalies and not outcome.quality:
            return self._output(score, score.score_id, key, origin, scored_ns, special=False), []
        events = [self._output(each, each.event_id, key, origin, scored_ns, special=True) for each in outcome.anomalies]
        events += [
            self._output(each, each.event_id, f"{each.asset}/{each.point}".encode(), origin, scored_ns, special=True)
            for each in outcome.quality
        ]
        return self._output(score, score.score_id, key, origin, scored_ns, special=True), events

    def letter(self, rejected: InputRejected, record: Message, origin: Origin) -> DeadLetter:
        """Give the dead letter of a record."""
        headers = [(name, _bytes(value)) for name, value in headers_of(record)]
        return wire.dead_letter(rejected, origin, record.key(), record.value(), headers)

    def dead(self, letter: DeadLetter, scored_ns: int) -> Output:
        """Give the record of a dead letter, under the original key."""
        return self._output(letter, letter.event_id, letter.key, letter.origin, scored_ns, special=True)

    def _output(
        self, record: Any, record_id: str, key: bytes | None, origin: Origin, scored_ns: int, *, special: bool
    ) -> Output:
        topic = self._topics[type(record)]
        parent = self._telemetry.traceparent_for(origin, record_id, event=special)
        headers = wire.headers(
            record,
            traceparent=parent,
            tracestate=origin.tracestate,
            scored_ns=scored_ns,
            worker=self._worker,
            framing=self._framing,
        )
        value = self._encode[type(record)](record)
        output = Output(topic, origin.partition, key, value, headers, record_id)
        if output.size() > self._limits[topic]:
            raise InputRejected(
                Reason.TOO_LARGE,
                f"its {type(record).__name__} would have {output.size()} bytes, topic {topic} takes {self._limits[topic]}",
                fix="send fewer rows in a frame, or raise max.message.bytes of the topic",
            )
        return output


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
