"""The spectrum of the whole window: what stands at the orders of the shaft, round gear mesh, in a named band.

One Hann window over all samples gives lines the narrowest bins there are. A line is measured by the power of its main
lobe, so its value does not depend on where between two bins it lies.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from foreshock.features.waves.given import Band, Gear
from foreshock.features.waves.sums import sum_of

ORDERS = 5
"""Multiples of the shaft speed with a column of their own."""
COMB = 10
"""Multiples that the comb is made of, as far as they are below half of the rate."""
SIDEBANDS = 3
"""On each side of gear mesh."""
HALF_LOBE = 2
"""Bins on each side of a line's largest that belong to it: the main lobe of a Hann window."""
SLIP = 0.005
"""A line is looked for within so much of its frequency: what a stated speed is commonly off by."""
APART = 4.0
"""Lines of a family stand at least so many bins apart, or they cannot be told from each other."""
FIRST_BIN = 2
FLOOR = 1e-12
"""Share of the mean square below which a line or a background is rounding."""


class Spectrum(NamedTuple):
    """Spectra of whole rows."""

    bins: npt.NDArray[np.complex64]
    """Of the Hann-windowed scaled rows [rows, n // 2 + 1]."""
    power: npt.NDArray[np.float32]
    """Squared magnitudes."""
    totals: npt.NDArray[np.float64]
    """Sum of the power of each row from bin 2 on: what the window smears of the mean is in bins 0 and 1."""
    n: int


@lru_cache(maxsize=16)
def window(n: int) -> npt.NDArray[np.float32]:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)).astype(np.float32)


def mean_square_factor(n: int) -> float:
    """Factor from the squared magnitude of a bin to its part of the mean square: 2 / (n sum h**2), sum h**2 = 3 n / 8."""
    return 16.0 / (3.0 * n * n)


