"""Metrics by OTLP, where the environment names a receiver: the same values under the same names.

The SDK's own instruments would count everything a second time, and at the moment it happens; here only its data model and
its exporters are used, on what was counted anyway. A receiver that is slow or gone holds up nothing but this thread.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import cast

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

import foreshock
from foreshock.streams.errors import aside, guarded
from foreshock.streams.metrics import model
from foreshock.streams.metrics.model import Kind
from foreshock.streams.metrics.values import Exemplar as Remembered
from foreshock.streams.metrics.values import Labels, Values
from foreshock.streams.spans.asked import disabled
from foreshock.streams.spans.tracing import resource

log = logging.getLogger("foreshock.telemetry")

ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
INTERVAL_MS = 60_000
RETELL_S = 300.0
_UNITS = {
    "seconds": "s",
    "bytes": "By",
    "ratio": "",
    "": "",
}  # UCUM; for "1" the collector adds _ratio to gauges (seen)
_CUMULATIVE = AggregationTemporality.CUMULATIVE


class Push:
    """Exports now and then, in a thread of its own, if there is a receiver.

    The standard variables hold: OTEL_SDK_DISABLED, OTEL_METRICS_EXPORTER (``none``), OTEL_METRIC_EXPORT_INTERVAL, those of
    the resource, and OTEL_EXPORTER_OTLP_*.

    Parameters
    ----------
    values
        What is exported.
    service_name, worker
        Of the resource, as in traces.
    """

    def __init__(self, values: Values, service_name: str, worker: str) -> None:
        self._values = values
        self._start_ns = time.time_ns()
        self._exporter = _exporter() if wanted() else None
        self._told = 0.0
        self._over = threading.Event()
        if self._exporter is not None:
            self._resource = resource(service_name, worker)
            self._thread = threading.Thread(name="metrics-push", daemon=True, target=guarded(self._run))
            self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """Export once more, for at most this long."""
        if self._exporter is None or self._over.is_set():
            return
        self._over.set()
        self._thread.join(timeout_s)

    def collect(self) -> MetricsData:
        """Give all metrics in the SDK's data model."""
        now_ns = time.time_ns()
        found = [self._metric(each, now_ns) for each in self._values.metrics]
        scope = ScopeMetrics(InstrumentationScope("foreshock", foreshock.__version__), [m for m in found if m], "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])

    def _run(self) -> None:
        interval_s = _interval_s()
        while True:
            last = self._over.wait(interval_s)
            aside(self._export)
            if last:
                return

    def _export(self) -> None:
        assert self._exporter is not None
        taken = self._exporter.export(self.collect()) is MetricExportResult.SUCCESS
        self._values.add("foreshock_metrics_exports_total", ("sent" if taken else "failed",))
        if taken and self._told:
            log.warning("metrics reach their receiver again")
            self._told = 0.0
        elif not taken and time.monotonic() - (self._told or -RETELL_S) >= RETELL_S:
            log.warning("metrics do not reach %s; all else goes on", endpoint().rpartition("@")[2])
            self._told = time.monotonic()

    def _metric(self, metric: model.Metric, now_ns: int) -> Metric | None:
        """Give one metric; None while it has no series."""
        if metric.kind is Kind.HISTOGRAM:
            points = list(self._histogram(metric, now_ns))
            data: Sum | Gauge | Histogram = Histogram(points, _CUMULATIVE)
            return Metric(metric.name, metric.help, _UNITS[metric.unit], data) if points else None
        numbers = [
            NumberDataPoint(_attributes(metric, labels), self._start_ns, now_ns, float(value))
            for labels, value in self._values.numbers(metric.name)
        ]
        data = Sum(numbers, _CUMULATIVE, is_monotonic=True) if metric.kind is Kind.COUNTER else Gauge(numbers)
        return Metric(metric.name, metric.help, _UNITS[metric.unit], data) if numbers else None

    def _histogram(self, metric: model.Metric, now_ns: int) -> Iterator[HistogramDataPoint]:
        for labels, found in self._values.histograms(metric.name):
            yield HistogramDataPoint(
                attributes=_attributes(metric, labels),
                start_time_unix_nano=self._start_ns,
                time_unix_nano=now_ns,
                count=int(found.counts.sum()),
                sum=found.sum,
                bucket_counts=found.counts.tolist(),
                explicit_bounds=found.bounds.tolist(),
                min=cast("float", None),  # unknown: the wire leaves them out
                max=cast("float", None),
                exemplars=[_exemplar(each) for each in found.exemplars.values()],
            )


def endpoint() -> str:
    """Give the address of the receiver; "" for none."""
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")


def wanted() -> bool:
    """Whether the environment asks for metrics by OTLP."""
    given = {name.strip().lower() for name in os.environ.get("OTEL_METRICS_EXPORTER", "").split(",")} - {""}
    return bool(endpoint()) and not disabled() and (not given or "otlp" in given)


def _interval_s() -> float:
    given = os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip()
    return max(int(given) if given.isdecimal() else INTERVAL_MS, 100) / 1000


def _exporter() -> MetricExporter | None:
    """Make the exporter; it reads its variables itself. None, and a line, where it cannot be made."""
    for name in ("http", "grpc"):  # it tells of every attempt that failed; `Push` says the same once
        logging.getLogger(f"opentelemetry.exporter.otlp.proto.{name}").setLevel(logging.CRITICAL)
    protocol = next((os.environ[name].strip() for name in PROTOCOLS if os.environ.get(name, "").strip()), "")
    try:
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter

            return GrpcExporter()
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        return OTLPMetricExporter()
    except ImportError:
        log.error("metrics over gRPC need the extra: pip install 'foreshock[grpc]'; none are sent")  # noqa: TRY400  # says all
    except (ValueError, OSError) as exc:
        log.error("metrics cannot be sent: %s; all else goes on without them", exc)  # noqa: TRY400  # a wrong setting, no defect
    return None


def _attributes(metric: model.Metric, labels: Labels) -> dict[str, str]:
    return dict(zip((label.name for label in metric.labels), labels, strict=True))


def _exemplar(known: Remembered) -> Exemplar:
    return Exemplar({}, known.value, int(known.at_s * 1e9), known.span_id, int(known.trace_id, 16))
