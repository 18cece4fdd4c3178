"""The decision at the end: what is slow is kept too, what is no trace context is told, and what merged is linked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from foreshock.contract import ScoreState
from foreshock.settings import Settings, TelemetrySettings
from foreshock.streams import telemetry as subject
from foreshock.streams.spans.company import MATES, WINDOW
from foreshock.streams.telemetry import Telemetry
from foreshock.vocabulary import QualityKind
from tests.telemetry.receivers import attributes

PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def sent(telemetry, receiver) -> dict[str, Span]:
    """Close and give what arrived, by name; the last one of each."""
    telemetry.close()
    return {span.name: span for span in receiver.spans()}


def events(span: Span) -> dict[str, dict[str, object]]:
    return {event.name: attributes(event) for event in span.events}


class TestSlow:
    """A block that took long is kept whole, at a bounded rate."""

    @pytest.fixture
    def strict(self, receiver) -> Telemetry:
        """Slow is what took more than 35 ms; nothing else is sampled. The records take 38."""
        return Telemetry(Settings(telemetry=TelemetrySettings(sample_ratio=0, slow_ms=35)), worker="w")

    def test_is_kept(self, strict, receiver, records):
        """From the log append to the delivery: over the limit it has its trace, and says why."""
        slow = records.outcome(1)
        quick = replace(slow.score.origin, offset=2, ingest_ns=records.now_ns)
        kept = strict.record(records.times(), [slow, replace(slow, score=replace(slow.score, origin=quick))])
        spans = sent(strict, receiver)

        assert kept == [(slow.score.origin, kept[0][1])]
        assert attributes(spans["process t.sensors.v1"])["foreshock.sampled_by"] == "slow"
        assert strict.counters()["slow"] == strict.counters()["recorded"] == 1

    def test_in_a_backlog_is_bounded(self, strict, records):
        """Where all are slow some of them suffice; the rest is counted, and events are not limited."""
        strict.record(records.times(), [records.outcome(at) for at in range(1000)])
        counters = strict.counters()
        strict.record(records.times(), [records.anomaly(2000)])
        strict.close()

        assert counters["recorded"] <= 4 * subject.SLOW_PER_S
        assert counters["recorded"] + counters["limited"] == 1000
        assert strict.counters()["recorded"] == counters["recorded"] + 1


def test_flood_of_garbage_is_bounded(make, records, tmp_path):
    """A producer that sends nothing but garbage has some of its records traced each second; the rest is counted."""
    telemetry = make(ratio=0, store=str(tmp_path))
    telemetry.record(records.times(), [records.dead_letter(at) for at in range(2000)])
    counters = telemetry.counters()
    telemetry.close()

    assert subject.LETTERS_PER_S <= counters["recorded"] < 2000
    assert counters["recorded"] + counters["limited"] == 2000


class TestContext:
    """A trace context that is none begins a trace of its own, and that is told."""

    def test_is_told_and_counted(self, make, receiver, records):
        """The root has what came as an event; the trace is the record's own, without a parent."""
        telemetry = make(ratio=0)
        bad = PRODUCER.upper()
        telemetry.record(records.times(), [records.anomaly(traceparent=bad), records.outcome(8, traceparent="?")])
        root = sent(telemetry, receiver)["process t.sensors.v1"]

        assert events(root)["foreshock.traceparent_rejected"] == {"foreshock.traceparent": bad}
        assert not root.parent_span_id
        assert telemetry.counters()["rejected"] == 2

    def test_is_counted_without_anywhere_to_send(self, make, records):
        """Also a worker without any exporter counts them."""
        telemetry = make()
        telemetry.record(records.times(), [records.outcome(traceparent="?"), records.outcome(8, traceparent=PRODUCER)])

        assert telemetry.counters()["rejected"] == 1


class TestEvents:
    """What is worth a mark on the line of time."""

    def test_of_a_dead_letter(self, make, receiver, records):
        """Its reason, its id, what mends it."""
        telemetry = make()
        letter = records.dead_letter()
        telemetry.record(records.times(), [letter])
        told = events(sent(telemetry, receiver)["process t.sensors.v1"])["foreshock.dead_letter"]

        assert told["foreshock.reason"] == "bad_rate"
        assert told["foreshock.event_id"] == letter.event_id
        assert told["foreshock.fix"]

    def test_of_warm_up_and_held_learning(self, make, receiver, records):
        """How far the warm-up is; why nothing was learnt; nothing where all is as ever."""
        telemetry = make()
        ordinary = records.anomaly(1)
        row = replace(ordinary.score.rows[-1], state=ScoreState.WARMING)
        for offset, changes in (
            (1, {"learning": "learning"}),
            (2, {"learning": "held: in alarm"}),
            (3, {"learning": "warming up", "rows": (row,), "warmup": 0.25}),
        ):
            score = replace(ordinary.score, origin=records.origin(offset), score_id=f"{offset}" * 32, **changes)
            telemetry.record(records.times(), [replace(ordinary, score=score)])
        telemetry.close()
        told = [events(span) for span in receiver.spans() if span.name == "score"]

        assert told == [
            {},
            {"foreshock.learning_held": {"foreshock.learning": "held: in alarm"}},
            {"foreshock.warming_up": {"foreshock.warmup": 0.25}},
        ]

    def test_of_a_cold_start(self, make, receiver, records):
        """An asset that lost its state says so on the root."""
        telemetry = make()
        found = records.frozen()
        cold = replace(found.quality[0], kind=QualityKind.COLD_START, detail="its snapshot is damaged")
        telemetry.record(records.times(), [replace(found, quality=(cold,))])
        told = events(sent(telemetry, receiver)["process t.sensors.v1"])

        assert told["foreshock.cold_start"] == {"foreshock.reason": "its snapshot is damaged"}


class TestLinks:
    """What merged with a record is linked, some of it; how much there was, an attribute says."""

    def test_batch(self, make, receiver, records):
        """The poll of an event links to the messages that came with it: their producers' spans, or where they begin."""
        telemetry = make(ratio=0)
        others = [records.outcome(offset) for offset in range(40)]
        sampled = records.outcome(50, traceparent=PRODUCER[:-1] + "0")
        telemetry.record(records.times(), [sampled, records.anomaly(60), *others])
        receive = sent(telemetry, receiver)["receive t.sensors.v1"]

        assert attributes(receive)["messaging.batch.message_count"] == 42
        assert len(receive.links) == MATES
        assert receive.links[0].span_id.hex() == PRODUCER[36:52]
        assert receive.trace_id not in {link.trace_id for link in receive.links}

    def test_window(self, make, receiver, records):
        """The scoring of an event links to the last records of its measuring point, the oldest first, not to itself."""
        telemetry = make(ratio=1)
        for offset in range(8):
            telemetry.record(records.times(), [records.outcome(offset), records.outcome(100 + offset, point="nde")])
        telemetry.record(records.times(), [records.anomaly(9)])
        telemetry.close()
        roots = {attributes(s)["messaging.kafka.offset"]: s for s in receiver.spans() if s.name.startswith("process")}
        score = [span for span in receiver.spans() if span.name == "score"][-1]

        assert [link.span_id for link in score.links] == [roots[offset].span_id for offset in range(8 - WINDOW, 8)]
