"""A demonstration without a broker: the same plan, the same Fleet, the same verdict, at the speed of the processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from foreshock.contract import Asset, Phase, Score, ScoreState, SensorBlock
from foreshock.outcome import Outcome
from foreshock.simulate.plan import Plan
from foreshock.simulate.verdict import ANOMALY, Event, Report, event, verdict

T = TypeVar("T")
BATCH = 64


def rehearse(
    plan: Plan, receive: Callable[[Sequence[SensorBlock | Asset]], list[Outcome]]
) -> tuple[Report, list[Score]]:
    """Run a plan through a Fleet.

    Parameters
    ----------
    plan : Plan
    receive : callable
        `Fleet.receive` of a fresh Fleet.

    Returns
    -------
    Report
    list of Score
        One for each block, in order of time.
    """
    plant = plan.plant
    receive([machine.master_data(plan.warmup_blocks(machine)) for machine in plant.machines])
    scores: list[Score] = []
    seen: list[Event] = []
    numbered = (
        replace(block, origin=replace(block.origin, offset=i)) for i, block in enumerate(plant.blocks(0.0, plan.end_s))
    )
    for batch in _batches(numbered, BATCH):
        for outcome in receive(batch):
            scores.append(outcome.score)
            seen += _events(plan, outcome)
    feed_ns = plant.epoch_ns + round(plan.warmup_s * 1e9)
    scored = {s.asset for s in scores if s.rows[-1].source_ns >= feed_ns and s.rows[-1].state is ScoreState.SCORED}
    return verdict(plan, seen, scored=scored), scores


def _events(plan: Plan, outcome: Outcome) -> Iterator[Event]:
    """Anomalies that opened and quality conditions that were raised: what says something new."""
    for anomaly in outcome.anomalies:
        if anomaly.phase is Phase.OPENED:
            yield event(
                plan,
                anomaly.asset,
                ANOMALY,
                source_ns=anomaly.source_ns,
                ingest_ns=anomaly.ingest_ns,
                event_id=anomaly.event_id,
                detail=anomaly.decision.rule,
            )
    for record in outcome.quality:
        if record.raised:
            yield event(
                plan,
                record.asset,
                record.kind,
                source_ns=record.source_ns,
                ingest_ns=record.ingest_ns,
                event_id=record.event_id,
                detail=record.detail,
            )


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch
