"""A month of a simulated plant: what fails when, what maintenance does, and the blocks of it.

The simulator's machines run through their duty cycles within a minute; here `PLANT_STEP_S` of its time are a step of
the month, so each block is of another state of its machine. What happens to a machine picks one of several plants of the
same seed, which differ in the faults, or in where the machine is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from foreshock.contract import Acquisition, Asset, SensorBlock
from foreshock.simulate import Fault, Kind, Plant, machines
from foreshock.simulate.machine import SetPoint
from foreshock.simulate.plan import AMOUNTS, IMPULSIVE, STRENGTHS_DB
from foreshock.simulate.seeding import Purpose, generator

STEP_S = 1800  # of the month, from block to block of a machine
PLANT_STEP_S = 10.0
DAY = 86_400 // STEP_S  # steps
NS = 1_000_000_000
BEGINS_NS = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * NS  # a Monday
WARMUP = 200  # blocks: a good four days, longer than any cycle of production
FAULTS, SENSORS, MOVES, WINDOWS = 0.24, 0.12, 0.1, 0.12  # shares of the assets
ELSEWHERE = (SetPoint(0.92, 0.8), SetPoint(0.78, 0.55))  # set-points that no machine had before
SUNDAY, ORDERED = "work on a Sunday", "work in a window"
WORK_DB = 26.0  # imbalance while somebody works on a machine
WEEKLY = "*/line-1"  # is worked on each Sunday from 06:00 to 14:00
REPAIR = 8  # steps from a failure to the repaired machine; it stands, and nothing comes


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to an asset from one step to before another."""

    asset: int
    kind: str  # a kind of fault, "regime", `SUNDAY` or `ORDERED`
    start: int
    end: int

    @property
    def of_machine(self) -> bool:
        """Whether the machine fails at its end."""
        return self.kind in {kind.value for kind in STRENGTHS_DB}


