"""The OpenTelemetry SDK: the only module that knows it. Plans of spans go in, real spans go to the exporters.

Spans are made by a real `Tracer` with their start and end given, after everything has happened. Each exporter has its
own bounded queue and thread: one that is slow or gone loses its own spans, counted, and never holds anything up.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

import foreshock
from foreshock.streams.spans.attributes import ASSET, EVENT_ID, SAMPLED_BY
from foreshock.streams.spans.plan import SpanPlan, TracePlan
from foreshock.streams.spans.store import SpanRow, SpanStore

log = logging.getLogger("foreshock.telemetry")

QUEUE_SPANS = 8192  # about a thousand traces, 20 MB
BATCH_SPANS = 512
STORE_DELAY_MS = 500.0  # `foreshock trace` finds what happened half a second ago
RETELL_S = 300.0  # an exporter that stays down is told again so often
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Tracing:
    """A tracer provider with its exporters: the local store in `store`, OTLP over HTTP where the environment names it.

    The standard variables hold: OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER (only ``none`` changes anything),
    OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_*, OTEL_BSP_*. Not OTEL_TRACES_SAMPLER: which records
    get a trace is decided before any span is made.
    """

    def __init__(self, *, service_name: str, worker: str, store: str = "") -> None:
        self._ids = _PlannedIds()
        self._queues = _queues(store)
        self._provider: TracerProvider | None = None
        if self._queues:
            self._provider = TracerProvider(
                sampler=ALWAYS_ON,
                resource=_resource(service_name, worker),
                id_generator=self._ids,
                shutdown_on_exit=False,
            )
            for queue in self._queues:
                self._provider.add_span_processor(queue)
            self._tracer = self._provider.get_tracer("foreshock", foreshock.__version__)

    @property
    def enabled(self) -> bool:
        """Whether there is anywhere for a span to go."""
        return bool(self._queues)

    def room(self, spans: int, *, event: bool) -> bool:
        """Ask before anything is built: has any exporter room for a whole trace? Ordinary ones leave half to events."""
        taken = [queue.admit(spans, event=event) for queue in self._queues]
        return any(taken)

    def emit(self, plan: TracePlan) -> None:
        """Make the spans of one trace and hand them to the exporters that had room."""
        contexts: dict[int, Context] = {0: _producer_context(plan)}
        links = _producer_link(plan)
        for span in plan.spans:
            contexts[span.span_id] = self._emit_one(plan.trace_id, span, contexts[span.parent_id], links)
            links = []

    def counters(self) -> dict[str, int]:
        """Count spans: sent, dropped because a queue was full, failed because an exporter refused them."""
        return {
            "sent": sum(queue.exporter.sent for queue in self._queues),
            "dropped": sum(queue.dropped for queue in self._queues),
            "failed": sum(queue.exporter.failed for queue in self._queues),
        }

    def flush(self) -> None:
        """Wait until everything that is queued was sent or has failed."""
        for queue in self._queues:
            queue.force_flush()

    def close(self, timeout_s: float) -> None:
        """Send what is queued as far as the time allows, then leave the rest; nobody waits for an exporter that is down."""
        for queue in self._queues:
            if queue.exporter.down:
                queue.exporter.shutdown()
        threads = [threading.Thread(target=queue.shutdown, daemon=True) for queue in self._queues]
        for thread in threads:
            thread.start()
        end = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        for thread, queue in zip(threads, self._queues, strict=True):
            if thread.is_alive():
                queue.exporter.shutdown()  # ends the waits between its attempts

    def _emit_one(self, trace_id: int, span: SpanPlan, context: Context, links: Sequence[Link]) -> Context:
        self._ids.next = (trace_id, span.span_id)
        made = self._tracer.start_span(
            span.name,
            context=context,
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            links=links,
            start_time=span.start_ns,
        )
        if span.error:
            made.set_status(Status(StatusCode.ERROR, span.error))
        made.end(end_time=span.end_ns)
        return trace.set_span_in_context(made, Context())


class _PlannedIds(IdGenerator):
    """Gives the tracer the ids that the plan has."""

    def __init__(self) -> None:
        self.next = (0, 0)

    def generate_trace_id(self) -> int:
        return self.next[0]

    def generate_span_id(self) -> int:
        return self.next[1]


class _Counted(SpanExporter):
    """Counts what an exporter took and refused, and tells once when it goes and when it comes back."""

    def __init__(self, inner: SpanExporter, name: str) -> None:
        self._inner = inner
        self._name = name
        self._closed = False
        self._told = 0.0  # when it was last said that it is down; 0: it is not
        self.sent = 0
        self.failed = 0

    @property
    def down(self) -> bool:
        """Whether the last attempt failed."""
        return self._told > 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE if self._closed else self._inner.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.sent += len(spans)
            if self._told:
                log.warning("traces reach %s again; %d spans were lost", self._name, self.failed)
                self._told = 0.0
            return result
        self.failed += len(spans)
        if not self._closed and time.monotonic() - (self._told or -RETELL_S) >= RETELL_S:
            log.warning("traces do not reach %s; %d spans lost so far, scoring goes on", self._name, self.failed)
            self._told = time.monotonic()
        return result

    def shutdown(self) -> None:
        if not self._closed:
            self._closed = True
            self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)


class _Queue(BatchSpanProcessor):
    """The SDK's batch processor, which alone would drop the oldest spans uncounted; here whole traces are refused instead."""

    def __init__(self, exporter: _Counted, delay_ms: float | None) -> None:
        self._limit = _positive("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE_SPANS)
        batch = min(self._limit, _positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH_SPANS))
        super().__init__(
            exporter, max_queue_size=self._limit, max_export_batch_size=batch, schedule_delay_millis=delay_ms
        )
        self.exporter = exporter
        self.dropped = 0
        self._taken = 0
        self._open = False

    def admit(self, spans: int, *, event: bool) -> bool:
        """Say whether the next trace goes in, and remember it for its spans."""
        waiting = self._taken - self.exporter.sent - self.exporter.failed
        self._open = waiting + spans <= (self._limit if event else self._limit // 2)
        if not self._open:
            self.dropped += spans
        return self._open

    def on_end(self, span: ReadableSpan) -> None:
        if self._open:
            self._taken += 1
            super().on_end(span)


class _StoreExporter(SpanExporter):
    """Writes spans to the local store."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            self._store.write([_row(span) for span in spans])
        except (OSError, *SpanStore.ERRORS):
            log.debug("the span store refused a batch", exc_info=True)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is open between two writes."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  # the SDK's signature
        return True


def _queues(store: str) -> list[_Queue]:
    """Make the exporters that settings and environment ask for."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    found = []
    if store:
        found.append(_Queue(_Counted(_StoreExporter(SpanStore(Path(store))), f"the store in {store}"), STORE_DELAY_MS))
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    if endpoint and os.environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() != "none":
        found.append(_Queue(_Counted(_otlp(), endpoint.rpartition("@")[2]), None))
    return found


def _positive(name: str, default: int) -> int:
    """Read a count from the environment."""
    given = os.environ.get(name, "").strip()
    return int(given) if given.isdecimal() and int(given) else default


def _otlp() -> OTLPSpanExporter:
    """Make the exporter; it reads its variables itself."""
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in (None, "", "http/protobuf"):
        log.warning(
            "traces are sent as http/protobuf; %s, which the environment asks for, is not spoken here", protocol
        )
    # it tells of every attempt that failed; `_Counted` says the same once
    logging.getLogger("opentelemetry.exporter.otlp.proto.http").setLevel(logging.CRITICAL)
    return OTLPSpanExporter()


def _resource(service_name: str, worker: str) -> Resource:
    """Describe this process; what the environment says of it comes first."""
    own: dict[str, Any] = {
        SERVICE_NAME: service_name,
        SERVICE_VERSION: foreshock.__version__,
        SERVICE_INSTANCE_ID: worker,
    }
    return Resource.create(own | dict(OTELResourceDetector().detect().attributes))


def _remote(plan: TracePlan) -> SpanContext:
    flags = _SAMPLED if plan.remote_sampled else TraceFlags()
    return SpanContext(plan.trace_id, plan.remote_parent, is_remote=True, trace_flags=flags)


def _producer_context(plan: TracePlan) -> Context:
    """Give the parent of the root: the producer's span, or nothing."""
    if not plan.remote_parent:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(_remote(plan)), Context())


def _producer_link(plan: TracePlan) -> list[Link]:
    """Link to the span that made the message, as the conventions ask beside the parent."""
    return [Link(_remote(plan))] if plan.remote_parent else []


def _row(span: ReadableSpan) -> SpanRow:
    attributes = dict(span.attributes or {})
    context = span.context
    assert context is not None
    sampled_by = attributes.get(SAMPLED_BY)
    asset, event_id = attributes.get(ASSET), attributes.get(EVENT_ID)
    return SpanRow(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{span.parent.span_id:016x}" if span.parent else "",
        name=span.name,
        kind=span.kind.name.lower(),
        start_ns=span.start_time or 0,
        end_ns=span.end_time or 0,
        asset=str(asset) if asset is not None else None,
        event_id=str(event_id) if event_id is not None else None,
        ordinary=None if sampled_by is None else int(sampled_by != "event"),
        error=(span.status.description or "") if span.status.status_code is StatusCode.ERROR else "",
        attributes=attributes,
        resource=dict(span.resource.attributes),
    )
