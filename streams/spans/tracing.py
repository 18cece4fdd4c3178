"""The OpenTelemetry SDK: plans of spans go in, real spans go to the exporters.

Spans are made by a real `Tracer` with their start and end given, after everything has happened.
"""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import (
    HOST_ARCH,
    HOST_NAME,
    OS_TYPE,
    PROCESS_PID,
    PROCESS_RUNTIME_NAME,
    PROCESS_RUNTIME_VERSION,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

import foreshock
from foreshock.streams.spans import exporters
from foreshock.streams.spans.shape import SpanPlan, Target, TracePlan

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Tracing:
    """A tracer provider with its exporters: the local store in `store`, and those that the environment names.

    The standard variables hold: OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER (``none``, or which of those that have an
    endpoint), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_* (protocols ``http/protobuf`` and
    ``grpc``), OTEL_EXPORTER_ZIPKIN_ENDPOINT, OTEL_BSP_*. Not OTEL_TRACES_SAMPLER: which records get a trace is decided
    before any span is made.
    """

    def __init__(self, *, service_name: str, worker: str, store: str = "") -> None:
        self._ids = _PlannedIds()
        self._queues = exporters.queues(store)
        self._provider: TracerProvider | None = None
        if self._queues:
            self._provider = TracerProvider(
                sampler=ALWAYS_ON,
                resource=resource(service_name, worker),
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
        exporters.close(self._queues, timeout_s)

    def _emit_one(self, trace_id: int, span: SpanPlan, context: Context, links: Sequence[Link]) -> Context:
        self._ids.next = (trace_id, span.span_id)
        made = self._tracer.start_span(
            span.name,
            context=context,
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            links=[*links, *map(_link, span.links)],
            start_time=span.start_ns,
        )
        for each in span.happenings:
            made.add_event(each.name, each.attributes, each.at_ns)
        if span.error:
            made.set_status(Status(StatusCode.ERROR, span.error))
        made.end(end_time=span.end_ns)
        return trace.set_span_in_context(made, Context())


def resource(service_name: str, worker: str) -> Resource:
    """Describe this process by OpenTelemetry's names; what the environment says of it comes first."""
    own: dict[str, Any] = {
        SERVICE_NAME: service_name,
        SERVICE_NAMESPACE: "foreshock",
        SERVICE_VERSION: foreshock.__version__,
        SERVICE_INSTANCE_ID: worker,
        HOST_NAME: socket.gethostname(),
        HOST_ARCH: {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        OS_TYPE: platform.system().lower(),
        PROCESS_PID: os.getpid(),
        PROCESS_RUNTIME_NAME: platform.python_implementation().lower(),
        PROCESS_RUNTIME_VERSION: platform.python_version(),
    }
    return Resource.create(own | dict(OTELResourceDetector().detect().attributes))


class _PlannedIds(IdGenerator):
    """Gives the tracer the ids that the plan has."""

    def __init__(self) -> None:
        self.next = (0, 0)

    def generate_trace_id(self) -> int:
        return self.next[0]

    def generate_span_id(self) -> int:
        return self.next[1]


def _remote(plan: TracePlan) -> SpanContext:
    flags = _SAMPLED if plan.remote_sampled else TraceFlags()
    return SpanContext(plan.trace_id, plan.remote_parent, is_remote=True, trace_flags=flags)


def _link(target: Target) -> Link:
    return Link(SpanContext(target.trace_id, target.span_id, is_remote=True), target.attributes)


def _producer_context(plan: TracePlan) -> Context:
    """Give the parent of the root: the producer's span, or nothing."""
    if not plan.remote_parent:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(_remote(plan)), Context())


def _producer_link(plan: TracePlan) -> list[Link]:
    """Link to the span that made the message, as the conventions ask beside the parent."""
    return [Link(_remote(plan))] if plan.remote_parent else []
