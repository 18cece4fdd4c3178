"""Traces through the real SDK to a real OTLP receiver."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from foreshock import lineage
from foreshock.contract import Origin
from foreshock.streams import telemetry as subject
from tests.telemetry.receivers import attributes
from tests.wire.samples import DIAGNOSIS, VECTOR

PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = PRODUCER[:-1] + "0"


def sent(telemetry, receiver) -> dict[str, Span]:
    """Close and give what arrived, by name."""
    telemetry.close()
    return {span.name: span for span in receiver.spans()}


class TestTree:
    """DESIGN 7: one trace from the producer's header to the alert."""

    def test_anomaly_arrives_whole(self, make, receiver, records):
        """All spans of an anomaly arrive, in one trace, each under the root of our part."""
        telemetry = make(ratio=0)
        telemetry.record(records.times(), [records.anomaly(traceparent=PRODUCER)])
        spans = sent(telemetry, receiver)

        assert set(spans) == {
            "process t.sensors.v1",
            "queue t.sensors.v1",
            "receive t.sensors.v1",
            "decode",
            "quality",
            "features",
            "score",
            "policy",
            "encode",
            "send t.scores.v1",
            "send t.anomalies.v1",
        }
        root = spans.pop("process t.sensors.v1")
        assert root.parent_span_id.hex() == "b7ad6b7169203331"
        assert {span.parent_span_id for span in spans.values()} == {root.span_id}
        assert {span.trace_id.hex() for span in [root, *spans.values()]} == {"0af7651916cd43dd8448eb211c80319c"}

    def test_root_links_to_the_message(self, make, receiver, records):
        """The root has a link to the producer's span beside its parent, as the conventions ask."""
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly(traceparent=PRODUCER)])
        spans = sent(telemetry, receiver)

        assert [link.span_id.hex() for link in spans["process t.sensors.v1"].links] == ["b7ad6b7169203331"]
        assert not spans["decode"].links

    def test_without_a_producer_the_trace_is_a_hash(self, make, receiver, records):
        """Without a trace context the trace id is the hash of the coordinates that lineage gives, and the root has no parent."""
        telemetry = make()
        outcome = records.anomaly()
        telemetry.record(records.times(), [outcome])
        root = sent(telemetry, receiver)["process t.sensors.v1"]

        assert root.trace_id.hex() == lineage.trace_id(outcome.score.origin) == outcome.anomalies[0].trace_id
        assert not root.parent_span_id
        assert not root.links

    def test_semantic_conventions(self, make, receiver, records):
        """Kinds and attributes have the current names of the messaging conventions."""
        telemetry = make()
        outcome = records.anomaly()
        telemetry.record(records.times(), [outcome], offsets={outcome.anomalies[0].event_id: 55})
        spans = sent(telemetry, receiver)

        root = attributes(spans["process t.sensors.v1"])
        assert root["messaging.system"] == "kafka"
        assert root["messaging.operation.name"] == root["messaging.operation.type"] == "process"
        assert root["messaging.destination.name"] == "t.sensors.v1"
        assert root["messaging.destination.partition.id"] == "2"
        assert root["messaging.kafka.offset"] == 7
        assert root["messaging.consumer.group.name"] == "t.workers"
        assert root["foreshock.queue_ms"] == 30.0
        send = attributes(spans["send t.anomalies.v1"])
        assert send["messaging.operation.type"] == "send"
        assert send["messaging.kafka.offset"] == 55
        assert send["foreshock.event_id"] == outcome.anomalies[0].event_id
        kinds = {name: span.kind for name, span in spans.items()}
        assert kinds["process t.sensors.v1"] == Span.SPAN_KIND_CONSUMER
        assert kinds["receive t.sensors.v1"] == Span.SPAN_KIND_CLIENT
        assert kinds["send t.anomalies.v1"] == Span.SPAN_KIND_PRODUCER
        assert kinds["score"] == Span.SPAN_KIND_INTERNAL

    def test_times_are_those_of_the_batch(self, make, receiver, records):
        """Start and end of each stage are the times that the batch recorded, without a gap or an overlap."""
        telemetry = make()
        times = records.times()
        telemetry.record(times, [records.anomaly()])
        spans = sent(telemetry, receiver)

        ends = [
            spans[name].end_time_unix_nano
            for name in (
                *("receive t.sensors.v1", "decode", "quality", "features", "score", "policy", "encode"),
                "send t.scores.v1",
            )
        ]
        assert ends == list(times[1:])
        assert spans["decode"].start_time_unix_nano == times.started
        root = spans["process t.sensors.v1"]
        assert (root.start_time_unix_nano, root.end_time_unix_nano) == (times.received, times.delivered)

    def test_stage_without_a_time_has_no_span(self, make, receiver, records):
        """A stage that was not stamped is left out, and its time counts for the next one."""
        telemetry = make()
        telemetry.record(records.times()._replace(features=0, quality=0, started=0), [records.anomaly()])
        spans = sent(telemetry, receiver)

        assert "features" not in spans
        assert "receive t.sensors.v1" not in spans
        assert spans["score"].start_time_unix_nano == records.times().decoded

    def test_dead_letter_is_an_error(self, make, receiver, records):
        """A dead letter's root has the reason as error type and the sentence as status; it never saw the core."""
        telemetry = make(ratio=0)
        letter = records.dead_letter(traceparent=UNSAMPLED)
        telemetry.record(records.times(), [letter])
        spans = sent(telemetry, receiver)

        assert set(spans) == {
            "process t.sensors.v1",
            "queue t.sensors.v1",
            "receive t.sensors.v1",
            "decode",
            "encode",
            "send t.dead-letters.v1",
        }
        root = spans["process t.sensors.v1"]
        assert attributes(root)["error.type"] == "bad_rate"
        assert root.status.message == "the sampling rate is -5"

    def test_quality_transition_is_traced(self, make, receiver, records):
        """A quality transition is an event: it is traced whatever the share."""
        telemetry = make(ratio=0)
        telemetry.record(records.times(), [records.frozen()])

        assert "send t.quality.v1" in sent(telemetry, receiver)

    def test_diagnosis_is_traced_and_a_vector_alone_is_not(self, make, receiver, records):
        """Vectors come all day; what they point to is an event, and its trace shows both."""
        telemetry = make(ratio=0)
        vector = replace(records.outcome(), vectors=(VECTOR,))
        telemetry.record(records.times(), [vector])
        telemetry.record(records.times(), [replace(vector, diagnoses=(DIAGNOSIS,))])
        spans = sent(telemetry, receiver)

        assert sum(span.name == "process t.sensors.v1" for span in receiver.spans()) == 1
        assert attributes(spans["send t.features.v1"])["foreshock.window_ended"] == "complete"
        assert attributes(spans["send t.diagnoses.v1"])["foreshock.fault"] == "outer_race"


