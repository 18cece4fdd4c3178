"""Trials: simulated machines in good condition, whose sensors fail or do not, through the Fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from foreshock.contract import DataQuality, Phase, SensorBlock
from foreshock.fleet import Fleet, FleetSpec
from foreshock.simulate.catalogue import machines
from foreshock.simulate.faults import SENSOR_KINDS, Fault, Kind
from foreshock.simulate.machine import GRAVITY, Machine
from foreshock.simulate.operation import Stage
from foreshock.simulate.plan import AMOUNTS, WARMUP_BLOCKS, WARMUP_S
from foreshock.simulate.plant import Plant
from foreshock.simulate.verdict import _MAY_COME_ALONG

EPOCH_NS = 1_790_000_000 * 10**9
BATCH = 64
FEED_S = 90.0
SLOW = {Kind.CLOCK_DRIFT: 300.0}
"""What takes longer to show."""


@dataclass(slots=True)
class Trial:
    """What became of one fault of one sensor."""

    kind: Kind
    asset: str
    start_s: float
    amount: float
    found_s: float | None = None
    """Time from its beginning to the event that names it."""
    others: Counter[str] = field(default_factory=Counter)
    """Other quality conditions that were raised after it began."""
    early: Counter[str] = field(default_factory=Counter)
    """Conditions that were raised before it."""
    alarms: list[str] = field(default_factory=list)
    """Machine alarms that opened after it began; not of a unit that makes the level leap upwards, for so does a machine that breaks."""

    @property
    def strange(self) -> set[str]:
        """Conditions beside its own that it does not rightly show as."""
        return set(self.others) - {str(kind) for kind in _MAY_COME_ALONG.get(self.kind, ())}


def amount(kind: Kind, machine: Machine, rng: np.random.Generator) -> float:
    """How bad it is; a unit is changed to what the sensor did not send so far."""
    drawn = float(rng.uniform(*AMOUNTS[kind]))
    if kind is Kind.UNIT_CHANGED and machine.unit != "[g]":
        return 1.0 / GRAVITY
    return -drawn if kind is Kind.CLOCK_DRIFT and rng.random() < 0.5 else drawn


def drawn(seed: int, count: int) -> tuple[Kind, ...]:
    """Faults of a seed: the kinds take turns, so that each has its share of the seeds."""
    every = sorted(SENSOR_KINDS)
    return tuple(every[(seed * count + i) % len(every)] for i in range(count))


def plant_of(seed: int, kinds: tuple[Kind, ...], before_s: float = WARMUP_S) -> Plant:
    """A plant in which each machine has one of the faults, begun while it runs, so many seconds after the start or later."""
    rng = np.random.default_rng([seed, 7])
    wired = machines(seed, max(12, len(kinds) + 1))[:-1]  # the last one is wireless
    fleet = tuple(
        replace(wired[int(i)], also=("axial",)) if kind is Kind.MISSING else wired[int(i)]
        for i, kind in zip(rng.permutation(len(wired)), kinds, strict=False)
    )
    horizon = before_s + max(SLOW.get(kind, FEED_S) for kind in kinds)
    quiet = Plant(seed, fleet, horizon_s=horizon, epoch_ns=EPOCH_NS)
    faults = []
    for i, (machine, kind) in enumerate(zip(fleet, kinds, strict=True)):
        start = before_s + float(rng.uniform(0.0, 20.0))
        while quiet.operations[i].at(start).stage is not Stage.RUNNING:
            start += 0.5
        faults.append(Fault(asset=machine.asset, kind=kind, start_s=start, amount=amount(kind, machine, rng)))
    return Plant(seed, fleet, faults=faults, horizon_s=horizon, epoch_ns=EPOCH_NS)


def run(seed: int, kinds: tuple[Kind, ...]) -> list[Trial]:
    """Let the sensors of a plant fail, each in its own way, and see what is said of them and of their machines."""
    plant = plant_of(seed, kinds)
    fleet = Fleet(FleetSpec(features=False))  # windows of registered assets judge no sensor
    fleet.receive([machine.master_data(WARMUP_BLOCKS) for machine in plant.machines])
    trials = _trials(plant)
    for batch in batches(blocks(plant, trials, WARMUP_S)):
        for outcome in fleet.receive(batch):
            trial = trials[outcome.score.asset]
            now_s = (outcome.score.origin.ingest_ns - EPOCH_NS) / 1e9
            for told in outcome.quality:
                _note(trial, told, now_s)
            for anomaly in outcome.anomalies:
                louder = trial.kind is Kind.UNIT_CHANGED and trial.amount > 1.0
                if anomaly.phase is Phase.OPENED and now_s >= trial.start_s and not louder:
                    trial.alarms.append(f"{now_s - trial.start_s:.1f} s after: {anomaly.decision.rule}")
    return list(trials.values())


def judged(seed: int, kinds: tuple[Kind, ...], before_s: float) -> list[Trial]:
    """The same without scores: what is said of the sensors alone."""
    plant = plant_of(seed, kinds, before_s)
    trials = _trials(plant)
    for told in said(plant, list(blocks(plant, trials, before_s)), BATCH):
        _note(trials[told.asset], told, (told.ingest_ns - EPOCH_NS) / 1e9)
    return list(trials.values())


def said(plant: Plant, records: list[SensorBlock], size: int) -> list[DataQuality]:
    """Judge records in batches of a size, without scoring them."""
    admission = Fleet(FleetSpec())._admission
    admission.enter([machine.master_data() for machine in plant.machines])
    return [
        told
        for at in range(0, len(records), size)
        for e in admission.enter(records[at : at + size])
        for told in e.quality
    ]


def _trials(plant: Plant) -> dict[str, Trial]:
    return {f.asset: Trial(f.kind, f.asset, f.start_s, f.amount) for f in plant.faults}


def _note(trial: Trial, told: DataQuality, now_s: float) -> None:
    if not told.raised:
        return
    if now_s < trial.start_s:
        trial.early[str(told.kind)] += 1
    elif str(told.kind) != str(trial.kind):
        trial.others[str(told.kind)] += 1
    elif trial.found_s is None:
        trial.found_s = now_s - trial.start_s


def blocks(plant: Plant, trials: dict[str, Trial], before_s: float) -> Iterator[SensorBlock]:
    """Blocks of a plant as its topic has them; those of machines whose trial is over are left out."""
    ends = {m.asset: before_s + SLOW.get(trials[m.asset].kind, FEED_S) for m in plant.machines}
    end = max(ends.values())
    offset = 0
    for t, asset, number in plant.schedule(0.0, end):
        if t < ends[plant.machines[asset].asset] and (block := plant.block(asset, number)) is not None:
            yield replace(block, origin=replace(block.origin, offset=offset))
            offset += 1


def batches(items: Iterator) -> Iterator[list]:
    """Cut a stream into batches."""
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def healthy(seed: int, seconds: float, count: int = 12) -> tuple[float, list[DataQuality]]:
    """Judge the records of sound sensors, without scoring them; gives sensor-days and the conditions that were raised."""
    plant = Plant(seed, machines(seed, count), horizon_s=seconds, epoch_ns=EPOCH_NS)
    admission = Fleet(FleetSpec())._admission
    admission.enter([machine.master_data() for machine in plant.machines])
    raised = []
    numbered = (replace(b, origin=replace(b.origin, offset=i)) for i, b in enumerate(plant.blocks(0.0, seconds)))
    for batch in batches(numbered):
        for entry in admission.enter(batch):
            raised += [told for told in entry.quality if told.raised]
    return count * seconds / 86400.0, raised
