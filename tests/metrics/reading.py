"""Reads what a process exposes, as Prometheus and as an OTLP receiver do."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
WAIT_S = 30.0


class Scrape:
    """One scrape, parsed by Prometheus' own client library."""

    def __init__(self, body: str, *, openmetrics: bool = True) -> None:
        self.families = {family.name: family for family in (parse_openmetrics if openmetrics else parse_text)(body)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The one sample of that name and these labels; 0 where there is none."""
        found = [s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items()]
        assert len(found) <= 1, f"{name} {labels} is ambiguous: {found}"
        return found[0] if found else 0.0

    def total(self, name: str, **labels: str) -> float:
        """The sum over all series of a metric."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())

    def by(self, name: str, label: str) -> dict[str, float]:
        """Values by one label, those of 0 left out."""
        return {s.labels[label]: s.value for s in self.samples if s.name == name and s.value}

    def exemplars(self, name: str) -> list[Any]:
        """Exemplars of a histogram."""
        return [s.exemplar for s in self.samples if s.name == f"{name}_bucket" and s.exemplar]


def get(url: str, accept: str = OPENMETRICS) -> tuple[int, str, str]:
    """Ask for a page: status, content type, body."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.headers["Content-Type"], exc.read().decode()


def scrape(address: str) -> Scrape:
    """Scrape a process."""
    status, content_type, body = get(f"{address}/metrics")
    assert (status, content_type.partition(";")[0]) == (200, "application/openmetrics-text"), body
    return Scrape(body)


def address_in(lines: list[str]) -> str:
    """Where a process said that it is scraped."""
    found = re.search(r"metrics at (http://\S+)/metrics", "\n".join(lines))
    assert found, lines
    return found[1]


class Collector:
    """An OTLP receiver for metrics: takes protobuf over HTTP and keeps it."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        self.status = 200
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/v1/metrics" and collector.status == 200:
                    collector.requests.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(collector.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def metrics(self) -> dict[str, Any]:
        """The newest export, by name."""
        newest = self.requests[-1] if self.requests else ExportMetricsServiceRequest()
        return {m.name: m for r in newest.resource_metrics for scope in r.scope_metrics for m in scope.metrics}

    def resource(self) -> dict[str, str]:
        attributes = self.requests[-1].resource_metrics[0].resource.attributes
        return {item.key: item.value.string_value for item in attributes}

    def sum(self, name: str, **labels: str) -> float:
        """A sum or gauge over its data points."""
        metric = self.metrics().get(name)
        points = [] if metric is None else (metric.sum if metric.HasField("sum") else metric.gauge).data_points
        return sum(
            p.as_double for p in points if labels.items() <= {a.key: a.value.string_value for a in p.attributes}.items()
        )


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a receiver."""
    found = Collector()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
