"""A measurement of one machine: one long waveform, whole or cut into blocks that follow on without a gap.

The blocks of a `Plant` stand alone, as a gateway with a buffer sends them. What needs more turns than a block has, such
as telling which part of a bearing is damaged, needs a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from foreshock.simulate.faults import Fault
from foreshock.simulate.machine import Machine
from foreshock.simulate.seeding import Purpose, generator
from foreshock.simulate.structure import structure
from foreshock.simulate.vibration import Damage, Motion, waveform

F32 = npt.NDArray[np.float32]
WANDER = 0.05
"""The mean speed is within this share of that of the set-point."""
CHANGE = 0.03
"""Largest change of the speed from the start to the end, relative."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One waveform and what is true of it."""

    samples: F32
    """Acceleration in m/s2 [n]."""
    sampling_rate_hz: float
    motion: Motion

    def speeds(self, blocks: int) -> tuple[float, ...]:
        """Mean speed in Hz of each of so many blocks of equal length."""
        rise = self.motion.end_hz - self.motion.start_hz
        return tuple(self.motion.start_hz + rise * (i + 0.5) / blocks for i in range(blocks))


def measure(machine: Machine, seed: int, length_s: float, faults: Sequence[Fault] = ()) -> Measurement:
    """Measure a machine at one of its set-points, its faults at their final strength.

    Parameters
    ----------
    machine : Machine
    seed : int
        Of the speed, the set-point and the noise.
    length_s : float
    faults : sequence of Fault
        Of the machine; sensors are not part of a measurement.
    """
    rng = generator(seed, 0, Purpose.BLOCK)
    n = 2 * round(0.5 * length_s * machine.sampling_rate_hz)
    point = machine.set_points[int(rng.integers(len(machine.set_points)))]
    mean_hz = machine.rated_speed_hz * point.speed * (1.0 + WANDER * float(rng.uniform(-1.0, 1.0)))
    change = 0.5 * CHANGE * float(rng.uniform(-1.0, 1.0))
    motion = Motion(mean_hz * (1.0 - change), mean_hz * (1.0 + change), point.load)
    longer = replace(machine, samples=n)
    damages = [Damage(fault, 1.0) for fault in faults if not fault.kind.of_sensor]
    return Measurement(waveform(longer, structure(longer), motion, damages, rng), machine.sampling_rate_hz, motion)
