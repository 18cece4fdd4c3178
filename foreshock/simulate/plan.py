"""The plan of a demonstration: which machines and sensors fail, how, when and how badly, drawn from a seed.

A plan is fair: the assets, the kinds, the times and the strengths are random; each fault begins after the warm-up, while
the machine runs, and early enough that the machine runs on for a while. It is not gross: impulses are at least 10.5 dB
below the broadband noise at their final strength, and begin 20 dB lower still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from foreshock.simulate.catalogue import machines
from foreshock.simulate.faults import IMPULSIVE, SENSOR_KINDS, Fault, Kind
from foreshock.simulate.machine import GRAVITY, Machine
from foreshock.simulate.operation import Stage
from foreshock.simulate.plant import Plant
from foreshock.simulate.seeding import Purpose, generator

Faults = Literal["all", "sensor", "none"]

ASSETS = 12
INTERVAL_S = 0.5
SNAPSHOT_INTERVAL_S = 4.0
WARMUP_S = 420.0
"""Plant time of the warm-up: long enough that every machine has run at each of its set-points, several times."""
WARMUP_BLOCKS = 460
SNAPSHOT_WARMUP_BLOCKS = 32
LEAST_S = 40.0
"""A shorter feed leaves no time for faults to begin, to grow and to be found."""

EARLIEST, LATEST = 0.03, 0.30
"""Faults begin within these shares of the feed."""
GROWTH = (0.08, 0.16)
"""Running time to the final strength, in shares of the feed."""
RUN_ON = 0.25
"""The machine runs for at least this share of the feed once a fault has its final strength."""
SENSOR_RUN_ON = 0.10
IMPULSES_DB = (-12.0, -10.5)
TRAVELLING_DB = (-13.0, -11.5)
"""Of inner race and ball: their impulses come in bursts, so the same power would mean a higher kurtosis."""
IMBALANCE_DB = (8.0, 11.0)
MISALIGNMENT_DB = (9.0, 12.0)
SLIP = (0.01, 0.02)

STRENGTHS_DB = {
    Kind.OUTER_RACE: IMPULSES_DB,
    Kind.GEAR_TOOTH: IMPULSES_DB,
    Kind.INNER_RACE: TRAVELLING_DB,
    Kind.BALL: TRAVELLING_DB,
    Kind.IMBALANCE: IMBALANCE_DB,
    Kind.MISALIGNMENT: MISALIGNMENT_DB,
}
AMOUNTS = {
    Kind.FROZEN: (-0.5, 0.5),  # m/s2 at which it stands still
    Kind.CLIPPED: (1.6, 2.0),  # standard deviations of the quietest running
    Kind.GAP: (0.25, 0.4),  # share of blocks lost
    Kind.SPIKE: (16.0, 24.0),  # standard deviations
    Kind.WRONG_RATE: (0.5, 0.5),  # of the true rate
    Kind.CLOCK: (1800.0, 7200.0),  # seconds ahead
    Kind.JITTER: (0.25, 0.4),  # of the interval, either way
    Kind.CLOCK_DRIFT: (0.001, 0.004),  # of time
    Kind.UNIT_CHANGED: (GRAVITY, GRAVITY),  # m/s2 that are sent as g
    Kind.NOISE_FLOOR_GONE: (2e-5, 1e-4),  # m/s2 rms that are left
    Kind.MISSING: (0.5, 1.0),  # share of blocks that lack a channel
    Kind.OUT_OF_ORDER: (0.1, 0.2),  # share of blocks that are overtaken
    Kind.DUPLICATE: (0.1, 0.3),  # share of blocks that are sent twice
}
DRAWN = frozenset({Kind.FROZEN, Kind.CLIPPED, Kind.GAP, Kind.SPIKE, Kind.WRONG_RATE, Kind.CLOCK})
"""Of sensors, those that show within the minute that a demonstration takes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A demonstration, ready to be run."""

    plant: Plant
    warmup_s: float
    duration_s: float
    """Of the feed that follows the warm-up."""

    @property
    def end_s(self) -> float:
        """Plant time at which it ends."""
        return self.warmup_s + self.duration_s

    def warmup_blocks(self, machine: Machine) -> int:
        """Blocks of a machine's warm-up; a snapshot sensor has fewer."""
        return SNAPSHOT_WARMUP_BLOCKS if machine.interval_s > INTERVAL_S else WARMUP_BLOCKS


