"""Makes what a worker hears of batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from foreshock.contract import DataQuality, DeadLetter, Origin, QualityKind, Reason, ScoreState
from foreshock.outcome import Outcome
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.metrics.model import Kind, Process
from foreshock.streams.metrics.values import Values
from tests.wire import samples

NOW_NS = 1_780_000_000_000_000_000
STAGES = ("decoded", "quality", "features", "score", "policy", "encoded", "delivered")
MS = 1_000_000


def origin(offset: int, partition: int = 0, waited_ms: int = 20) -> Origin:
    return replace(
        samples.ORIGIN, partition=partition, offset=offset, ingest_ns=NOW_NS - waited_ms * MS, traceparent=None
    )


def outcome(offset: int, asset: str = "pump-1", *, value: float | None = 0.5, state: ScoreState = ScoreState.SCORED, **where: Any) -> Outcome:  # fmt: skip
    """What became of a block."""
    row = replace(samples.ORDINARY_ROW, state=state, value=value, p_value=None if value is None else 0.4)
    at = origin(offset, **where)
    return Outcome(score=replace(samples.ORDINARY, score_id=f"s{offset}", asset=asset, origin=at, rows=(row,)))


def frozen(offset: int) -> Outcome:
    """A block with which a sensor was found frozen."""
    found = outcome(offset)
    told: DataQuality = replace(samples.QUALITY, kind=QualityKind.FROZEN, raised=True)
    return replace(found, quality=(told,))


def letter(offset: int, reason: Reason = Reason.MALFORMED) -> DeadLetter:
    """A record that could not be used."""
    return replace(samples.LETTER, reason=reason, origin=origin(offset))


def batch_of(items: Sequence[Outcome | DeadLetter], size: int = 1000) -> Batch:
    """The batch they were in: it began now, and each stage took a millisecond."""
    made = Batch([], [], NOW_NS - MS, NOW_NS)
    made.stages_ns = {name: NOW_NS + (n + 1) * MS for n, name in enumerate(STAGES)}
    made.sizes = [size for item in items if isinstance(item, Outcome)]
    return made


def snapshot(values: Values) -> dict[str, Any]:
    """All values, to be compared."""
    found: dict[str, Any] = {}
    for metric in values.metrics:
        if metric.kind is Kind.HISTOGRAM:
            found[metric.name] = {k: (h.counts.tolist(), round(h.sum, 6)) for k, h in values.histograms(metric.name)}
        else:
            found[metric.name] = dict(values.numbers(metric.name))
    return found


def worker_values() -> Values:
    return Values(Process.WORKER)
