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

from foreshock.features.waves.sums import sum_of

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
LEAST_EXPONENT = -120
"""Deviations below 2**-120 are not scaled up any further: the factor would overflow."""
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
def _extremes(row: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Smallest and largest sample; what is no number is in no comparison."""
    a = b = c = d = row[0]
    e = f = g = h = row[0]
    full = row.size - row.size % 4
    for i in range(0, full, 4):
        a, e = min(a, row[i]), max(e, row[i])
        b, f = min(b, row[i + 1]), max(f, row[i + 1])
        c, g = min(c, row[i + 2]), max(g, row[i + 2])
        d, h = min(d, row[i + 3]), max(h, row[i + 3])
    for i in range(full, row.size):
        a, e = min(a, row[i]), max(e, row[i])
    return float(min(a, b, c, d)), float(max(e, f, g, h))


@njit(cache=True, nogil=True)
def _add(
    piece: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    scale: np.float32,
    shift: np.float32,
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
            d = piece[i + lane] * scale - shift
            out[i + lane] = d
            square = d * d
            size = abs(d)
            second[lane] += square
            third[lane] += square * d
            fourth[lane] += square * square
            first[lane] += size
            root[lane] += np.sqrt(size)
    for i in range(full, piece.size):
        d = piece[i] * scale - shift
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
    return float(second)


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
    for b in range(x.shape[0]):
        low, high = _extremes(x[b])
        total = sum_of(x[b])
        mean = total / n if high > low else low
        finite[b] = math.isfinite(total)
        if not finite[b]:
            centred[b, :] = np.float32(0.0)
            out[b, : len(NAMES)] = 0.0
            exponents[b], mean_square[b] = 0, 0.0
            continue
        exponent = max(LEAST_EXPONENT, math.frexp(max(high - mean, mean - low))[1]) if high > low else 0
        scale = np.float32(math.ldexp(1.0, -exponent))
        shift = np.float32(math.ldexp(mean, -exponent)) if high > low else x[b, 0]
        totals[:] = 0.0
        for start in range(0, n, PIECE):
            _add(x[b, start : start + PIECE], centred[b, start : start + PIECE], scale, shift, lanes, totals)
        out[b, 0] = mean
        unit = math.ldexp(1.0, exponent)
        mean_square[b] = _write(out[b], totals, n, max(high - mean, mean - low) / unit, (high - low) / unit, unit)
        exponents[b] = exponent


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
