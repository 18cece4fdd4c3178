"""The first look at a batch: samples stacked and inspected, then each record judged in order at its measuring point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foreshock import lineage
from foreshock.contract import (
    Acquisition,
    Asset,
    DataQuality,
    MeasuringPoint,
    Origin,
    QualityKind,
    ScoreState,
    SensorBlock,
    TelemetryFrame,
)
from foreshock.core.points import Entry, Model
from foreshock.core.spec import LONGEST_S
from foreshock.features import quality, run_state
from foreshock.features.conditions import Conditions
from foreshock.features.health import LOUD, LOUD_WHY, VERDICTS, health, status
from foreshock.features.run_state import RunMemory
from foreshock.outcome import Outcome

F32 = npt.NDArray[np.float32]


def look(entries: Sequence[Entry]) -> None:
    """Stack the samples of all waveform blocks of one shape, in SI, and inspect them at once."""
    shapes: dict[tuple[int, ...], list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.block, SensorBlock):
            shapes.setdefault(entry.block.samples.shape, []).append(entry)
    for members in shapes.values():
        stacked = stack([e.block for e in members if isinstance(e.block, SensorBlock)])
        inspection = quality.inspect(stacked)
        columns = (inspection.suspicious().tolist(), inspection.digest.tolist(), inspection.sigma.tolist())
        for i, (entry, suspicious, digests, levels) in enumerate(zip(members, *columns, strict=True)):
            entry.stacked, entry.index, entry.inspection = stacked, i, inspection
            entry.suspicious, entry.digests, entry.levels = suspicious, tuple(digests), tuple(levels)


def stack(blocks: Sequence[SensorBlock]) -> F32:
    """Samples in SI, float32 [blocks, channels, n]: one copy, or one multiplication, straight into place.

    Samples stand unaligned in their message, and arithmetic on those is six times slower than a copy.
    """
    x = np.empty((len(blocks), *blocks[0].samples.shape), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large becomes infinite, and is found as that
        if all(block.gain == 1.0 for block in blocks):
            np.stack([block.samples for block in blocks], out=x, casting="unsafe")
            return x
        for target, block in zip(x, blocks, strict=True):
            np.multiply(block.samples, np.float32(block.gain), out=target, dtype=np.float32, casting="unsafe")
    return x


def gather(entries: Sequence[Entry]) -> F32:
    """Stacked samples of some entries of one shape; without a copy where they are all of a stack."""
    whole = entries[0].stacked
    if whole is not None and len(whole) == len(entries) and all(e.stacked is whole for e in entries):
        return whole
    return np.stack([e.stacked[e.index] for e in entries if e.stacked is not None])


def judge(entry: Entry) -> None:
    """Fold one record into the quality state of its measuring point: lateness, time, kinds, transitions.

    To be called in input order.
    """
    block = entry.block
    known = measuring_point(entry.asset, block.point) if entry.asset.points else None
    step = _waveform(entry, block, known) if isinstance(block, SensorBlock) else _frame(entry, block, known)
    entry.point.quality = step.state
    entry.standing = step.state.standing
    entry.at_ns = step.at_ns
    if step.kinds:
        entry.kinds = tuple(kind.value for kind in step.kinds)
    if step.transitions:
        entry.quality = tuple(_record(entry, transition) for transition in step.transitions)
    if step.late:
        entry.refused = (ScoreState.LATE, step.reason)
    elif not step.usable:
        entry.refused = (ScoreState.NOT_USABLE, step.reason)


def anew(state: quality.PointState) -> quality.PointState:
    """State of a point whose layout changed for good: the rate that comes next is the one that counts."""
    place = state.place._replace(rate_hz=None, spacings=(), usual=None, steady=False, odd=0) if state.place else None
    return state._replace(
        place=place, digests=(), channels=(), others=0, units=(), last=(), seen=0, levels=quality.UNKNOWN
    )


def measuring_point(asset: Asset, point: str) -> MeasuringPoint | None:
    """Master data of a measuring point, where it is registered."""
    return next((p for p in asset.points if p.point == point), None)


def ran(entry: Entry, model: Model) -> tuple[RunMemory, int]:
    """How the machine ran up to the block before, and when that was: a block that was refused has a speed all the same."""
    was = entry.was[0] if entry.was else None
    if was and was.place and was.speed_hz is not None and run_state.unaware(model.run, was.speed_hz):
        return run_state.passed(model.run, was.speed_hz), was.place.source_ns
    return model.run, model.newest_ns


def promised_ns(entry: Entry) -> int:
    """Interval to the next record that the record or the master data promises; 0 where neither does."""
    interval_s = entry.block.interval_s
    if interval_s is None and entry.asset.points:
        known = measuring_point(entry.asset, entry.block.point)
        interval_s = known.interval_s if known else None
    return int(min(interval_s or 0.0, LONGEST_S) * 1e9)


def _waveform(entry: Entry, block: SensorBlock, known: MeasuringPoint | None) -> quality.Step:
    count = block.samples.shape[1]
    arrival = quality.Arrival(
        source_ns=block.source_ns,
        ingest_ns=block.origin.ingest_ns,
        sequence=block.sequence,
        samples=count,
        rate_hz=block.sampling_rate_hz,
        registered_rate_hz=known.sampling_rate_hz if known else None,
        acquisition=block.acquisition,
        interval_s=block.interval_s or (known.interval_s if known else None),
        origin=block.origin,
        levels=entry.levels,
        speed_hz=block.context.speed_hz,
        quantity=block.quantity,
        units=(block.unit,),
    )
    span = (known.minimum, known.maximum) if known else (None, None)
    findings: tuple[quality.Finding, ...] = ()
    if entry.inspection is not None and (entry.suspicious or span != (None, None)):
        findings = quality.judge(entry.inspection, entry.index, block.channels, count, span)
    return quality.step(entry.point.quality, arrival, findings, entry.digests, block.channels)


def _frame(entry: Entry, block: TelemetryFrame, known: MeasuringPoint | None) -> quality.Step:
    """Judge a frame by its newest row; a tag that lacks values in it has them missing."""
    arrival = quality.Arrival(
        source_ns=int(block.times_ns.max()),
        ingest_ns=block.origin.ingest_ns,
        sequence=block.sequence,
        samples=len(block.times_ns),
        rate_hz=None,
        registered_rate_hz=None,
        acquisition=Acquisition.SNAPSHOT,
        interval_s=block.interval_s or (known.interval_s if known else None),
        origin=block.origin,
        units=tuple(tag.unit for tag in block.tags),
    )
    names = tuple(tag.name for tag in block.tags)
    missing = np.isnan(block.values).sum(axis=0).tolist()
    rows = len(block.times_ns)
    findings = tuple(
        quality.Finding(
            QualityKind.MISSING, name, float(n), 0.0, f"{n} of {rows} values of {name} are missing", usable=True
        )
        for name, n in zip(names, missing, strict=True)
        if n
    )
    return quality.step(entry.point.quality, arrival, findings, (), names)


def cold_start(entry: Entry, reason: str) -> DataQuality:
    """Say with the first record after it that an asset had to start anew, and why."""
    finding = quality.Finding(QualityKind.COLD_START, "", None, None, reason, usable=True)
    return _record(entry, quality.Transition(finding, raised=True))


def forget(state: quality.PointState) -> quality.PointState:
    """State of a point whose machine was repaired: what its levels were holds no longer."""
    return state._replace(last=(), seen=0, levels=quality.UNKNOWN)


def attributed(entry: Entry, outcome: Outcome) -> Outcome:
    """Say how well the sensor is; and of what a machine can do that it is the machine's, where this is in alarm."""
    told = outcome.quality
    if outcome.score.rows[-1].alarm and any(each.kind in LOUD for each in told):
        told = tuple(replace(q, layer="machine", why=LOUD_WHY) if q.kind in LOUD else q for q in told)
    return replace(outcome, quality=told, health=health(each.finding.kind for each in entry.standing))


