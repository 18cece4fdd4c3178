"""Cases as the worker writes them: the record, the state before it, and what the score is a function of besides.

The same input and the same state give the same bytes: nothing is compressed inside, and no clock is read. The sha256 of
the Avro body (the value without its framing's head) is what the anomaly's lineage names.
"""

from __future__ import annotations

import json

from confluent_kafka import Message

from foreshock import lineage
from foreshock.cases import Case
from foreshock.contract import Score
from foreshock.outcome import Evidence, Outcome
from foreshock.streams.border import pairs_of
from foreshock.streams.cases.bytes import body_of, digest
from foreshock.streams.codec.encode import Encoder
from foreshock.streams.codec.framing import CONFLUENT, CONFLUENT_HEAD
from foreshock.streams.codec.registry import Registry


class Casebook:
    """Makes the cases of a worker.

    Parameters
    ----------
    registry
        Gives the schemas of inputs in Confluent framing: a case must be readable without it.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry
        self._encode = Encoder().encode

    def case(self, evidence: Evidence, score: Score, record: Message) -> Case:
        """Give the case of an event that the record led to."""
        value = record.value()
        return Case(
            event_id=evidence.event_id,
            asset=score.asset,
            point=score.point,
            origin=score.origin,
            key=record.key(),
            value=value,
            headers=tuple(pairs_of(record)),
            writer_schema=self._schema(value or b""),
            state=evidence.state,
            score=self._encode(score),
            detection=evidence.detection,
            reference=evidence.reference,
            feature_set=score.feature_set,
            model=score.model,
            policy=score.policy,
            numeric_platform=lineage.numeric_platform(),
            code=lineage.code_version(),
        )

    def name(self, outcome: Outcome, record: Message) -> dict[str, str]:
        """Give the sha256 of the case of each event of an outcome that has one, by the event's id."""
        cases = (self.case(each, outcome.score, record) for each in outcome.evidence)
        return {case.event_id: digest(body_of(self._encode(case))) for case in cases}

    def _schema(self, value: bytes) -> str:
        if self._registry is None or not value.startswith(CONFLUENT):
            return ""
        return json.dumps(self._registry.schema(int.from_bytes(value[1:CONFLUENT_HEAD], "big")))
