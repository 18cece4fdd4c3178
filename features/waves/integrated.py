"""Velocity and displacement from acceleration, by integration in the frequency domain.

An integration divides each bin by 2 pi i f. Low frequencies grow without bound that way, so a band is stated: 10 to
1000 Hz, from 2 Hz for a machine rated at or below 600 rpm; and a window that holds ten periods of the lower corner, or
what the window smears of the corner's neighbours would count.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from foreshock.features.waves.fine import Spectrum, mean_square_factor, window
from foreshock.features.waves.sums import dot_of, largest_of

STEPS = {"acceleration": -1, "velocity": 0, "displacement": 1}
"""Power of 2 pi f that turns a quantity into a velocity."""


class BandPlan(NamedTuple):
    """What depends on the number of samples, the rate and the band only."""

    low: int
    """First bin."""
    squares: npt.NDArray[np.float64]
    """Factors from the power of a bin to that of velocity, and of displacement [2, bins]."""
    weights: npt.NDArray[np.float32]
    """Factors from a bin to that of velocity, over the largest of them [bins]."""
    scale: float
    """From the inverse transform of the weighted bins to velocity."""
    length: int
    """Points of the velocity's course: a fast length, enough for the band."""


@lru_cache(maxsize=64)
def plan(n: int, rate_hz: float, corners: tuple[float, float], steps: int) -> BandPlan:
    """Bins and factors for rows of `n` samples."""
    step = rate_hz / n
    low, high = math.ceil(corners[0] / step * (1.0 - 1e-12)), math.floor(corners[1] / step * (1.0 + 1e-12))
    omega = 2.0 * np.pi * step * np.arange(low, high + 1, dtype=np.float64)
    squares = np.stack([np.float_power(omega, 2.0 * steps), np.float_power(omega, 2.0 * steps - 2.0)])
    weights = np.float_power(omega, 1.0 * steps)
    top = float(weights.max())
    length = int(scipy.fft.next_fast_len(2 * (high + 1), real=True))
    return BandPlan(low, squares, (weights / top).astype(np.float32), top / n, length)


@njit(cache=True, nogil=True)
def _rms_rows(
    power: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float64],
    low: int,
    scale: float,
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    """Write rms of velocity and of displacement: weighted sums of the bins of the band."""
    for b in range(power.shape[0]):
        band = power[b, low : low + weights.shape[1]]
        velocity, displacement = dot_of(band, weights[0]), dot_of(band, weights[1])
        out[b, 0] = math.ldexp(math.sqrt(scale * velocity), exponents[b])
        out[b, 2] = math.ldexp(math.sqrt(scale * displacement), exponents[b])


@njit(cache=True, nogil=True)
def _place(
    parts: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float32],
    low: int,
    turned: bool,
    out: npt.NDArray[np.float32],
) -> None:
    """Copy the bins of the band, weighted, and turned by a quarter where the number of steps is odd; others are 0."""
    out[:] = np.float32(0.0)
    for b in range(out.shape[0]):
        for k in range(weights.size):
            re, im = parts[b, 2 * (low + k)] * weights[k], parts[b, 2 * (low + k) + 1] * weights[k]
            out[b, 2 * (low + k)] = im if turned else re
            out[b, 2 * (low + k) + 1] = -re if turned else im


@njit(cache=True, nogil=True)
def _peak_rows(
    waves: npt.NDArray[np.float32],
    h: npt.NDArray[np.float32],
    scale: float,
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    """Write the largest absolute value over the middle half, with the window divided out."""
    first = h.size // 4
    course = np.empty(h.size - 2 * first, np.float32)
    for b in range(waves.shape[0]):
        for i in range(course.size):
            course[i] = abs(waves[b, first + i]) / h[first + i]
        out[b, 1] = math.ldexp(scale * largest_of(course), exponents[b])


def integrated_rows(
    s: Spectrum,
    rate_hz: float,
    corners: tuple[float, float],
    steps: int,
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    """Write rms and peak of velocity, and rms of displacement, within a band.

    With A the squared magnitude of a bin of the Hann-windowed row as its part of the mean square: velocity rms is
    sqrt(sum A (2 pi f)**(2 steps)) over the bins within the corners, displacement rms the same with one step less.

    Parameters
    ----------
    s : Spectrum
    rate_hz : float
    corners : (float, float)
        Hz; the upper at most half of the rate.
    steps : int
        Of `STEPS`.
    exponents : int32 [rows]
    out : float64 [rows, 3]
        m/s, m/s, m for samples in SI.
    """
    p = plan(s.n, rate_hz, corners, steps)
    _rms_rows(s.power, p.squares, p.low, mean_square_factor(s.n), exponents, out)
    placed = np.empty((len(s.bins), p.length // 2 + 1), np.complex64)
    _place(s.bins.view(np.float32), p.weights, p.low, steps % 2 != 0, placed.view(np.float32))
    waves = scipy.fft.irfft(placed, n=p.length, axis=1, norm="forward")
    _peak_rows(waves, window(p.length), p.scale, exponents, out)