class Month:
    """The plan of a seed.

    Parameters
    ----------
    seed, assets, days
        Faults begin from day 8 on, and need four days and a half at most: 15 days at least.
    """

    def __init__(self, seed: int, assets: int, days: int) -> None:
        self.days, self.steps = days, days * DAY
        self.machines = machines(seed, assets, interval_s=PLANT_STEP_S, snapshot_interval_s=PLANT_STEP_S)
        rng = generator(seed, 0, Purpose.PLAN)
        horizon = self.steps * PLANT_STEP_S
        self._healthy = Plant(seed, self.machines, horizon_s=horizon)
        self.events, faults, works = self._draw(rng)
        self._plants = {
            "fault": Plant(seed, self.machines, faults=faults, horizon_s=horizon),
            **dict.fromkeys((SUNDAY, ORDERED), Plant(seed, self.machines, faults=works, horizon_s=horizon)),
            "regime": Plant(
                seed, [replace(each, set_points=ELSEWHERE) for each in self.machines], horizon_s=horizon
            ),
        }  # fmt: skip

    def _draw(self, rng: np.random.Generator) -> tuple[list[Event], list[Fault], list[Fault]]:
        count = len(self.machines)
        free = [int(i) for i in rng.permutation(count)]
        take = [max(1, round(share * count)) for share in (FAULTS, SENSORS, MOVES, WINDOWS)]
        groups = [[free.pop() for _ in range(number)] for number in take]
        events, faults, works = [], [], []
        for asset in groups[0]:
            start, length = self._begin(rng), int(rng.uniform(3.0, 4.5) * DAY)
            fault = self._machine_fault(asset, start, start + length, rng)
            events.append(Event(asset, fault.kind.value, start, start + length))
            faults.append(fault)
        for asset in groups[1]:
            kind, start = sorted(AMOUNTS)[int(rng.integers(len(AMOUNTS)))], self._begin(rng)
            amount = float(rng.uniform(*AMOUNTS[kind]))
            faults.append(Fault(asset=self._name(asset), kind=kind, start_s=start * PLANT_STEP_S, amount=amount))
            events.append(Event(asset, kind.value, start, start + DAY))
        events += [Event(asset, "regime", self._begin(rng), self.steps) for asset in groups[2]]
        weekly = [i for i, machine in enumerate(self.machines) if machine.path[-1] == "line-1"]
        idle = [i for i in weekly if i in free][: max(1, len(weekly) // 4)]
        for asset in (*groups[3], *idle):
            kind, day = (SUNDAY, 13) if asset in idle else (ORDERED, 9 + int(rng.integers(4)))
            start = day * DAY + 14  # 07:00
            first_s = start * PLANT_STEP_S
            works.append(Fault(asset=self._name(asset), kind=Kind.IMBALANCE, start_s=first_s, strength_db=WORK_DB))
            events.append(Event(asset, kind, start, start + 8))
        return events, faults, works

    def _begin(self, rng: np.random.Generator) -> int:
        return int(rng.uniform(8.0, self.days - 5.0) * DAY)

    def _machine_fault(self, asset: int, start: int, end: int, rng: np.random.Generator) -> Fault:
        kinds = [Kind.OUTER_RACE, Kind.IMBALANCE, Kind.MISALIGNMENT, Kind.INNER_RACE, Kind.BALL]
        kinds += [Kind.GEAR_TOOTH] * (self.machines[asset].gears is not None)
        kind = kinds[int(rng.integers(len(kinds)))]
        strongest = STRENGTHS_DB[kind][1] + (6.0 if kind in IMPULSIVE else 2.0)  # it grows until the machine fails
        first_s, last_s = start * PLANT_STEP_S, end * PLANT_STEP_S
        return Fault(
            asset=self._name(asset), kind=kind, start_s=first_s, strength_db=strongest,
            growth_s=self._healthy.operations[asset].running_s(first_s, last_s),
            slip=0.015 if kind in IMPULSIVE and kind is not Kind.GEAR_TOOTH else 0.0,
        )  # fmt: skip

    def _name(self, asset: int) -> str:
        return self.machines[asset].asset

    def assets(self) -> list[Asset]:
        """Master data."""
        found = []
        for machine in self.machines:
            asset = machine.master_data(WARMUP)
            point = replace(asset.points[0], interval_s=float(STEP_S), acquisition=Acquisition.SNAPSHOT)
            found.append(replace(asset, points=(point,)))
        return found

    def happening(self, asset: int, step: int) -> Event | None:
        """What happens to an asset in a step; the stop after a failure is part of it."""
        for event in self.events:
            if event.asset == asset and event.start <= step < event.end + REPAIR * event.of_machine:
                return event
        return None

    def time_ns(self, step: float) -> int:
        """Time at which a step begins."""
        return BEGINS_NS + round(step * STEP_S) * NS

    def blocks(self, step: int) -> Iterator[SensorBlock]:
        """Blocks of a step, in order of time; offsets are the caller's."""
        for asset in range(len(self.machines)):
            event = self.happening(asset, step)
            if event is not None and event.of_machine and step >= event.end:
                continue
            plant = self._healthy if event is None else self._plants.get(event.kind, self._plants["fault"])
            block = plant.block(asset, step)
            if block is not None:
                yield self._placed(block, plant, asset, step)

    def _placed(self, block: SensorBlock, plant: Plant, asset: int, step: int) -> SensorBlock:
        """Put a block into the time of the month; what the sensor's clock is wrong by stays."""
        true_ns = self.time_ns(step + asset / len(self.machines))
        wrong_ns = block.source_ns - round(plant.time_of(asset, step) * NS)
        origin = replace(block.origin, topic="sensors.v1", topic_id="month", ingest_ns=true_ns + NS)
        return replace(
            block, origin=origin, source_ns=true_ns + wrong_ns, interval_s=float(STEP_S),
            acquisition=Acquisition.SNAPSHOT,
        )  # fmt: skip