class TestHeader:
    """The header of an output names the span that sends it, before it is sent."""

    def test_names_the_send_span(self, make, receiver, records):
        """Trace id and span id of the header are those of the span that arrives later."""
        telemetry = make()
        outcome = records.anomaly(traceparent=PRODUCER)
        event = outcome.anomalies[0]
        header = telemetry.traceparent_for(outcome.score.origin, event.event_id, event=True)
        telemetry.record(records.times(), [outcome])
        span = sent(telemetry, receiver)["send t.anomalies.v1"]

        assert header == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"

    def test_flags_follow_the_decision(self, make, records):
        """An ordinary output carries its producer's decision; an event is always sampled."""
        telemetry = make(ratio=1)
        unsampled = records.origin(traceparent=UNSAMPLED)

        assert telemetry.traceparent_for(unsampled, "ab" * 16, event=False).endswith("-00")
        assert telemetry.traceparent_for(unsampled, "ab" * 16, event=True).endswith("-01")
        assert telemetry.traceparent_for(records.origin(), "ab" * 16, event=False).endswith("-01")

    @given(traceparent=st.one_of(st.none(), st.text(max_size=60), st.just(PRODUCER), st.just("00-" + "0" * 52)))
    def test_any_header_is_answered_with_a_valid_one(self, make, traceparent):
        """Whatever a producer sends as trace context, ours is valid and its record can be recorded."""
        origin = Origin(topic="s", topic_id="i", partition=0, offset=1, ingest_ns=1, traceparent=traceparent)
        header = make().traceparent_for(origin, "cd" * 16, event=False)

        assert header[:3] == "00-"
        assert header[3:35] == lineage.trace_id(origin)
        assert header[35:52] == "-" + "cd" * 8
        assert header[52:] in ("-00", "-01")


class TestSampling:
    """Ordinary blocks at the producer's decision, else by share; events always."""

    def test_unsampled_block_builds_nothing(self, make, receiver, records, monkeypatch):
        """For a block that is not sampled no span is even planned."""
        monkeypatch.setattr(subject, "plan", lambda *_, **__: pytest.fail("a span was planned"))
        telemetry = make(ratio=0)
        telemetry.record(records.times(), [records.outcome(), records.outcome(traceparent=UNSAMPLED)])
        telemetry.close()

        assert telemetry.counters()["recorded"] == 0

    def test_producer_decides(self, make, receiver, records):
        """A block whose producer samples it is traced although the share is zero."""
        telemetry = make(ratio=0)
        telemetry.record(records.times(), [records.outcome(traceparent=PRODUCER), records.outcome(offset=8)])
        spans = sent(telemetry, receiver)

        assert attributes(spans["process t.sensors.v1"])["foreshock.sampled_by"] == "producer"
        assert telemetry.counters()["recorded"] == 1

    def test_share_of_the_trace_ids(self, make, records, tmp_path, monkeypatch):
        """A share of the blocks without a producer's context is traced, the same ones each time."""
        monkeypatch.setattr(subject, "ORDINARY_PER_S", 10**6)
        blocks = [records.outcome(offset) for offset in range(2000)]
        counts = []
        for attempt in range(2):
            telemetry = make(ratio=0.1, store=str(tmp_path / str(attempt)))
            telemetry.record(records.times(), blocks)
            counts.append(telemetry.counters()["recorded"])
            telemetry.close()

        assert counts[0] == counts[1]
        assert 150 < counts[0] < 250

    def test_ordinary_traces_are_bounded_in_rate(self, make, records, tmp_path):
        """A producer that samples every block gets a bounded number of traces a second; the rest is counted, events are not limited."""
        telemetry = make(store=str(tmp_path))
        telemetry.record(records.times(), [records.outcome(at, traceparent=PRODUCER) for at in range(1000)])
        limited = telemetry.counters()["limited"]
        telemetry.record(records.times(), [records.anomaly(2000)])
        counters = telemetry.counters()
        telemetry.close()

        assert limited >= 1000 - 3 * subject.ORDINARY_PER_S
        assert counters["recorded"] == 1001 - limited

    def test_nowhere_to_send_means_no_work(self, make, records, monkeypatch):
        """Without store and endpoint, or with the SDK disabled, nothing is built, and headers are made all the same."""
        monkeypatch.setattr(subject, "plan", lambda *_, **__: pytest.fail("a span was planned"))
        make().record(records.times(), [records.anomaly()])
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])

        assert telemetry.traceparent_for(records.origin(), "ab" * 16, event=True)
        assert telemetry.counters()["recorded"] == 0
