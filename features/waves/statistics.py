"""Time statistics of rows of any length.

Sums run in float32 lanes over pieces of at most `PIECE` samples and are carried on in float64, so that a window of
2**18 samples loses no more digits than one of 4096. The order of every addition is fixed by the position in the row.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

LANES = 16
PIECE = 4096
"""Samples summed in float32; a multiple of the lanes."""
NAMES = (
    "mean",
    "rms",
    "peak",
    "peak_to_peak",
    "crest",
    "kurtosis",
    "skewness",
    "impulse",
    "shape",
    "clearance",
)
"""Columns that `statistics_rows` writes, in this order; the last six are ratios."""
LEVELS = 4
"""So many of them exist for a constant row too."""


class Centred(NamedTuple):
    """Rows ready for a transform, and what they were divided by."""

    rows: npt.NDArray[np.float32]
    """(sample - mean) * 2**-exponent, within +-1, and above 1/2 in its largest value [rows, n]."""
    exponents: npt.NDArray[np.int32]
    mean_square: npt.NDArray[np.float64]
    """Of the rows as they are here [rows]; 0 for a constant one."""
    finite: npt.NDArray[np.bool_]
    """Whether all samples of a row are numbers; one that has others is all 0 here."""


@njit(cache=True, nogil=True)
def _extremes(row: npt.NDArray[np.float32], lanes: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Smallest and largest sample."""
    low, high = lanes[0], lanes[1]
    full = row.size - row.size % LANES
    for lane in range(LANES):
        low[lane] = high[lane] = row[0]
    for i in range(0, full, LANES):
        for lane in range(LANES):
            low[lane] = min(low[lane], row[i + lane])
            high[lane] = max(high[lane], row[i + lane])
    for i in range(full, row.size):
        low[i - full] = min(low[i - full], row[i])
        high[i - full] = max(high[i - full], row[i])
    smallest, largest = low[0], high[0]
    for lane in range(LANES):
        smallest = min(smallest, low[lane])
        largest = max(largest, high[lane])
    return smallest, largest


@njit(cache=True, nogil=True)
def _mean(row: npt.NDArray[np.float32], lanes: npt.NDArray[np.float32]) -> float:
    """Mean, summed as differences from the first sample so that a large offset costs no digits."""
    first = row[0]
    sums = lanes[0]
    total = 0.0
    for start in range(0, row.size, PIECE):
        piece = row[start : start + PIECE]
        full = piece.size - piece.size % LANES
        for lane in range(LANES):
            sums[lane] = np.float32(0.0)
        for i in range(0, full, LANES):
            for lane in range(LANES):
                sums[lane] += piece[i + lane] - first
        for i in range(full, piece.size):
            sums[i - full] += piece[i] - first
        for lane in range(LANES):
            total += sums[lane]
    return float(first + total / row.size)


@njit(cache=True, nogil=True)
def _add(
    piece: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    mean: np.float32,
    scale: np.float32,
    lanes: npt.NDArray[np.float32],
    totals: npt.NDArray[np.float64],
) -> None:
    """Centre and scale a piece into `out`; add its sums of d**2, d**3, d**4, abs d, sqrt abs d to `totals`."""
    second, third, fourth, first, root = lanes[0], lanes[1], lanes[2], lanes[3], lanes[4]
    full = piece.size - piece.size % LANES
    for lane in range(LANES):
        second[lane] = third[lane] = fourth[lane] = first[lane] = root[lane] = np.float32(0.0)
    for i in range(0, full, LANES):
        for lane in range(LANES):
            d = (piece[i + lane] - mean) * scale
            out[i + lane] = d
            square = d * d
            size = abs(d)
            second[lane] += square
            third[lane] += square * d
            fourth[lane] += square * square
            first[lane] += size
            root[lane] += np.sqrt(size)
    for i in range(full, piece.size):
        d = (piece[i] - mean) * scale
        out[i] = d
        square = d * d
        second[i - full] += square
        third[i - full] += square * d
        fourth[i - full] += square * square
        first[i - full] += abs(d)
        root[i - full] += np.sqrt(abs(d))
    for kind in range(5):
        for lane in range(LANES):
            totals[kind] += lanes[kind, lane]


