"""The envelope of the band that is the most impulsive, and the rhythm in it.

A slice of a one-sided spectrum, transformed back, is the analytic signal of that band; its magnitude is the envelope.
Which band: the one among 4 and 16 equal ones whose envelope has the largest kurtosis (a kurtogram), or one that is
given. The lowest band of each is left out: it holds the lines of the shaft itself. The spectrum is that of the
Hann-windowed row, so an envelope comes out multiplied by the window, which serves as the weight of all means.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from foreshock.features.waves.fine import Spectrum
from foreshock.features.waves.logarithm import log_into
from foreshock.features.waves.sums import squares_of, sum_of

LEVELS = (4, 16)
"""Numbers of equal bands between 0 and half of the rate."""
LEAST = 256
"""Shorter rows have bands of too few bins."""
FIRST_BIN = 2
FIRST_LINE = 3
"""Lower lines of the envelope's spectrum hold what the window smears of its mean."""
MULTIPLES = 4
"""The largest line and its multiples up to this one make its share."""
HALF_LOBE = 2
HANN_FOURTH = 35.0 / 18.0
"""mean h**4 / (mean h**2)**2 of a Hann window: what the window adds to a fourth moment."""
WEAK = 1e-10
"""A band with less of the power of the row holds rounding: it has no kurtosis."""
FLOOR = 1e-9
OVERSAMPLED = 3
"""Points of an envelope for each bin of its band. With two, some of the spectrum of a magnitude folds over."""


class EnvelopePlan(NamedTuple):
    """What depends on the width of the band only."""

    length: int
    """Points of an envelope."""
    window: npt.NDArray[np.float32]
    total: float
    """Sum of the window."""
    squares: float


@lru_cache(maxsize=32)
def plan(width: int) -> EnvelopePlan:
    """Points and window for bands of `width` bins."""
    length = int(scipy.fft.next_fast_len(max(32, OVERSAMPLED * width)))
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    return EnvelopePlan(length, window.astype(np.float32), float(window.sum()), float(np.sum(window * window)))


@njit(cache=True, nogil=True)
def _place(
    spectra: npt.NDArray[np.complex64],
    rows: npt.NDArray[np.int64],
    lows: npt.NDArray[np.int64],
    width: int,
    out: npt.NDArray[np.complex64],
) -> None:
    """Copy a band of bins of some rows to the start of the rows of `out`; the rest is 0."""
    for k in range(rows.size):
        low, source = lows[rows[k]], spectra[rows[k]]
        for i in range(width):
            out[k, i] = source[low + i]
        out[k, width:] = np.complex64(0.0)
        for i in range(low, min(FIRST_BIN, low + width)):
            out[k, i - low] = np.complex64(0.0)


@njit(cache=True, nogil=True)
def _place_all(spectra: npt.NDArray[np.complex64], width: int, out: npt.NDArray[np.complex64]) -> None:
    """Copy each of equally wide bands, from the second on, to the start of its row."""
    for b in range(out.shape[0]):
        for band in range(out.shape[1]):
            low = (band + 1) * width
            target, source = out[b, band], spectra[b, low : low + width]
            for i in range(width):
                target[i] = source[i]
            target[width:] = np.complex64(0.0)


