"""Deliveries in the alert's trace: from the gateway to the work order it is one."""

from __future__ import annotations

import hashlib
import re

from foreshock.alerts.records import AlertTransition
from foreshock.lineage import given_trace
from foreshock.streams.sinks.engine import Item
from foreshock.streams.spans.attributes import ASSET, EVENT_ID, SAMPLED_BY
from foreshock.streams.spans.shape import SpanPlan, TracePlan
from foreshock.streams.spans.tracing import Tracing

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
SINK = "foreshock.sink"


class Tracer:
    """Gives each delivery its span: a child of the span that published the transition."""

    def __init__(self, service_name: str, store: str, *, worker: str) -> None:
        self._tracing = Tracing(service_name=service_name, worker=worker, store=store)

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

    def delivered(self, item: Item, sink: str, parent: str | None, started_ns: int, ended_ns: int, error: str) -> None:
        """Record the span of a delivery, or of one that was set aside."""
        if not item.traceparent or not self._tracing.enabled or not self._tracing.room(1, event=True):
            return
        span = SpanPlan(
            span_id=int(item.traceparent[36:52], 16),
            parent_id=0,
            name=f"deliver {sink}",
            kind="client",
            start_ns=started_ns,
            end_ns=ended_ns,
            attributes={
                SINK: sink,
                ASSET: item.alert.asset,
                EVENT_ID: item.alert.event_id,
                SAMPLED_BY: "event",
                "foreshock.alert_id": item.alert.alert_id,
                "foreshock.change": item.alert.change.value,
            },
            error=error,
        )
        self._tracing.emit(
            TracePlan(
                trace_id=int(item.traceparent[3:35], 16),
                remote_parent=int(parent[36:52], 16) if parent and given_trace(parent) else 0,
                remote_sampled=True,
                spans=(span,),
            )
        )

    def flush(self) -> None:
        """Wait until all spans are out, or have failed."""
        self._tracing.flush()

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for at most `timeout_s`."""
        self._tracing.close(timeout_s)


def _span_id(event_id: str, sink: str) -> str:
    """Give an id that is the same for the same delivery, so that one that is made again overwrites its span."""
    return hashlib.blake2b(f"{event_id}\x1f{sink}".encode(), digest_size=8, person=b"foreshock.sink").hexdigest()
