"""Traces of the worker: whether a record gets one, and the trace context that its outputs carry.

A record is traced where it led to an event (an anomaly, a change of an alert, a quality transition, a dead letter):
always, whole. One that took longer than `telemetry.slow_ms` from its log append to the delivery of its outputs is traced
too, at most `SLOW_PER_S` of them: in a backlog all are slow. Another one follows its producer's decision, and without a
producer's trace context a share of them is traced. All that is decided when everything has happened and before anything
is built, so a record without a trace costs a comparison; the spans come from the times that the batch recorded.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from foreshock import lineage
from foreshock.alerts.records import AlertTransition
from foreshock.contract import DeadLetter, Origin
from foreshock.outcome import Outcome
from foreshock.settings import Settings
from foreshock.streams.spans.attributes import origin_of
from foreshock.streams.spans.company import Batchmates, Windows
from foreshock.streams.spans.plan import BatchTimes, Company, plan, plan_told, spans_of
from foreshock.streams.spans.shape import Place, output_span_id
from foreshock.streams.spans.tracing import Tracing

__all__ = ["BatchTimes", "Telemetry"]

ORDINARY_PER_S = 25  # whatever the share and whoever samples: 25 traces are less than 1 % of a core
SLOW_PER_S = 20
LETTERS_PER_S = 100  # of a producer that sends nothing but garbage some tell all
_NO_OFFSETS: Mapping[str, int] = MappingProxyType({})
_SAMPLED = frozenset("13579bdf")  # last digit of the flags of a traceparent


class Telemetry:
    """Decides, and records. One thread uses it; it never blocks and never raises for want of a receiver.

    Parameters
    ----------
    settings
        `telemetry` (share, slow blocks, store, service name), `worker.group` and `topics.prefix`.
    worker
        Name of this process in the spans.
    """

    def __init__(self, settings: Settings, *, worker: str) -> None:
        self._place = Place(prefix=settings.topics.prefix, group=settings.worker.group, worker=worker)
        ratio = settings.telemetry.sample_ratio
        self._bound = f"{round(ratio * 2**64):016x}" if ratio < 1 else "g"  # "g" is above every hexadecimal digit
        self._slow_ns = round(settings.telemetry.slow_ms * 1e6)
        self._tracing = Tracing(
            service_name=settings.telemetry.service_name, worker=worker, store=settings.telemetry.store
        )
        self._enabled = self._tracing.enabled
        self._windows = Windows()
        ordinary = _Rate(ORDINARY_PER_S)
        self._rates = {
            "letter": _Rate(LETTERS_PER_S),
            "slow": _Rate(SLOW_PER_S),
            "producer": ordinary,
            "ratio": ordinary,
        }
        self._recorded = 0
        self._slow = 0
        self._rejected = 0

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
        asked = None if event else _asked(origin)
        sampled = event or asked or (asked is None and record_id[16:] < self._bound)
        return f"00-{lineage.trace_id(origin)}-{output_span_id(record_id)}-{'01' if sampled else '00'}"

    def record(
        self,
        batch: BatchTimes,
        items: Sequence[Outcome | DeadLetter],
        *,
        offsets: Mapping[str, int] = _NO_OFFSETS,
        batch_size: int = 0,
    ) -> list[tuple[Origin, str]]:
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

        Returns
        -------
        list of (Origin, str)
            Of each trace that was kept, its record and its trace id.
        """
        if not self._enabled:
            for item in items:
                self._decision(origin_of(item))
            return []
        mates = Batchmates(items, batch_size or len(items))
        kept: list[tuple[Origin, str]] = []
        since_ns = batch.delivered - self._slow_ns
        remember = self._windows.remember
        for item in items:
            sampled_by = "event"
            if isinstance(item, Outcome):
                score = item.score
                remember(score)
                decided = self._decision(score.origin)
                if not (item.anomalies or item.quality or item.alerts or item.diagnoses):
                    if score.origin.ingest_ns < since_ns:
                        sampled_by = "slow"
                    elif decided:
                        sampled_by = "producer"
                    elif decided is None and score.score_id[16:] < self._bound:
                        sampled_by = "ratio"
                    else:
                        continue
            else:
                self._decision(item.origin)
            if self._record_one(batch, item, sampled_by, offsets, mates):
                origin = origin_of(item)
                kept.append((origin, lineage.trace_id(origin)))
        return kept

    def told(self, changes: Sequence[AlertTransition], begun_ns: int) -> None:
        """Record the traces of what came from outside the order of the input and changed alerts; it is delivered now."""
        if not self._enabled:
            return
        by_origin: dict[Origin, list[AlertTransition]] = {}
        for each in changes:
            by_origin.setdefault(each.origin, []).append(each)
        for found in by_origin.values():
            delivered_ns = max(begun_ns, time.time_ns())
            build = partial(plan_told, found, self._place, begun_ns=begun_ns, delivered_ns=delivered_ns)
            self._recorded += self._tracing.emit(build, 1 + len(found), event=True)

    def counters(self) -> dict[str, int]:
        """Count what became of traces and spans.

        Returns
        -------
        dict
            Traces `recorded`, `slow` (of these, for being slow) and `limited` (over the rate of slow or ordinary ones);
            `rejected`: trace contexts of producers that are none; spans `sent`, `dropped`, `failed`.
        """
        return {
            "recorded": self._recorded,
            "slow": self._slow,
            "limited": sum(rate.refused for rate in set(self._rates.values())),
            "rejected": self._rejected,
            **self._tracing.counters(),
        }

    def flush(self) -> None:
        """Wait until all spans are sent or have failed; for tests and the end of a demo."""
        self._tracing.flush()

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what waits, for at most `timeout_s`."""
        self._enabled = False
        self._tracing.close(timeout_s)

    def _decision(self, origin: Origin) -> bool | None:
        """Give the producer's decision as `_asked` does, and count a context that is none."""
        asked = _asked(origin)
        self._rejected += asked is None and bool(origin.traceparent)
        return asked

    def _record_one(
        self,
        batch: BatchTimes,
        item: Outcome | DeadLetter,
        sampled_by: str,
        offsets: Mapping[str, int],
        mates: Batchmates,
    ) -> bool:
        """Build and hand on the trace of a record, where there is room for it; say whether there was."""
        event = sampled_by == "event"
        rate = self._rates.get("letter" if isinstance(item, DeadLetter) else sampled_by)
        if rate is not None and not rate.take():
            return False
        if event:
            if isinstance(item, Outcome) and item.evidence:
                item = replace(item, evidence=())  # it waits for an exporter, and the evidence is large
            company = Company(size=mates.size, batch=mates.of(item), window=self._windows.before(item))
        else:
            company = Company(size=mates.size)
        build = partial(plan, batch, item, self._place, sampled_by=sampled_by, company=company, offsets=offsets)
        if not self._tracing.emit(build, spans_of(item), event=event):
            return False
        self._recorded += 1
        self._slow += sampled_by == "slow"
        return True


def _asked(origin: Origin) -> bool | None:
    """Say whether the producer samples this trace; None: it sent no valid context."""
    given = origin.traceparent
    return given[54] in _SAMPLED if given and lineage.given_trace(given) is not None else None


class _Rate:
    """So many in a second, and a count of those above."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._second = 0
        self._taken = 0
        self.refused = 0

    def take(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        if self._taken > self._per_s:
            self.refused += 1
            return False
        return True
