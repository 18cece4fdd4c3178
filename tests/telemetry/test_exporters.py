"""Where spans go: OTLP over gRPC, Zipkin's JSON, and what the environment may get wrong."""

from __future__ import annotations

import logging
import sys

import pytest

from foreshock.streams.spans.exporters import Trace, queues
from tests.telemetry.receivers import GrpcReceiver, Receiver, ZipkinReceiver

PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def over_grpc(monkeypatch):
    """A receiver over gRPC that the standard variables name."""
    found = GrpcReceiver()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    yield found
    found.close()


@pytest.fixture
def zipkin(monkeypatch):
    """A receiver of Zipkin's JSON."""
    found = ZipkinReceiver()
    monkeypatch.setenv("OTEL_EXPORTER_ZIPKIN_ENDPOINT", found.url)
    yield found
    found.close()


class TestGrpc:
    """OTEL_EXPORTER_OTLP_PROTOCOL=grpc."""

    def test_says_what_http_says(self, make, over_grpc, records, monkeypatch):
        """The same trace over gRPC and over HTTP: the same spans with the same ids, times and attributes."""
        outcome, times = records.anomaly(traceparent=PRODUCER), records.times()
        telemetry = make()
        telemetry.record(times, [outcome])
        telemetry.close(20)
        over_http = Receiver()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", over_http.url)
        monkeypatch.delenv("OTEL_EXPORTER_OTLP_PROTOCOL")
        other = make()
        other.record(times, [outcome])
        other.close(20)
        over_http.close()

        assert len(over_grpc.spans()) == 11
        assert over_grpc.spans() == over_http.spans()
        assert over_grpc.resource() == over_http.resource()
        assert telemetry.counters()["sent"] == 11

    def test_without_the_extra_is_one_line(self, make, over_grpc, records, caplog, monkeypatch):
        """Where the extra is not installed one line says what to install, and scoring goes on."""
        monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", None)
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close()

        assert [line for line in caplog.messages if "foreshock[grpc]" in line]
        assert telemetry.counters()["recorded"] == 0

    def test_receiver_that_is_gone_holds_nobody_up(self, make, over_grpc, records, caplog):
        """Killed in the middle: losses are counted and told once; every call returns."""
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.flush()
        over_grpc.close()
        with caplog.at_level(logging.WARNING):
            for offset in range(200):
                telemetry.record(records.times(), [records.anomaly(offset)])
            telemetry.close(timeout_s=0.5)

        counters = telemetry.counters()
        assert counters["sent"] == 11
        assert counters["recorded"] == 201


class TestZipkin:
    """OTEL_EXPORTER_ZIPKIN_ENDPOINT: v2 JSON."""

    def test_tree_and_fields(self, make, zipkin, records):
        """Ids, kinds, times in us, tags as text, the event as an annotation, Kafka as the other end."""
        telemetry = make()
        outcome = records.anomaly(traceparent=PRODUCER)
        telemetry.record(records.times(), [outcome, records.dead_letter(8)])
        telemetry.close()
        spans = {span["name"]: span for span in zipkin.spans if span["traceId"] == PRODUCER[3:35]}
        root = spans["process t.sensors.v1"]

        assert (root["parentId"], root["kind"]) == (PRODUCER[36:52], "CONSUMER")
        assert root["timestamp"] == records.times().received // 1000
        assert root["duration"] == (records.times().delivered - records.times().received) // 1000
        assert root["localEndpoint"] == {"serviceName": "foreshock-worker"}
        assert root["remoteEndpoint"] == {"serviceName": "kafka"}
        assert root["tags"]["messaging.kafka.offset"] == "7"
        assert root["tags"]["host.name"]
        assert {span["parentId"] for span in spans.values() if span is not root} == {root["id"]}
        assert "kind" not in spans["score"]
        assert spans["policy"]["tags"]["foreshock.alarm"] == "true"
        letter = next(span for span in zipkin.spans if "error" in span["tags"])
        assert letter["tags"]["error"] == "the sampling rate is -5"
        assert letter["annotations"][0]["value"].startswith('"foreshock.dead_letter":{')
        assert all(isinstance(text, str) for span in zipkin.spans for text in span["tags"].values())

    def test_refusal_counts(self, make, zipkin, records):
        """What Zipkin refuses has failed, and nothing is raised."""
        zipkin.status = 400
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close()

        assert telemetry.counters()["failed"] == 11

    @pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://127.0.0.1/x", "http://127.0.0.1:99999/", "http://["])
    def test_wrong_address_costs_spans_only(self, make, records, monkeypatch, url):
        """A wrong endpoint is no reason to fail."""
        monkeypatch.setenv("OTEL_EXPORTER_ZIPKIN_ENDPOINT", url)
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close()

        assert telemetry.counters()["failed"] == 11


class TestChoice:
    """Which exporters there are."""

    @pytest.mark.parametrize(
        ("named", "count"), [("", 3), ("otlp", 2), ("zipkin", 2), ("otlp,zipkin", 3), ("none", 1), ("console", 1)]
    )
    def test_otel_traces_exporter(self, receiver, zipkin, monkeypatch, tmp_path, named, count):
        """OTEL_TRACES_EXPORTER says which of those that have an endpoint are meant; the local store is always there."""
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", named)
        found = queues(str(tmp_path))
        for each in found:
            each.shutdown()

        assert len(found) == count

    @pytest.mark.parametrize("url", ["nonsense", "http://", "http://127.0.0.1:99999"])
    @pytest.mark.parametrize("protocol", ["http/protobuf", "grpc", "carrier pigeon"])
    def test_wrong_otlp_endpoint_costs_spans_only(self, make, records, monkeypatch, url, protocol):
        """A wrong endpoint or protocol is no reason to fail, or to wait."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close(timeout_s=0.5)

        assert telemetry.counters()["sent"] == 0


class TestDefects:
    """An exporter that raises."""

    def test_its_spans_count_as_failed(self, monkeypatch, tmp_path):
        """What an exporter fails on takes no room for good: later traces still go out."""
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
        (queue,) = queues(str(tmp_path))

        def broken():
            raise TypeError("half of a surrogate pair")

        for _ in range(4):
            assert queue.admit(10, event=True)
            queue.take(Trace(broken, 10))
            queue.force_flush()

        assert (queue.exporter.failed, queue.exporter.sent) == (40, 0)
        assert queue.exporter.down
        queue.shutdown()