def demo_plan(
    seed: int, duration_s: float = 60.0, faults: Faults = "all", *, epoch_ns: int = 0, beyond_s: float = 0.0
) -> Plan:
    """Draw the plan of a seed.

    Parameters
    ----------
    seed : int
    duration_s : float
        Length of the feed, at least `LEAST_S`.
    faults : "all", "sensor" or "none"
        Three faults of machines and two of sensors, on five assets; the two alone; none.
    epoch_ns : int
        Source time of plant time 0.
    beyond_s : float
        How long the machines go on after the end, as they are then; it changes nothing of what is before.
    """
    if duration_s < LEAST_S:
        raise ValueError(f"a demonstration takes at least {LEAST_S:.0f} s, not {duration_s:g}")
    fleet = machines(seed, ASSETS, interval_s=INTERVAL_S, snapshot_interval_s=SNAPSHOT_INTERVAL_S)
    horizon = WARMUP_S + duration_s
    empty = Plant(seed, fleet, horizon_s=horizon)
    chosen = _draw(empty, duration_s, faults, generator(seed, 0, Purpose.PLAN))
    plant = Plant(seed, fleet, faults=chosen, horizon_s=horizon + beyond_s, epoch_ns=epoch_ns)
    return Plan(plant, WARMUP_S, duration_s)


def _draw(plant: Plant, duration_s: float, faults: Faults, rng: np.random.Generator) -> list[Fault]:
    kinds: list[Kind] = []
    if faults == "all":
        second = [Kind.INNER_RACE, Kind.BALL, Kind.GEAR_TOOTH]
        kinds += [Kind.OUTER_RACE, second[int(rng.integers(3))]]
        kinds.append(Kind.IMBALANCE if rng.random() < 0.5 else Kind.MISALIGNMENT)
    if faults != "none":
        sensors = sorted(DRAWN)
        kinds += [sensors[int(i)] for i in rng.permutation(len(sensors))[:2]]
    free = [int(i) for i in rng.permutation(len(plant.machines))]
    found = []
    # The pickiest first, so that a gear fault is not left without a gearbox.
    for kind in sorted(kinds, key=lambda kind: kind is not Kind.GEAR_TOOTH):
        fault, asset = _place(plant, kind, free, duration_s, rng)
        free.remove(asset)
        found.append(fault)
    return found


def _may_have(machine: Machine, kind: Kind) -> bool:
    """Whether a fault of this kind can show on this machine within a demonstration."""
    snapshots = machine.interval_s > INTERVAL_S
    if kind is Kind.GEAR_TOOTH:
        return machine.gears is not None
    return not snapshots or kind in SENSOR_KINDS


def _place(
    plant: Plant, kind: Kind, free: Sequence[int], duration_s: float, rng: np.random.Generator
) -> tuple[Fault, int]:
    """Find an asset and a time at which a fault may begin: the machine runs, and runs on for long enough.

    Raises
    ------
    RuntimeError
        There is none: no plant of the catalogue stands still for so long.
    """
    growth = 0.0 if kind.of_sensor else float(rng.uniform(*GROWTH)) * duration_s
    for _ in range(200):
        start = WARMUP_S + float(rng.uniform(EARLIEST, LATEST)) * duration_s
        for asset in free:
            machine, operation = plant.machines[asset], plant.operations[asset]
            blocks_left = 6 * machine.interval_s if kind.of_sensor else 0.0
            needed = max(growth + (SENSOR_RUN_ON if kind.of_sensor else RUN_ON) * duration_s, blocks_left)
            runs_on = operation.running_s(start, WARMUP_S + duration_s)
            if _may_have(machine, kind) and operation.at(start).stage is Stage.RUNNING and runs_on >= needed:
                return _fault(machine.asset, kind, start, growth, rng), asset
    raise RuntimeError(f"no asset runs long enough for {kind}")


def _fault(asset: str, kind: Kind, start_s: float, growth_s: float, rng: np.random.Generator) -> Fault:
    if kind.of_sensor:
        return Fault(asset=asset, kind=kind, start_s=start_s, amount=float(rng.uniform(*AMOUNTS[kind])))
    strength = float(rng.uniform(*STRENGTHS_DB[kind]))
    slip = float(rng.uniform(*SLIP)) if kind in IMPULSIVE and kind is not Kind.GEAR_TOOTH else 0.0
    return Fault(asset=asset, kind=kind, start_s=start_s, strength_db=strength, growth_s=growth_s, slip=slip)