def _record(entry: Entry, transition: quality.Transition) -> DataQuality:
    block = entry.block
    source_ns = block.source_ns if isinstance(block, SensorBlock) else int(block.times_ns.max())
    return event(block.asset, block.point, block.origin, source_ns, transition, entry.standing)


def event(
    asset: str,
    point: str,
    origin: Origin,
    source_ns: int,
    transition: quality.Transition,
    standing: Conditions,
) -> DataQuality:
    """Make the event of a transition.

    Parameters
    ----------
    asset, point : str
    origin : Origin
        The record that showed it, or the last one before a silence: the id of the event rests on it alone.
    source_ns : int
        When it was so.
    transition : Transition
    standing : tuple of Condition
        What stands on the point after it: what its health is of.
    """
    finding, says = transition.finding, VERDICTS[transition.finding.kind]
    word = "raised" if transition.raised else "cleared"
    kinds = [each.finding.kind for each in standing]
    return DataQuality(
        event_id=lineage.event_id(f"quality.{finding.kind}.{word}", origin, 0, point, finding.channel),
        asset=asset,
        point=point,
        channel=finding.channel,
        kind=finding.kind,
        raised=transition.raised,
        source_ns=source_ns,
        ingest_ns=origin.ingest_ns,
        value=finding.value,
        limit=finding.limit,
        detail=finding.detail,
        cause=transition.cause,
        ne107=transition.ne107,
        origin=origin,
        trace_id=lineage.trace_id(origin),
        health=health(kinds),
        status=status(kinds),
        layer=says.layer,
        why=says.why,
    )
