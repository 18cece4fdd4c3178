"""Spans as Zipkin v2 JSON over HTTP, for a Zipkin without a collector before it.

OpenTelemetry's own exporter is deprecated since December 2025, and Zipkin takes OTLP with an addition only; its JSON is
short (https://zipkin.io/zipkin-api/, `/api/v2/spans`). What it has no place for is kept as tags.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

TIMEOUT_S = 5.0
_KINDS = frozenset({"CLIENT", "SERVER", "PRODUCER", "CONSUMER"})  # an internal span has none
_DROPPED = frozenset({"service.name"})  # of the resource: it is the endpoint's name


class ZipkinExporter(SpanExporter):
    """Posts spans to the address of a Zipkin, ``http://HOST:9411/api/v2/spans``; one attempt a batch.

    Parameters
    ----------
    url
        As `OTEL_EXPORTER_ZIPKIN_ENDPOINT` has it. A wrong one is no reason to fail: its spans count as failed.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Post spans."""
        body = orjson.dumps([zipkin_span(span) for span in spans])
        try:
            url = urlsplit(self._url)
            connection = _connection(url, self._timeout_s)
            try:
                connection.request("POST", url.path or "/", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            finally:
                connection.close()
        except (OSError, ValueError, http.client.HTTPException):
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if answer.status // 100 == 2 else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Nothing is open between two batches."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  # the SDK's signature
        """Nothing is held back."""
        return True


def zipkin_span(span: ReadableSpan) -> dict[str, Any]:
    """Write a span as Zipkin has it: times in us, a duration of at least 1, all tags text."""
    context = span.context
    assert context is not None
    start_ns = span.start_time or 0
    resource = span.resource.attributes
    tags = {name: _text(value) for name, value in resource.items() if name not in _DROPPED}
    tags |= {name: _text(value) for name, value in (span.attributes or {}).items()}
    if span.status.status_code is StatusCode.ERROR:
        tags["error"] = span.status.description or "true"
    if span.links:
        tags["links"] = " ".join(f"{link.context.trace_id:032x}/{link.context.span_id:016x}" for link in span.links)
    found: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}",
        "id": f"{context.span_id:016x}",
        "name": span.name,
        "timestamp": start_ns // 1000,
        "duration": max(1, ((span.end_time or start_ns) - start_ns) // 1000),
        "localEndpoint": {"serviceName": _text(resource.get("service.name", "unknown_service"))},
        "tags": tags,
    }
    if span.parent:
        found["parentId"] = f"{span.parent.span_id:016x}"
    if span.kind.name in _KINDS:
        found["kind"] = span.kind.name
        if system := (span.attributes or {}).get("messaging.system"):
            found["remoteEndpoint"] = {"serviceName": _text(system)}  # so that its map of services shows Kafka between
    if span.events:
        found["annotations"] = [_annotation(event) for event in span.events]
    return found


def _annotation(event: Event) -> dict[str, Any]:
    about: Mapping[str, Any] = event.attributes or {}
    told = f'"{event.name}":{orjson.dumps(dict(about)).decode()}' if about else event.name
    return {"timestamp": event.timestamp // 1000, "value": told}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _connection(url: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    """Open what the URL asks for.

    Raises
    ------
    ValueError
        It is no address of a server for HTTP.
    """
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("an http:// or https:// URL with a host is wanted")
    if url.scheme == "https":
        return http.client.HTTPSConnection(
            url.hostname, url.port, timeout=timeout_s, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(url.hostname, url.port, timeout=timeout_s)