@njit(cache=True, nogil=True)
def _windowed(rows: npt.NDArray[np.float32], h: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> None:
    for b in range(rows.shape[0]):
        for i in range(h.size):
            out[b, i] = rows[b, i] * h[i]


@njit(cache=True, nogil=True)
def _squared(parts: npt.NDArray[np.float32], out: npt.NDArray[np.float32], totals: npt.NDArray[np.float64]) -> None:
    for b in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[b, i] = parts[b, 2 * i] * parts[b, 2 * i] + parts[b, 2 * i + 1] * parts[b, 2 * i + 1]
        totals[b] = sum_of(out[b, FIRST_BIN:])


def spectrum_rows(rows: npt.NDArray[np.float32]) -> Spectrum:
    """Transform centred rows [rows, n] as a whole."""
    n = rows.shape[1]
    windowed = np.empty(rows.shape, np.float32)
    _windowed(rows, window(n), windowed)
    bins = scipy.fft.rfft(windowed, axis=1, overwrite_x=True)
    power = np.empty(bins.shape, np.float32)
    totals = np.empty(len(rows))
    _squared(bins.view(np.float32), power, totals)
    return Spectrum(bins, power, totals, n)


@njit(cache=True, nogil=True)
def _largest(power: npt.NDArray[np.float32], at: float, reach: float) -> int:
    """Bin of the largest power within `reach` of a place; at least the two bins it lies between are looked at."""
    low = max(FIRST_BIN, math.floor(at - reach))
    high = min(power.size - 1, math.ceil(at + reach))
    best = low
    for k in range(low, high + 1):
        if power[k] > power[best]:
            best = k
    return best


@njit(cache=True, nogil=True)
def _sum(power: npt.NDArray[np.float32], low: int, high: int) -> float:
    """Sum of the bins low..high, as far as there are such."""
    total = 0.0
    for k in range(max(low, FIRST_BIN), min(high, power.size - 1) + 1):
        total += power[k]
    return total


@njit(cache=True, nogil=True)
def _line(power: npt.NDArray[np.float32], at: float, reach: float) -> float:
    """Power of the line at a place, given in bins."""
    best = _largest(power, at, reach)
    return _sum(power, best - HALF_LOBE, best + HALF_LOBE)


@njit(cache=True, nogil=True)
def _order_rows(
    power: npt.NDArray[np.float32],
    totals: npt.NDArray[np.float64],
    speed: float,
    scale: float,
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    last = float(power.shape[1] - 1 - HALF_LOBE)
    for b in range(power.shape[0]):
        row, total = power[b], totals[b]
        floor = FLOOR * total
        lines = between = 0.0
        for k in range(1, COMB + 1):
            at = k * speed
            if at > last:
                break
            line = _line(row, at, min(SLIP * at, 0.25 * speed))
            lines += line
            best = round(at + 0.5 * speed)
            between += _sum(row, best - HALF_LOBE, best + HALF_LOBE)
            if k <= ORDERS:
                out[b, k - 1] = math.ldexp(math.sqrt(scale * line), exponents[b])
        out[b, ORDERS] = min(1.0, lines / total) if total > 0.0 else 0.0
        out[b, ORDERS + 1] = math.log((lines + floor) / (between + floor)) if total > 0.0 else 0.0


def order_rows(s: Spectrum, speed: float, exponents: npt.NDArray[np.int32], out: npt.NDArray[np.float64]) -> None:
    """Write the rms at 1..5 times the shaft speed, and how clear the comb of its first ten multiples is.

    Parameters
    ----------
    s : Spectrum
    speed : float
        Shaft speed in bins, at least `APART`.
    exponents : int32 [rows]
    out : float64 [rows, 7]
        Orders 1..5 as rms in SI; share of all ten lines in the power; ln of their power over that of as many places
        halfway between them. An order above half of the rate is left as it was.
    """
    _order_rows(s.power, s.totals, speed, mean_square_factor(s.n), exponents, out)


@njit(cache=True, nogil=True)
def _gear_rows(
    power: npt.NDArray[np.float32],
    totals: npt.NDArray[np.float64],
    mesh: float,
    shaft: float,
    scale: float,
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    last = float(power.shape[1] - 1 - HALF_LOBE)
    for b in range(power.shape[0]):
        row = power[b]
        best = _largest(row, mesh, min(SLIP * mesh, 0.25 * shaft))
        line = math.sqrt(_sum(row, best - HALF_LOBE, best + HALF_LOBE))
        out[b, 0] = math.ldexp(math.sqrt(scale) * line, exponents[b])
        if 2.0 * mesh <= last:
            second = _line(row, 2.0 * mesh, min(2.0 * SLIP * mesh, 0.25 * shaft))
            out[b, 1] = math.ldexp(math.sqrt(scale * second), exponents[b])
        sides = 0.0
        for j in range(1, SIDEBANDS + 1):
            sides += math.sqrt(_line(row, best - j * shaft, 0.0)) + math.sqrt(_line(row, best + j * shaft, 0.0))
        floor = math.sqrt(FLOOR * totals[b])
        out[b, 2] = sides / (line + floor) if floor > 0.0 else 0.0


def gear_rows(
    s: Spectrum, gear: Gear, speed: float, exponents: npt.NDArray[np.int32], out: npt.NDArray[np.float64]
) -> None:
    """Write the rms at once and twice the mesh frequency of a gear, and the ratio of the sidebands to the first.

    The ratio is the sum of the six amplitudes at mesh +-1, 2, 3 times the speed of the gear's own shaft, over that of
    mesh: 0 for an even mesh, and the larger the more a tooth differs from the others.

    Parameters
    ----------
    s : Spectrum
    gear : Gear
    speed : float
        Speed of the reference shaft in bins.
    exponents : int32 [rows]
    out : float64 [rows, 3]
    """
    shaft = speed * gear.order
    _gear_rows(s.power, s.totals, shaft * gear.teeth, shaft, mean_square_factor(s.n), exponents, out)


@njit(cache=True, nogil=True)
def _band_rows(
    power: npt.NDArray[np.float32],
    low: int,
    high: int,
    scale: float,
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    for b in range(power.shape[0]):
        out[b] = math.ldexp(math.sqrt(scale * _sum(power[b], low, high - 1)), exponents[b])


def band_limits(band: Band, n: int, rate_hz: float, speed_hz: float | None) -> tuple[int, int]:
    """First bin of a band, and one past its last, in rows of `n` samples."""
    unit = n / rate_hz * (speed_hz if band.orders and speed_hz is not None else 1.0)
    return math.ceil(band.low * unit), math.ceil(band.high * unit)


def band_rows(s: Spectrum, limits: tuple[int, int], exponents: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """Give the rms of each row within a band of bins, from the first to before the second [rows]."""
    out = np.empty(len(exponents))
    _band_rows(s.power, limits[0], limits[1], mean_square_factor(s.n), exponents, out)
    return out
