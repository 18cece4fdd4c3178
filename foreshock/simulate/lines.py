"""Tones of a turning machine: shaft orders, blade passing, tooth meshing with its sidebands.

Sources: shaft orders and what they mean from ISO 13373-1 and -3 (1x imbalance, 2x and 3x misalignment); the acceleration
of an imbalance grows with the square of the speed. Gears from Randall 1982, "A new method of modeling gear faults",
Journal of Mechanical Design 104, 259-267: meshing harmonics, amplitude modulated by the two shafts.

Everything is a power of one complex tone z = exp(i angle of the shaft), so a block costs one sine and one cosine.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from foreshock.simulate.machine import Gears, Machine

C64 = npt.NDArray[np.complex64]
F32 = npt.NDArray[np.float32]

JITTER = 0.03
"""Scatter of a line's amplitude from block to block: oil film, pressure, temperature."""


def tone(turns: npt.NDArray[np.float64]) -> C64:
    """exp(2 pi i turns), the angle reduced to one turn before it loses digits."""
    angle = (2.0 * np.pi * (turns - np.floor(turns))).astype(np.float32)
    out = np.empty(len(angle), np.complex64)
    np.cos(angle, out=out.real)
    np.sin(angle, out=out.imag)
    return out


def power(z: C64, exponent: int) -> C64:
    """Z to a positive whole power, by squaring."""
    result: C64 | None = None
    while exponent:
        if exponent & 1:
            result = z if result is None else result * z
        exponent >>= 1
        if exponent:
            z = z * z
    if result is None:
        raise ValueError("the exponent must be positive")
    return result


def _scatter(rng: np.random.Generator, count: int) -> tuple[list[float], list[complex]]:
    """Draw amplitudes about 1, and phases, of some lines."""
    sizes = (1.0 + JITTER * rng.standard_normal(count)).tolist()
    phases = np.exp(2j * np.pi * rng.random(count)).tolist()
    return sizes, phases


def shaft(machine: Machine, z: C64, speed: float, raised: tuple[float, float], rng: np.random.Generator) -> F32:
    """Shaft orders and blade passing (m/s2).

    Parameters
    ----------
    machine : Machine
    z : complex64 [n]
        Tone of the shaft.
    speed : float
        Share of the rated speed; amplitudes go with its square.
    raised : (float, float)
        Factors on 1x (imbalance) and on 2x and 3x (misalignment).
    rng : numpy.random.Generator
    """
    sizes, phases = _scatter(rng, len(machine.shaft) + 1)
    factors = [raised[0], raised[1], raised[1]] + [1.0] * len(machine.shaft)
    total = np.zeros(len(z), np.complex64)
    order = z
    for amplitude, factor, size, phase in zip(machine.shaft, factors, sizes, phases, strict=False):
        total += np.complex64(amplitude * factor * size * phase) * order
        order = order * z
    if machine.blade_pass > 0.0:
        total += np.complex64(machine.blade_pass * sizes[-1] * phases[-1]) * power(z, machine.blades)
    return np.asarray(total.real * np.float32(speed * speed))


def mesh(gears: Gears, z: C64, speed: float, load: float, raised: float, rng: np.random.Generator) -> F32:
    """Tooth meshing and its harmonics, modulated by both shafts (m/s2).

    Parameters
    ----------
    gears : Gears
    z : complex64 [n]
        Tone of the pinion's shaft.
    speed, load : float
        Shares of the rated values; tooth forces go with the load, their acceleration with the speed.
    raised : float
        Factor on the modulation by the pinion's shaft: a damaged tooth passes once a turn.
    rng : numpy.random.Generator
    """
    sizes, phases = _scatter(rng, len(gears.mesh))
    carrier = power(z, gears.pinion_teeth)
    total = np.zeros(len(z), np.complex64)
    order = carrier
    for amplitude, size, phase in zip(gears.mesh, sizes, phases, strict=True):
        total += np.complex64(amplitude * size * phase) * order
        order = order * carrier
    wheel = wheel_tone(z, gears)
    modulation = 1.0 + np.float32(gears.modulation) * (np.float32(raised) * z.real + wheel.real)
    return np.asarray(total.real * modulation * np.float32(speed * (0.3 + 0.7 * load)))


def wheel_tone(z: C64, gears: Gears) -> C64:
    """Tone of the wheel's shaft: the pinion's angle, unwrapped, over the ratio."""
    angle = np.unwrap(np.angle(z)) * np.float32(gears.pinion_teeth / gears.wheel_teeth)
    out = np.empty(len(z), np.complex64)
    np.cos(angle, out=out.real)
    np.sin(angle, out=out.imag)
    return out


def decibels(factor_db: float) -> float:
    """Amplitude factor of a level in dB."""
    return math.pow(10.0, factor_db / 20.0)
