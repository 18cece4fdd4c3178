"""Deliveries in the alert's trace: from the gateway to the work order it is one."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from foreshock.alerts.records import AlertTransition
from foreshock.contract import Origin
from foreshock.lineage import given_trace
from foreshock.settings import Settings
from foreshock.settings_deliver import SinkSettings
from foreshock.streams.sinks.engine import Item
from foreshock.streams.spans.attributes import (
    ALERT_ID,
    ASSET,
    EVENT_ID,
    QUEUE_MS,
    SAMPLED_BY,
    Attributes,
    messaging,
)
from foreshock.streams.spans.sending import service_name
from foreshock.streams.spans.shape import Happening, SpanPlan, TracePlan, span_id
from foreshock.streams.spans.tracing import Tracing

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
SINK = "foreshock.sink"


class Tracer:
    """Gives each delivery its spans: `process alerts.v1`, a child of the span that published the transition, and `deliver`.

    Parameters
    ----------
    settings
        `telemetry`.
    worker
        Name of this process in the spans.
    """

    def __init__(self, settings: Settings, *, worker: str) -> None:
        self._worker = worker
        self._tracing = Tracing(
            service_name=service_name(settings, "deliver"), worker=worker, store=settings.telemetry.store
        )

    @staticmethod
    def traceparent(alert: AlertTransition, given: str | None, sink: str) -> str:
        """Give the W3C header that the sink gets.

        Parameters
        ----------
        given
            The header of the record, where it has a valid one; else there is the trace id that the transition names.
        """
        known = given_trace(given)
        trace_id = known or alert.trace_id
        if not _TRACE_ID.fullmatch(trace_id):
            return ""
        return f"00-{trace_id}-{_span_id(alert.event_id, sink)}-{given[53:55] if known and given else '01'}"

    def delivered(
        self, item: Item, sink: SinkSettings, origin: Origin, group: str, started_ns: int, ended_ns: int, error: str
    ) -> None:
        """Record the spans of a delivery, or of one that was set aside.

        Parameters
        ----------
        origin
            Where the transition stands on the topic, and the header that it came with.
        started_ns, ended_ns
            From the first attempt to the end of the last.
        error
            Why it was set aside; "": it was delivered.
        """
        if not item.traceparent or not self._tracing.enabled:
            return
        root = self._root(item, sink, origin, group, started_ns, ended_ns, error)
        delivery = SpanPlan(
            span_id=int(item.traceparent[36:52], 16),
            parent_id=root.span_id,
            name=f"deliver {sink.name}",
            kind="client",
            start_ns=started_ns,
            end_ns=ended_ns,
            attributes={"foreshock.sink_kind": sink.kind, **_server(sink), **_about(item.alert, sink.name)},
            error=error,
        )
        parent = origin.traceparent
        plan = TracePlan(
            trace_id=int(item.traceparent[3:35], 16),
            remote_parent=int(parent[36:52], 16) if parent and given_trace(parent) else 0,
            remote_sampled=True,
            spans=(root, delivery),
        )
        self._tracing.emit(lambda: plan, len(plan.spans), event=True)

    def _root(
        self, item: Item, sink: SinkSettings, origin: Origin, group: str, started_ns: int, ended_ns: int, error: str
    ) -> SpanPlan:
        return SpanPlan(
            span_id=span_id(f"{item.alert.event_id}\x1f{sink.name}", "process"),
            parent_id=0,
            name=f"process {origin.topic}",
            kind="consumer",
            start_ns=started_ns,
            end_ns=ended_ns,
            attributes=messaging("process", "process", origin.topic, origin.partition, origin.offset)
            | {
                "messaging.consumer.group.name": group,
                "messaging.client.id": self._worker,
                "messaging.message.id": item.alert.event_id,
                QUEUE_MS: max(0, started_ns - origin.ingest_ns) / 1e6,
                SAMPLED_BY: "event",
            }
            | _about(item.alert, sink.name),
            happenings=(Happening("foreshock.dead_letter", ended_ns, {"foreshock.reason": error}),) if error else (),
            error=error,
        )

    def counters(self) -> dict[str, int]:
        """Count spans `sent`, `dropped` and `failed`."""
        return self._tracing.counters()

    def flush(self) -> None:
        """Wait until all spans are out, or have failed."""
        self._tracing.flush()

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for at most `timeout_s`."""
        self._tracing.close(timeout_s)


def _about(alert: AlertTransition, sink: str) -> Attributes:
    return {
        SINK: sink,
        ASSET: alert.asset,
        EVENT_ID: alert.event_id,
        ALERT_ID: alert.alert_id,
        "foreshock.change": alert.change.value,
    }


def _server(sink: SinkSettings) -> Attributes:
    """Name the server: of an address host and port, never the rest, which may be a secret."""
    url = urlsplit(getattr(sink, "url", ""))
    host = url.hostname or getattr(sink, "host", "")
    if not host:
        return {}
    found: Attributes = {"server.address": host}
    port = url.port if url.hostname else getattr(sink, "port", None)
    return found | ({"server.port": port} if port else {})


def _span_id(event_id: str, sink: str) -> str:
    """Give an id that is the same for the same delivery, so that one that is made again overwrites its span."""
    return hashlib.blake2b(f"{event_id}\x1f{sink}".encode(), digest_size=8, person=b"foreshock.sink").hexdigest()
