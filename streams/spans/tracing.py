"""The OpenTelemetry SDK: plans of spans go in, spans as its exporters read them go out."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Callable
from typing import Any

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
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

import foreshock
from foreshock.streams.spans import exporters
from foreshock.streams.spans.exporters import Trace
from foreshock.streams.spans.shape import Target, TracePlan

_KINDS = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "producer": SpanKind.PRODUCER,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status(StatusCode.UNSET)
_SCOPE = InstrumentationScope("foreshock", foreshock.__version__)


class Tracing:
    """The exporters and who speaks: the local store in `store`, and those that the environment names.

    The standard variables hold: OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER (``none``, or which of those that have an
    endpoint), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_* (protocols ``http/protobuf`` and
    ``grpc``), OTEL_EXPORTER_ZIPKIN_ENDPOINT, OTEL_BSP_*. Not OTEL_TRACES_SAMPLER: which records get a trace is decided
    before any span is made.
    """

    def __init__(self, *, service_name: str, worker: str, store: str = "") -> None:
        self._queues = exporters.queues(store)
        self._resource = resource(service_name, worker) if self._queues else Resource.get_empty()

    @property
    def enabled(self) -> bool:
        """Whether there is anywhere for a span to go."""
        return bool(self._queues)

    def emit(self, build: Callable[[], TracePlan], spans: int, *, event: bool) -> bool:
        """Hand a trace to the exporters that have room for the whole of it; ordinary ones leave half to events.

        Parameters
        ----------
        build
            Lays the trace out; called later, by the thread of an exporter. What it holds is held until then.
        spans
            How many there will be.

        Returns
        -------
        bool
            Whether any exporter had room.
        """
        taken = [queue for queue in self._queues if queue.admit(spans, event=event)]
        if taken:
            trace = Trace(lambda: built(build(), self._resource), spans)
            for queue in taken:
                queue.take(trace)
        return bool(taken)

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


def built(plan: TracePlan, who: Resource) -> list[ReadableSpan]:
    """Build the spans of a plan. They are over already, so they are made as what exporters read, without a tracer."""
    contexts = {0: _remote(plan) if plan.remote_parent else None}
    links = [Link(_remote(plan))] if plan.remote_parent else []  # as the conventions ask, beside the parent
    found = []
    for span in plan.spans:
        context = SpanContext(plan.trace_id, span.span_id, is_remote=False, trace_flags=_SAMPLED)
        contexts[span.span_id] = context
        found.append(
            ReadableSpan(
                span.name,
                context,
                contexts[span.parent_id],
                who,
                span.attributes,
                [Event(each.name, each.attributes, each.at_ns) for each in span.happenings],
                [*links, *map(_link, span.links)],
                _KINDS[span.kind],
                status=Status(StatusCode.ERROR, span.error) if span.error else _UNSET,
                start_time=span.start_ns,
                end_time=span.end_ns,
                instrumentation_scope=_SCOPE,
            )
        )
        links = []
    return found


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
    found = Resource.create(own | dict(OTELResourceDetector().detect().attributes))
    return _Who(dict(found.attributes), found.schema_url)


class _Who(Resource):
    """A resource that is hashed once: the encoder asks for every span, and its own way writes it as JSON each time."""

    def __init__(self, attributes: dict[str, Any], schema_url: str) -> None:
        super().__init__(attributes, schema_url)
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)


def _remote(plan: TracePlan) -> SpanContext:
    flags = _SAMPLED if plan.remote_sampled else TraceFlags()
    return SpanContext(plan.trace_id, plan.remote_parent, is_remote=True, trace_flags=flags)


def _link(target: Target) -> Link:
    return Link(SpanContext(target.trace_id, target.span_id, is_remote=True), target.attributes)
