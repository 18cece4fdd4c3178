"""The path from where forces act to where the sensor sits: resonances, and the broadband noise that comes through them.

A mode is the acceleration response of a damped oscillator, H(f) = r^2/(1 - r^2 + 2 i d r) with r = f/f0 (any text on
vibration; Randall and Antoni 2011, section 2, for its part in bearing diagnostics). Noise and impulses meet in the
frequency domain: one inverse transform makes both. The forces behind the noise (flow, rolling, drives) fall with
frequency, so the noise follows H/r, the mobility; a metal impact is short and excites what lies high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foreshock.simulate.machine import Machine, Resonance

C64 = npt.NDArray[np.complex64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

FLOOR_SHARE = 0.12
"""Share of the broadband power that is spread evenly; the rest is shared out among the resonances."""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Responses of one machine on the frequencies of its blocks."""

    noise: F32
    """Amplitude response of the noise; its squares average to 1 [n/2 + 1]."""
    impact: C64
    """Response to an impulse of size 1 at the start of the block [n/2 + 1]; the energy of the answer to an impulse as
    `train` places it, shared out between two samples, is 1 on average."""


def response(mode: Resonance, frequencies: F64) -> npt.NDArray[np.complex128]:
    """Acceleration response of a mode."""
    r = frequencies / mode.frequency_hz
    return np.asarray(r * r / (1.0 - r * r + 2j * mode.damping * r))


def structure(machine: Machine) -> Structure:
    """Work out the responses of a machine, once."""
    n = machine.samples
    frequencies = np.arange(n // 2 + 1, dtype=np.float64) * machine.sampling_rate_hz / n
    density = np.full(len(frequencies), FLOOR_SHARE)
    for mode in machine.resonances:
        shape = np.square(np.abs(response(mode, frequencies)) * mode.frequency_hz / np.maximum(frequencies, 1.0))
        density += (1.0 - FLOOR_SHARE) * mode.share * shape / shape.mean()
    density[0] = 0.0
    answer = response(machine.resonances[-1], frequencies)
    split = 1.0 - (1.0 - np.cos(2.0 * np.pi * frequencies / machine.sampling_rate_hz)) / 3.0
    energy = 2.0 * float((np.square(np.abs(answer)) * split).sum()) / n
    return Structure(
        noise=np.sqrt(density / density.mean()).astype(np.float32),
        impact=(answer / np.sqrt(energy)).astype(np.complex64),
    )


def broadband(shape: F32, level: float, rng: np.random.Generator) -> C64:
    """Spectrum of coloured Gaussian noise of a level (rms): white noise drawn in the frequency domain, times the shape."""
    bins = len(shape)
    white = rng.standard_normal(2 * bins, np.float32).view(np.complex64)
    return np.asarray(white * (shape * np.float32(level * np.sqrt(bins - 1))))


def train(at: F64, size: F64, n: int) -> F32:
    """Impulses at places between samples: each is shared out between its two neighbours [n]."""
    left = np.floor(at).astype(np.int64)
    right_share = at - left
    places = np.concatenate([left, (left + 1) % n])
    weights = np.concatenate([size * (1.0 - right_share), size * right_share])
    return np.bincount(places, weights, minlength=n).astype(np.float32)
