"""Where spans go: OTLP, Zipkin, the local store; each behind a bounded queue and a thread of its own.

An exporter that is slow, refuses or is gone loses its own spans, counted, and never holds anything up.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

from foreshock.streams.errors import aside
from foreshock.streams.spans.asked import disabled, otlp_endpoint, zipkin_endpoint
from foreshock.streams.spans.attributes import ASSET, EVENT_ID, SAMPLED_BY
from foreshock.streams.spans.store import SpanRow, SpanStore
from foreshock.streams.spans.zipkin import ZipkinExporter

log = logging.getLogger("foreshock.telemetry")

QUEUE_SPANS = 8192  # about a thousand traces, 20 MB
BATCH_SPANS = 512
TRACE_SPANS = 10  # of a trace, about
STORE_DELAY_MS = 500.0  # `foreshock trace` finds what happened half a second ago
RETELL_S = 300.0  # an exporter that stays down is told again so often
OTLP_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class Trace:
    """The spans of one record, built by whoever needs them first; several exporters may.

    Attributes
    ----------
    size
        How many spans there will be.
    """

    context = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))  # for the SDK's queue

    def __init__(self, build: Callable[[], list[ReadableSpan]], size: int) -> None:
        self._build: Callable[[], list[ReadableSpan]] | None = build
        self._built: list[ReadableSpan] = []
        self._lock = threading.Lock()
        self.size = size

    def spans(self) -> list[ReadableSpan]:
        """Give the spans."""
        with self._lock:
            if self._build is not None:
                self._built, self._build = self._build(), None  # and what they are built from is let go
            return self._built


class Counted(SpanExporter):
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
        """Build the spans of traces and hand them on; what happens after the end has failed."""
        traces = cast("Sequence[Trace]", spans)
        size = sum(trace.size for trace in traces)
        result = SpanExportResult.FAILURE if self._closed else self._handed_on(traces)
        if result is SpanExportResult.SUCCESS:
            self.sent += size
            if self._told:
                log.warning("traces reach %s again; %d spans were lost", self._name, self.failed)
                self._told = 0.0
            return result
        self.failed += size
        if not self._closed and time.monotonic() - (self._told or -RETELL_S) >= RETELL_S:
            log.warning("traces do not reach %s; %d spans lost so far, scoring goes on", self._name, self.failed)
            self._told = time.monotonic()
        return result

    def _handed_on(self, traces: Sequence[Trace]) -> SpanExportResult:
        found: list[SpanExportResult] = []
        aside(lambda: found.append(self._inner.export([span for trace in traces for span in trace.spans()])))
        return found[0] if found else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """End it; also from another thread, while it waits between two attempts."""
        if not self._closed:
            self._closed = True
            self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Have the exporter send what it holds."""
        return self._inner.force_flush(timeout_millis)


class Queue(BatchSpanProcessor):
    """The SDK's batch processor, given whole traces that are not built yet: its thread builds them when it sends them.

    Alone it would drop the oldest spans uncounted; here whole traces are refused instead.
    """

    def __init__(self, exporter: Counted, delay_ms: float | None) -> None:
        self._limit = _positive("OTEL_BSP_MAX_QUEUE_SIZE", QUEUE_SPANS)
        spans = min(self._limit, _positive("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", BATCH_SPANS))
        batch = max(1, spans // TRACE_SPANS)
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

    def take(self, trace: Trace) -> None:
        """Take the trace that was admitted."""
        if self._open:
            self._taken += trace.size
            self.on_end(cast("ReadableSpan", trace))


class _StoreExporter(SpanExporter):
    """Writes spans to the local store."""

    def __init__(self, store: SpanStore) -> None:
        self._store = store

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write spans, all or none."""
        try:
            self._store.write([_row(span) for span in spans])
        except (OSError, *SpanStore.ERRORS):
            log.debug("the span store refused a batch", exc_info=True)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is open between two writes."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002  # the SDK's signature
        """Nothing is held back."""
        return True


def queues(store: str) -> list[Queue]:
    """Make the exporters that the settings and the environment ask for."""
    if disabled():
        return []
    found = []
    if store:
        found.append(Queue(Counted(_StoreExporter(SpanStore(Path(store))), f"the store in {store}"), STORE_DELAY_MS))
    endpoint, zipkin = otlp_endpoint(), zipkin_endpoint()
    if endpoint and (exporter := _otlp()) is not None:
        found.append(Queue(Counted(exporter, endpoint.rpartition("@")[2]), None))
    if zipkin:
        found.append(Queue(Counted(ZipkinExporter(zipkin), zipkin.rpartition("@")[2]), None))
    return found


def close(found: Sequence[Queue], timeout_s: float) -> None:
    """Send what is queued as far as the time allows, then leave the rest; nobody waits for an exporter that is down."""
    for queue in found:
        if queue.exporter.down:
            queue.exporter.shutdown()
    threads = [threading.Thread(target=queue.shutdown, daemon=True) for queue in found]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    for thread, queue in zip(threads, found, strict=True):
        if thread.is_alive():
            queue.exporter.shutdown()  # ends the waits between its attempts


def _positive(name: str, default: int) -> int:
    """Read a count from the environment."""
    given = os.environ.get(name, "").strip()
    return int(given) if given.isdecimal() and int(given) else default


def _otlp() -> SpanExporter | None:
    """Make the exporter; it reads its variables itself. None, and a line, where it cannot be made."""
    # it tells of every attempt that failed; `Counted` says the same once
    for name in ("http", "grpc"):
        logging.getLogger(f"opentelemetry.exporter.otlp.proto.{name}").setLevel(logging.CRITICAL)
    protocol = next((os.environ[name].strip() for name in OTLP_PROTOCOLS if os.environ.get(name, "").strip()), "")
    try:
        if protocol == "grpc":
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

            return GrpcExporter()
        if protocol not in {"", "http/protobuf"}:
            log.warning("OTEL_EXPORTER_OTLP_PROTOCOL=%s is not spoken here; traces go as http/protobuf", protocol)
        return OTLPSpanExporter()
    except ImportError:
        log.error("traces over gRPC need the extra: pip install 'foreshock[grpc]'; none are sent")  # noqa: TRY400  # says all
    except (ValueError, OSError) as exc:
        log.error("traces cannot be sent: %s; scoring goes on without them", exc)  # noqa: TRY400  # a wrong setting, no defect
    return None


def _row(span: ReadableSpan) -> SpanRow:
    attributes = dict(span.attributes or {})
    if span.events:
        attributes["foreshock.events"] = "; ".join(event.name.removeprefix("foreshock.") for event in span.events)
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