@njit(cache=True, nogil=True)
def _write(
    out: npt.NDArray[np.float64], totals: npt.NDArray[np.float64], n: int, peak: float, span: float, unit: float
) -> float:
    """Turn the sums of a row into its statistics, all but the mean; give the mean square of the scaled row."""
    second, third, fourth = totals[0] / n, totals[1] / n, totals[2] / n
    size, root = totals[3] / n, totals[4] / n
    rms = math.sqrt(second)
    out[1] = rms * unit
    out[2] = peak * unit
    out[3] = span * unit
    if rms > 0.0:
        out[4] = peak / rms
        out[5] = fourth / (second * second)
        out[6] = third / (second * rms)
        out[7] = peak / size
        out[8] = rms / size
        out[9] = peak / (root * root)
    else:
        out[4:10] = 0.0
    return second


@njit(cache=True, nogil=True)
def _scaled(
    x: npt.NDArray[np.float32], row: npt.NDArray[np.float32], lanes: npt.NDArray[np.float32]
) -> tuple[int, float, float, float]:
    """Write x * 2**-e within +-1; give e, the mean (NaN where a sample is no number), and the smallest and largest."""
    smallest, largest = _extremes(x, lanes)
    if not (math.isfinite(smallest) and math.isfinite(largest)):
        return 0, np.nan, 0.0, 0.0
    exponent = max(-120, min(128, math.frexp(max(abs(smallest), abs(largest)))[1]))
    scale = np.float32(math.ldexp(1.0, -exponent))
    for i in range(row.size):
        row[i] = x[i] * scale
    mean = _mean(row, lanes)  # a NaN is in no comparison, but it is in this sum
    low, high = float(np.float32(smallest * scale)), float(np.float32(largest * scale))
    return exponent, low if low == high and math.isfinite(mean) else mean, low, high


@njit(cache=True, nogil=True)
def _rows(
    x: npt.NDArray[np.float32],
    centred: npt.NDArray[np.float32],
    exponents: npt.NDArray[np.int32],
    mean_square: npt.NDArray[np.float64],
    finite: npt.NDArray[np.bool_],
    out: npt.NDArray[np.float64],
) -> None:
    n = x.shape[1]
    lanes = np.empty((5, LANES), np.float32)
    totals = np.empty(5)
    row = np.empty(n, np.float32)  # not the row of `centred`: in place, the loop of `_add` would not be vectorised
    for b in range(x.shape[0]):
        first, mean, low, high = _scaled(x[b], row, lanes)
        finite[b] = math.isfinite(mean)
        if not finite[b]:
            centred[b, :] = np.float32(0.0)
            out[b, : len(NAMES)] = 0.0
            exponents[b], mean_square[b] = 0, 0.0
            continue
        middle = np.float32(mean)
        low, high = low - middle, high - middle
        second = math.frexp(max(high, -low))[1] if high > low else 0
        scale = np.float32(math.ldexp(1.0, -second))
        totals[:] = 0.0
        for start in range(0, n, PIECE):
            _add(row[start : start + PIECE], centred[b, start : start + PIECE], middle, scale, lanes, totals)
        out[b, 0] = math.ldexp(float(middle), first)
        peak, span = math.ldexp(max(high, -low), -second), math.ldexp(high - low, -second)
        mean_square[b] = _write(out[b], totals, n, peak, span, math.ldexp(1.0, first + second))
        exponents[b] = first + second


def statistics_rows(x: npt.NDArray[np.float32], out: npt.NDArray[np.float64]) -> Centred:
    """Write the time statistics of each row, and give the rows centred and scaled for what follows.

    With d the deviation from the mean of the n samples, m_k the mean of d**k, a the mean of abs d and r the mean of
    sqrt(abs d): rms = sqrt(m_2), peak = max abs d, crest = peak / rms, kurtosis = m_4 / m_2**2, skewness =
    m_3 / m_2**1.5, impulse = peak / a, shape = rms / a, clearance = peak / r**2.

    Parameters
    ----------
    x : float32 [rows, n]
        Samples, n >= 1, C-contiguous.
    out : float64 [rows, >= 10]
        Columns `NAMES` are filled, the first four in the unit of the samples; the ratios of a constant row are 0, and
        so is all of one that is not finite.

    Returns
    -------
    Centred
        New arrays.
    """
    centred = np.empty(x.shape, np.float32)
    exponents, mean_square = np.empty(len(x), np.int32), np.empty(len(x))
    finite = np.empty(len(x), np.bool_)
    _rows(x, centred, exponents, mean_square, finite, out)
    return Centred(centred, exponents, mean_square, finite)
