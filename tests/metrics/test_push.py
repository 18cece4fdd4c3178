"""OTLP: a real receiver parses the protobuf and finds the same figures under the same names."""

from __future__ import annotations

import time

import pytest

from foreshock.streams.metrics.catalog import BY_NAME
from foreshock.streams.metrics.model import Kind, Process
from foreshock.streams.metrics.push import Push
from foreshock.streams.metrics.values import Values
from tests.metrics.reading import collecting

WAIT_S = 30.0


@pytest.fixture
def collector(monkeypatch):
    """A receiver that the standard variables name, with an export ten times a second."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
        yield found


def wait(true):
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_figures_units_and_exemplars_arrive(collector):
    """Sums are cumulative and monotonic, histograms have their buckets, exemplars their trace, the resource its name."""
    values = Values(Process.WORKER)
    values.add("foreshock_dead_letters_total", ("malformed",), 3)
    values.put("foreshock_lag_seconds", 7.5, ("2",))
    histogram = values.histogram("foreshock_end_to_end_seconds")
    histogram.observe([0.2, 0.2, 7000.0])
    histogram.remember(0.2, "ab" * 16, 77, 1000.0)
    push = Push(values, "foreshock-worker", "hall-0")
    wait(lambda: collector.requests)
    push.close()

    found = collector.metrics()
    letters = found["foreshock_dead_letters_total"]
    assert (letters.sum.is_monotonic, letters.sum.aggregation_temporality, letters.unit) == (True, 2, "")
    assert collector.sum("foreshock_dead_letters_total", reason="malformed") == 3
    assert collector.sum("foreshock_lag_seconds", partition="2") == 7.5
    assert found["foreshock_lag_seconds"].unit == "s"
    assert found["foreshock_outputs_in_flight_bytes"].unit == "By"
    (point,) = found["foreshock_end_to_end_seconds"].histogram.data_points
    assert (point.count, point.bucket_counts[-1], sum(point.bucket_counts)) == (3, 1, 3)
    assert list(point.explicit_bounds) == list(BY_NAME["foreshock_end_to_end_seconds"].buckets)
    assert not point.HasField("min")
    (exemplar,) = point.exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id, exemplar.as_double) == ("ab" * 16, (77).to_bytes(8), 0.2)
    assert collector.resource()["service.name"] == "foreshock-worker"
    assert collector.resource()["service.instance.id"] == "hall-0"
    assert all(name in BY_NAME for name in found)
    assert all(found[name].HasField({Kind.COUNTER: "sum", Kind.GAUGE: "gauge", Kind.HISTOGRAM: "histogram"}[BY_NAME[name].kind]) for name in found)  # fmt: skip


def test_a_receiver_that_refuses_is_counted_and_told_once(collector, caplog):
    """Exports fail and go on; when it takes them again that is told."""
    values = Values(Process.CASES)
    collector.status = 400
    push = Push(values, "foreshock-cases", "cases-0")
    failed = lambda: dict(values.numbers("foreshock_metrics_exports_total"))["failed",]
    wait(lambda: failed() >= 3)
    collector.status = 200
    wait(lambda: dict(values.numbers("foreshock_metrics_exports_total"))["sent",])
    push.close()

    assert caplog.text.count("metrics do not reach") == 1
    assert caplog.text.count("metrics reach their receiver again") == 1


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_METRICS_EXPORTER": "none"}],
)
def test_nothing_is_sent_where_nobody_asks(monkeypatch, variables, collector):
    """No endpoint, the SDK switched off, no exporter: no thread and no request."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if not variables:
        monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    push = Push(Values(Process.CASES), "foreshock-cases", "cases-0")
    push.close()

    assert not hasattr(push, "_thread")
    assert collector.requests == []


def test_the_end_does_not_wait_for_a_receiver_that_is_not_there(monkeypatch):
    """Closing takes its second and no more."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    push = Push(Values(Process.CASES), "foreshock-cases", "cases-0")
    begun = time.monotonic()
    push.close(0.2)

    assert time.monotonic() - begun < WAIT_S
