"""The waveform of one block: tones, broadband noise, impacts, each where speed, load and damage put it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foreshock.simulate import lines
from foreshock.simulate.bearing import Element, impact_order, impulses
from foreshock.simulate.faults import IMPULSIVE, Fault, Kind
from foreshock.simulate.machine import Machine
from foreshock.simulate.structure import Structure, broadband, train

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

SENSOR_NOISE = 0.01
"""Noise of sensor and cable (m/s2 rms): all that is left at standstill."""
NOISE_JITTER = 0.02
"""Scatter of the broadband level from block to block: flow, temperature."""
TOOTH_SIDEBANDS = 1.5
"""How much a damaged tooth adds to the modulation by its shaft, in units of the healthy modulation."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion of the shaft during one block: the speed changes evenly from start to end."""

    start_hz: float
    end_hz: float
    load: float

    @property
    def mean_hz(self) -> float:
        """Mean speed."""
        return 0.5 * (self.start_hz + self.end_hz)


@dataclass(frozen=True, slots=True)
class Damage:
    """A fault at its amplitude of the moment."""

    fault: Fault
    share: float
    """Of the final amplitude."""


def waveform(
    machine: Machine, paths: Structure, motion: Motion, damages: Sequence[Damage], rng: np.random.Generator
) -> F32:
    """Acceleration at the sensor (m/s2) [n].

    The angle of the shaft at the start of a block is random: blocks are not locked to a mark on the shaft.
    """
    n, rate = machine.samples, machine.sampling_rate_hz
    speed = motion.mean_hz / machine.rated_speed_hz
    level = machine.noise * speed * (0.6 + 0.4 * motion.load) * (1.0 + NOISE_JITTER * float(rng.standard_normal()))
    spectrum = broadband(paths.noise, math.hypot(level, SENSOR_NOISE), rng)
    if motion.mean_hz <= 0.0:
        return np.asarray(np.fft.irfft(spectrum, n), np.float32)
    for damage in damages:
        if damage.fault.kind in IMPULSIVE:
            spectrum += paths.impact * np.fft.rfft(_impacts(machine, motion, damage, level, rng))
    total = np.asarray(np.fft.irfft(spectrum, n), np.float32)
    turns = float(rng.random()) + _turns(motion, np.arange(n) / rate, n / rate)
    z = lines.tone(turns)
    total += lines.shaft(
        machine, z, speed, (_raised(damages, Kind.IMBALANCE), _raised(damages, Kind.MISALIGNMENT)), rng
    )
    if machine.gears is not None:
        tooth = sum(d.share for d in damages if d.fault.kind is Kind.GEAR_TOOTH)
        total += lines.mesh(machine.gears, z, speed, motion.load, 1.0 + TOOTH_SIDEBANDS * tooth, rng)
    return total


def _turns(motion: Motion, t: F64, length_s: float) -> F64:
    """Turns of the shaft since the start of the block."""
    return np.asarray(t * (motion.start_hz + 0.5 * (motion.end_hz - motion.start_hz) / length_s * t))


def _time_of(motion: Motion, turns: F64, length_s: float) -> F64:
    """Time at which the shaft has made so many turns: the inverse of `_turns`."""
    change = (motion.end_hz - motion.start_hz) / length_s
    root = np.sqrt(np.maximum(motion.start_hz**2 + 2.0 * change * turns, 0.0))
    return np.asarray(2.0 * turns / np.maximum(motion.start_hz + root, 1e-9))


def _raised(damages: Sequence[Damage], kind: Kind) -> float:
    """Factor on the lines that a fault of this kind raises: 1, growing to the final strength."""
    factor = 1.0
    for damage in damages:
        if damage.fault.kind is kind and damage.fault.strength_db is not None:
            factor += (lines.decibels(damage.fault.strength_db) - 1.0) * damage.share
    return factor


def _impacts(machine: Machine, motion: Motion, damage: Damage, level: float, rng: np.random.Generator) -> F32:
    """Train of impacts before it goes through the structure [n].

    Its mean power after the structure is `strength_db` relative to the broadband noise of the moment at full growth:
    a size a at k impacts a second has a power of a^2 k / rate, the answer to one impact having an energy of 1.
    """
    n, rate, fault = machine.samples, machine.sampling_rate_hz, damage.fault
    length_s = n / rate
    turns = motion.mean_hz * length_s
    if fault.kind is Kind.GEAR_TOOTH:
        order = 1.0
        first = float(rng.random())
        at = first + np.arange(max(0, math.ceil(turns - first)), dtype=np.float64)
        size = 1.0 + 0.1 * rng.standard_normal(len(at))
    else:
        element = Element(str(fault.kind))
        order = impact_order(machine.bearing, element)
        found = impulses(machine.bearing, element, turns, fault.slip, rng)
        at, size = found.turns, found.size
    power = (lines.decibels(fault.strength_db or 0.0) * damage.share * level) ** 2
    amplitude = math.sqrt(power * rate / (order * motion.mean_hz))
    samples = np.minimum(_time_of(motion, at, length_s) * rate, n - 1.0)
    return train(samples, amplitude * size, n)
