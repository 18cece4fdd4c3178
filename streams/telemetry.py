"""Traces of the worker: whether a record gets one, and the trace context that its outputs carry.

A record is traced where it led to an event (an anomaly, a quality transition, a dead letter): always, whole. Another one
follows its producer's decision, and without a producer's trace context a share of them by their trace id. That is decided
before anything is built, so a record without a trace costs a comparison. All else happens after delivery, from the times
that the batch recorded.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from foreshock import lineage
from foreshock.alerts.records import AlertTransition
from foreshock.contract import DeadLetter, Origin
from foreshock.outcome import Outcome
from foreshock.settings import Settings
from foreshock.streams.spans.plan import BatchTimes, Place, output_span_id, plan, plan_told
from foreshock.streams.spans.tracing import Tracing

__all__ = ["BatchTimes", "Telemetry"]

ORDINARY_PER_S = 50  # a producer that samples everything must not slow the scoring: 50 traces are about 2 % of a core
_SPANS = 10  # of an ordinary trace, about
_NO_OFFSETS: Mapping[str, int] = MappingProxyType({})


class Telemetry:
    """Decides, and records. One thread uses it; it never blocks and never raises for want of a receiver.

    Parameters
    ----------
    settings
        `telemetry` (share, store, service name), `worker.group` and `topics.prefix`.
    worker
        Name of this process in the spans.
    """

    def __init__(self, settings: Settings, *, worker: str) -> None:
        self._place = Place(prefix=settings.topics.prefix, group=settings.worker.group, worker=worker)
        ratio = settings.telemetry.sample_ratio
        self._bound = f"{round(ratio * 2**64):016x}" if ratio < 1 else "g"  # "g" is above every hexadecimal digit
        self._tracing = Tracing(
            service_name=settings.telemetry.service_name, worker=worker, store=settings.telemetry.store
        )
        self._enabled = self._tracing.enabled
        self._second = 0
        self._ordinary = 0  # traces of ordinary records in this second
        self._recorded = 0
        self._limited = 0

    def traceparent_for(self, origin: Origin, record_id: str, *, event: bool) -> str:
        """Give the W3C `traceparent` header of an output, before it is sent.

        Parameters
        ----------
        origin
            Coordinates of the input record.
        record_id
            Id of the output (`score_id`, `event_id`): its first half is the id of the span that sends it.
        event
            Whether the input record led to any event; its trace is then always kept.
        """
        trace_id = lineage.trace_id(origin)
        sampled = event or self._follows(origin, trace_id)
        return f"00-{trace_id}-{output_span_id(record_id)}-{'01' if sampled else '00'}"

    def record(
        self,
        batch: BatchTimes,
        items: Sequence[Outcome | DeadLetter],
        *,
        offsets: Mapping[str, int] = _NO_OFFSETS,
        batch_size: int = 0,
    ) -> None:
        """Record the traces of a batch whose outputs are delivered.

        Parameters
        ----------
        batch
            When each stage of the batch ended.
        items
            What became of its records.
        offsets
            Offset of an output by its id, as far as known.
        batch_size
            Records in the batch, where `items` does not hold them all.
        """
        if not self._enabled:
            return
        size = batch_size or len(items)
        for item in items:
            if isinstance(item, Outcome) and not (item.anomalies or item.quality or item.alerts):
                if self._follows(item.score.origin):
                    self._record_ordinary(batch, item, offsets, size)
            else:
                self._record_one(batch, item, "event", offsets, size)

    def told(self, changes: Sequence[AlertTransition], begun_ns: int) -> None:
        """Record the traces of what came from outside the order of the input and changed alerts; it is delivered now."""
        if not self._enabled:
            return
        by_origin: dict[Origin, list[AlertTransition]] = {}
        for each in changes:
            by_origin.setdefault(each.origin, []).append(each)
        for found in by_origin.values():
            if self._tracing.room(1 + len(found), event=True):
                self._recorded += 1
                delivered_ns = max(begun_ns, time.time_ns())
                self._tracing.emit(plan_told(found, self._place, begun_ns=begun_ns, delivered_ns=delivered_ns))

    def counters(self) -> dict[str, int]:
        """Count traces `recorded` and `limited` (over the rate of ordinary ones), and spans `sent`, `dropped`, `failed`."""
        return {"recorded": self._recorded, "limited": self._limited, **self._tracing.counters()}

    def flush(self) -> None:
        """Wait until all spans are sent or have failed; for tests and the end of a demo."""
        self._tracing.flush()

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what waits, for at most `timeout_s`."""
        self._enabled = False
        self._tracing.close(timeout_s)

    def _follows(self, origin: Origin, trace_id: str = "") -> bool:
        """Say whether an ordinary record is traced: its producer's decision, else a share of the trace ids."""
        trace_id = trace_id or lineage.trace_id(origin)
        given = origin.traceparent
        if given and given[3:35] == trace_id:
            return given[54] in "13579bdf"
        return trace_id[16:] < self._bound

    def _record_ordinary(self, batch: BatchTimes, item: Outcome, offsets: Mapping[str, int], size: int) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._ordinary = second, 0
        if self._ordinary >= ORDINARY_PER_S:
            self._limited += 1
            return
        self._ordinary += 1
        self._record_one(batch, item, "producer" if item.score.origin.traceparent else "ratio", offsets, size)

    def _record_one(
        self, batch: BatchTimes, item: Outcome | DeadLetter, sampled_by: str, offsets: Mapping[str, int], size: int
    ) -> None:
        outputs = len(item.anomalies) + len(item.quality) + len(item.alerts) if isinstance(item, Outcome) else 0
        if self._tracing.room(_SPANS + outputs, event=sampled_by == "event"):
            self._recorded += 1
            self._tracing.emit(plan(batch, item, self._place, sampled_by=sampled_by, batch_size=size, offsets=offsets))
