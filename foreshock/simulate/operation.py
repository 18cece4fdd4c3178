"""How a machine is run: starts, set-points, changes between them, coast-downs, idling, standing.

The history is a list of segments, drawn once for an asset; speed and load at any time follow from it in closed form.
Speeds are shares of the rated speed. Around a set-point the speed wanders by at most 5 % (`WANDER`): a sum of three
sines of incommensurable periods, so that no block needs the one before it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from foreshock.simulate.machine import Machine, SetPoint

WANDER = 0.05
_PERIODS_S = (3.7, 8.9, 17.3)
_WEIGHTS = (0.25, 0.35, 0.40)
OFF_SHARE = 0.30
"""Share of the time in which a machine does not run at a set-point: starting, coasting, idling, standing."""
IDLE_SPEED = 0.08
"""Barring speed: some machines are turned slowly instead of standing."""
CHANGE_RATE = 0.25
"""Change of speed from one set-point to the next, in rated speeds per second."""
STANDSTILL = 0.01
"""A coasting shaft sticks below this share of its rated speed."""


class Stage(StrEnum):
    """What the machine is doing."""

    STANDING = "standing"
    IDLING = "idling"
    STARTING = "starting"
    RUNNING = "running"
    CHANGING = "changing"
    COASTING = "coasting"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the history. Speed goes from `before` to `after`: linearly, exponentially when coasting."""

    start_s: float
    stage: Stage
    before: float
    after: float
    load: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Operating:
    """The operating point at one time."""

    stage: Stage
    speed_hz: float
    load: float
    running_s: float
    """Time spent at set-points since the history began: what wear counts."""


class Operation:
    """The history of one machine from 0 to `horizon_s`, and the share of time at which it is anywhere in it."""

    def __init__(self, machine: Machine, horizon_s: float, rng: np.random.Generator) -> None:
        self._machine = machine
        self._phases = rng.random(3).tolist()
        self.segments = _history(machine, horizon_s, rng)
        self._starts = [segment.start_s for segment in self.segments]
        self._run = _running_before(self.segments)

    def at(self, t_s: float) -> Operating:
        """Operating point at a time; before 0 and after the horizon the first and last segments go on."""
        i = max(0, bisect_right(self._starts, t_s) - 1)
        segment = self.segments[i]
        passed = t_s - segment.start_s
        speed = self._speed(segment, passed)
        if segment.stage in {Stage.RUNNING, Stage.CHANGING}:
            speed *= 1.0 + WANDER * self._wander(t_s)
        running = self._run[i] + (passed if segment.stage is Stage.RUNNING else 0.0)
        return Operating(segment.stage, speed * self._machine.rated_speed_hz, segment.load, running)

    def _speed(self, segment: Segment, passed_s: float) -> float:
        if segment.stage is Stage.COASTING:
            speed = segment.before * math.exp(-passed_s / self._machine.coast_s)
            return speed if speed > STANDSTILL else 0.0
        share = min(1.0, passed_s / segment.length_s) if segment.length_s > 0 else 1.0
        return segment.before + share * (segment.after - segment.before)

    def _wander(self, t_s: float) -> float:
        """Between -1 and 1."""
        sines = (
            w * math.sin(2.0 * math.pi * (t_s / period + phase))
            for w, period, phase in zip(_WEIGHTS, _PERIODS_S, self._phases, strict=True)
        )
        return sum(sines)

    def running_s(self, start_s: float, end_s: float) -> float:
        """Time at set-points between two times."""
        return self.at(end_s).running_s - self.at(start_s).running_s


def _running_before(segments: list[Segment]) -> list[float]:
    total, before = 0.0, []
    for segment in segments:
        before.append(total)
        total += segment.length_s if segment.stage is Stage.RUNNING else 0.0
    return before


def _history(machine: Machine, horizon_s: float, rng: np.random.Generator) -> list[Segment]:
    """Draw duty cycles until the horizon; the first one starts somewhere in its middle."""
    segments: list[Segment] = []
    t = -float(rng.random()) * 30.0
    order: list[SetPoint] = []
    while t < horizon_s:
        for stage, before, after, load, length in _cycle(machine, order, rng):
            segments.append(Segment(t, stage, before, after, load, length))
            t += length
    return segments


def _cycle(
    machine: Machine, order: list[SetPoint], rng: np.random.Generator
) -> list[tuple[Stage, float, float, float, float]]:
    """One duty cycle as (stage, speed before, after, load, length): start, two or three set-points, coast-down, rest.

    `order` is refilled with all set-points in random order whenever it is empty, so that each gets its share.
    """
    visits: list[SetPoint] = []
    for _ in range(int(rng.integers(2, 4))):
        if not order:
            order.extend(machine.set_points[int(i)] for i in rng.permutation(len(machine.set_points)))
        visits.append(order.pop())
    first = visits[0]
    cycle = [(Stage.STARTING, 0.0, first.speed, first.load, machine.run_up_s * first.speed)]
    running = 0.0
    for here, following in zip(visits, [*visits[1:], None], strict=True):
        dwell = 10.0 + 12.0 * float(rng.random())
        running += dwell
        cycle.append((Stage.RUNNING, here.speed, here.speed, here.load, dwell))
        if following is not None and following != here:
            length = abs(following.speed - here.speed) / CHANGE_RATE
            cycle.append((Stage.CHANGING, here.speed, following.speed, following.load, length))
    last = visits[-1]
    coast = machine.coast_s * math.log(last.speed / STANDSTILL)
    cycle.append((Stage.COASTING, last.speed, 0.0, 0.0, coast))
    off = running * OFF_SHARE / (1.0 - OFF_SHARE)
    rest = max(2.0, off - sum(part[4] for part in cycle) + running) * (0.7 + 0.6 * float(rng.random()))
    if rng.random() < 1.0 / 3.0:
        cycle.append((Stage.IDLING, IDLE_SPEED, IDLE_SPEED, 0.0, rest))
    else:
        cycle.append((Stage.STANDING, 0.0, 0.0, 0.0, rest))
    return cycle
