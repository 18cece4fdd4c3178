"""Exporters that are down or slow, and who the process says it is."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from foreshock.streams.spans.store import SpanStore


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")


class TestOutage:
    """An exporter that is down or slow costs spans, counted, and nothing else."""

    def test_down_counts_and_returns(self, make, nobody, records, caplog, monkeypatch, until):
        """With nobody there recording goes on at speed, losses are counted, and the log has one line."""
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "512")
        telemetry = make()
        with caplog.at_level(logging.WARNING):
            began = time.monotonic()
            for offset in range(300):
                telemetry.record(records.times(), [records.anomaly(offset)])
            took = time.monotonic() - began
            until(lambda: telemetry.counters()["failed"] > 0)
            closing = time.monotonic()
            telemetry.close(timeout_s=20)
            closed = time.monotonic() - closing

        counters = telemetry.counters()
        assert took < 10
        assert closed < 10
        assert counters["dropped"] > 0
        assert counters["sent"] == 0
        assert len([line for line in caplog.messages if "do not reach" in line]) == 1
        assert len(caplog.messages) <= 2

    def test_slow_receiver_does_not_slow_the_caller(self, make, receiver, records):
        """While a receiver takes its time, recording a batch takes as long as before."""
        receiver.delay_s = 20
        telemetry = make()
        began = time.monotonic()
        for offset in range(100):
            telemetry.record(records.times(), [records.anomaly(offset)])
        took = time.monotonic() - began
        telemetry.close(timeout_s=0.1)

        assert took < receiver.delay_s / 2

    def test_store_lives_on_beside_a_dead_endpoint(self, make, nobody, records, tmp_path, until):
        """A dead endpoint takes nothing from the local store."""
        telemetry = make(store=str(tmp_path))
        outcome = records.anomaly()
        telemetry.record(records.times(), [outcome])
        store = SpanStore(tmp_path)

        until(lambda: store.find(outcome.anomalies[0].event_id))
        telemetry.close(timeout_s=0.1)

    def test_full_queue_refuses_whole_traces(self, make, nobody, records, monkeypatch):
        """Ordinary traces are refused while events still find room."""
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "60")
        telemetry = make(ratio=1)
        telemetry.record(records.times(), [records.outcome(offset) for offset in range(20)])
        ordinary = telemetry.counters()["recorded"]
        telemetry.record(records.times(), [records.anomaly(100)])
        recorded = telemetry.counters()["recorded"]
        telemetry.close(timeout_s=0.1)

        assert ordinary < 20
        assert recorded == ordinary + 1


class TestResource:
    """Who speaks: the standard variables over the settings."""

    def test_from_settings(self, make, receiver, records):
        """Service, version and worker name the process."""
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close()

        resource = receiver.resource()
        assert resource["service.name"] == "foreshock-worker"
        assert resource["service.instance.id"] == "worker-0"

    def test_environment_comes_first(self, make, receiver, records, monkeypatch):
        """OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are honoured."""
        monkeypatch.setenv("OTEL_SERVICE_NAME", "line-7")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=plant")
        telemetry = make()
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close()

        resource = receiver.resource()
        assert resource["service.name"] == "line-7"
        assert resource["deployment.environment.name"] == "plant"