@njit(cache=True, nogil=True)
def _moments(parts: npt.NDArray[np.float32], squares: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Sum of the squared and of the fourth power of the magnitudes of complex points; `squares` is room for them."""
    for i in range(squares.size):
        squares[i] = parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1]
    second = sum_of(squares)
    return second, squares_of(squares)


@njit(cache=True, nogil=True)
def _best(
    analytic: npt.NDArray[np.float32],
    width: int,
    least: npt.NDArray[np.float64],
    best: npt.NDArray[np.float64],
    lows: npt.NDArray[np.int64],
    highs: npt.NDArray[np.int64],
) -> None:
    """Take the band of a level where its kurtosis is above the best so far."""
    points = analytic.shape[2] // 2
    squares = np.empty(points, np.float32)
    for b in range(analytic.shape[0]):
        for band in range(analytic.shape[1]):
            second, fourth = _moments(analytic[b, band], squares)
            if second > least[b] * points:
                kurtosis = points * fourth / (second * second) / HANN_FOURTH - 2.0
                if kurtosis > best[b]:
                    best[b] = kurtosis
                    lows[b], highs[b] = (band + 1) * width, (band + 2) * width


def choose_rows(s: Spectrum) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Choose the band of the largest spectral kurtosis of each row, above the lowest of each level.

    With c the analytic signal of a band: mean abs c**4 / (mean abs c**2)**2 - 2, with the window's part taken out; 0 for
    steady noise, -1 for a sine, large for bursts (J. Antoni, Mech. Syst. Signal Process. 20(2), 2006).

    Parameters
    ----------
    s : Spectrum
        Of rows of at least `LEAST` samples.

    Returns
    -------
    lows, highs : int64 [rows]
        First bin and one past the last. Where no band has a kurtosis: the upper half of the lower half of all bins.
    """
    count = len(s.bins)
    half = s.n // 2
    lows, highs = np.full(count, half // 4, np.int64), np.full(count, half // 2, np.int64)
    best = np.full(count, -np.inf)
    least = WEAK * s.totals
    for bands in LEVELS:
        width = half // bands
        placed = np.empty((count, bands - 1, int(scipy.fft.next_fast_len(width))), np.complex64)
        _place_all(s.bins, width, placed)
        analytic = scipy.fft.ifft(placed, axis=2, norm="forward", overwrite_x=True)
        _best(analytic.view(np.float32), width, least, best, lows, highs)
    return lows, highs


@njit(cache=True, nogil=True)
def _envelopes(
    analytic: npt.NDArray[np.float32],
    window: npt.NDArray[np.float32],
    sums: tuple[float, float],
    units: npt.NDArray[np.float64],
    relative: npt.NDArray[np.float32],
    out: npt.NDArray[np.float64],
) -> None:
    """Write kurtosis, mean and depth; leave window * (envelope / mean - 1) in `relative`."""
    squares = np.empty(relative.shape[1], np.float32)
    for b in range(relative.shape[0]):
        parts, row = analytic[b], relative[b]
        second, fourth = _moments(parts, squares)
        for i in range(row.size):
            row[i] = np.sqrt(squares[i])
        mean = sum_of(row) / sums[0]
        scale = np.float32(1.0 / mean if mean > 0.0 else 0.0)
        for i in range(row.size):
            row[i] = row[i] * scale - window[i]
        out[b, 0] = row.size * fourth / (second * second) / HANN_FOURTH - 2.0 if second > 0.0 else 0.0
        out[b, 1] = mean * units[b]
        out[b, 2] = math.sqrt(squares_of(row) / sums[1]) if mean > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _lobe(power: npt.NDArray[np.float32], at: int) -> float:
    total = 0.0
    for k in range(max(0, at - HALF_LOBE), min(power.size - 1, at + HALF_LOBE) + 1):
        total += power[k]
    return total


@njit(cache=True, nogil=True)
def _lines(parts: npt.NDArray[np.float32], width: int, out: npt.NDArray[np.float64]) -> None:
    """Write place of the largest line of the envelope's spectrum, its height, and the share of its family."""
    count = width - FIRST_LINE
    power, logs = np.empty(count, np.float32), np.empty(count, np.float32)
    for b in range(parts.shape[0]):
        for k in range(count):
            re, im = parts[b, 2 * (k + FIRST_LINE)], parts[b, 2 * (k + FIRST_LINE) + 1]
            power[k] = re * re + im * im
        best, total = 0, sum_of(power)
        for k in range(count):
            if power[k] > power[best]:
                best = k
        floor = np.float32(FLOOR * total / count + 1e-30)
        family = 0.0
        for j in range(1, MULTIPLES + 1):
            at = j * (best + FIRST_LINE) - FIRST_LINE
            if at < count:
                family += _lobe(power, at)
        out[b, 3] = best + FIRST_LINE
        out[b, 5] = min(1.0, family / total) if total > 0.0 else 0.0
        largest = power[best] + floor
        for k in range(count):
            power[k] += floor
        log_into(power, logs)
        out[b, 4] = math.sqrt(largest) / math.exp(0.5 * sum_of(logs) / count)


def demodulated_rows(
    s: Spectrum,
    lows: npt.NDArray[np.int64],
    highs: npt.NDArray[np.int64],
    exponents: npt.NDArray[np.int32],
    out: npt.NDArray[np.float64],
) -> None:
    """Write what the envelope of a band of each row says.

    With h the window, e the envelope of the windowed row, m = sum e / sum h: the mean is m, the depth
    sqrt(sum (e / m - h)**2 / sum h**2), the lines those of the spectrum of e / m - h from line 3 to the width of the
    band; the height is the largest amplitude over the geometric mean of all.

    Parameters
    ----------
    s : Spectrum
    lows, highs : int64 [rows]
        First bin of the band, and one past the last; at least 16 bins apart.
    exponents : int32 [rows]
    out : float64 [rows, 6]
        Spectral kurtosis of the band, mean (SI), depth, largest line in bins of the window, its height, share.
    """
    widths = highs - lows
    units = np.ldexp(2.0 / s.n, exponents)
    for width in sorted(set(widths.tolist())):
        rows = np.flatnonzero(widths == width)
        p = plan(width)
        placed = np.empty((len(rows), p.length), np.complex64)
        _place(s.bins, rows, lows, width, placed)
        analytic = scipy.fft.ifft(placed, axis=1, norm="forward", overwrite_x=True)
        relative, found = np.empty(placed.shape, np.float32), np.empty((len(rows), 6))
        _envelopes(analytic.view(np.float32), p.window, (p.total, p.squares), units[rows], relative, found)
        _lines(scipy.fft.rfft(relative, axis=1, overwrite_x=True).view(np.float32), width, found)
        out[rows] = found
