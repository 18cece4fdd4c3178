"""Time statistics of waveform blocks, and the window for the spectrum in the same passes over the samples.

Each row is summed in `LANES` partial sums that are added up in a fixed order at the end. So the compiler may use vector
instructions without reordering anything, and the result of a row depends on nothing but the row.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

LANES = 16
"""Partial sums per row. It is part of the definition of the features: another number rounds differently."""

LARGEST = float(np.finfo(np.float32).max)

NAMES = ("rms", "peak", "crest", "kurtosis", "skewness")
"""Columns that `window_rows` writes, in this order."""


@njit(cache=True, nogil=True)
def _scale_exponent(row: npt.NDArray[np.float32], lanes: npt.NDArray[np.float32]) -> int:
    """Give e so that all samples times 2**-e are within +-1; such a scaling is exact."""
    full = row.size - row.size % LANES
    for lane in range(LANES):
        lanes[lane] = np.float32(0.0)
    for i in range(0, full, LANES):
        for lane in range(LANES):
            lanes[lane] = max(lanes[lane], abs(row[i + lane]))
    for i in range(full, row.size):
        lanes[i - full] = max(lanes[i - full], abs(row[i]))
    top = np.float32(0.0)
    for lane in range(LANES):
        top = max(top, lanes[lane])
    return max(-120, min(128, math.frexp(top)[1]))


@njit(cache=True, nogil=True)
def _mean(row: npt.NDArray[np.float32], lanes: npt.NDArray[np.float32]) -> np.float32:
    """Mean of a row, summed as differences from its first sample so that a large offset costs no digits."""
    first = row[0]
    full = row.size - row.size % LANES
    for lane in range(LANES):
        lanes[lane] = np.float32(0.0)
    for i in range(0, full, LANES):
        for lane in range(LANES):
            lanes[lane] += row[i + lane] - first
    for i in range(full, row.size):
        lanes[i - full] += row[i] - first
    total = 0.0
    for lane in range(LANES):
        total += lanes[lane]
    return np.float32(first + total / row.size)


@njit(cache=True, nogil=True)
def _central_sums(
    row: npt.NDArray[np.float32],
    mean: np.float32,
    window: npt.NDArray[np.float32],
    lanes: npt.NDArray[np.float32],
) -> None:
    """Sum the powers 2, 3, 4 of the deviations (lanes 0..2) with their largest (3); leave deviation x window behind."""
    second, third, fourth, peak = lanes[0], lanes[1], lanes[2], lanes[3]
    full = row.size - row.size % LANES
    for lane in range(LANES):
        second[lane] = third[lane] = fourth[lane] = peak[lane] = np.float32(0.0)
    for i in range(0, full, LANES):
        for lane in range(LANES):
            deviation = row[i + lane] - mean
            square = deviation * deviation
            second[lane] += square
            third[lane] += square * deviation
            fourth[lane] += square * square
            peak[lane] = max(peak[lane], abs(deviation))
            row[i + lane] = deviation * window[i + lane]
    for i in range(full, row.size):
        deviation = row[i] - mean
        square = deviation * deviation
        second[i - full] += square
        third[i - full] += square * deviation
        fourth[i - full] += square * square
        peak[i - full] = max(peak[i - full], abs(deviation))
        row[i] = deviation * window[i]


@njit(cache=True, nogil=True)
def window_rows(
    rows: npt.NDArray[np.float32],
    window: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    exponents: npt.NDArray[np.int32],
) -> None:
    """Write the time statistics of each row, and turn the row into what the Fourier transform needs, in place.

    With d the deviation from the mean of the n samples and m_k the mean of d**k: rms = sqrt(m_2), peak = max abs d,
    crest = peak / rms, kurtosis = m_4 / m_2**2 (3 for Gaussian noise), skewness = m_3 / m_2**1.5. A row without any
    variation has five zeros.

    Parameters
    ----------
    rows : float32 [rows, n]
        Samples in SI; afterwards (sample - mean) * window * 2**-exponent.
    window : float32 [n]
    out : float32 [rows, >= 5]
        Columns 0..4 are filled: `NAMES`, the first two in the unit of the samples.
    exponents : int32 [rows]
        Filled: the row was divided by this power of two, so that neither a fourth power nor a spectrum over- or
        underflows whatever the unit.
    """
    n = rows.shape[1]
    lanes = np.empty((4, LANES), np.float32)
    for b in range(rows.shape[0]):
        row = rows[b]
        exponent = _scale_exponent(row, lanes[0])
        scale = np.float32(math.ldexp(1.0, -exponent))
        for i in range(n):
            row[i] *= scale
        exponents[b] = exponent
        _central_sums(row, _mean(row, lanes[0]), window, lanes)
        second = third = fourth = peak = 0.0
        for lane in range(LANES):
            second += lanes[0, lane]
            third += lanes[1, lane]
            fourth += lanes[2, lane]
            peak = max(peak, lanes[3, lane])
        _write(out[b], second / n, third / n, fourth / n, peak, math.ldexp(1.0, exponent))


@njit(cache=True, nogil=True)
def _write(out: npt.NDArray[np.float32], second: float, third: float, fourth: float, peak: float, unit: float) -> None:
    """Turn central moments of the scaled row into the five statistics."""
    rms = math.sqrt(second)
    varies = rms > 0.0
    out[0] = np.float32(min(rms * unit, LARGEST))
    out[1] = np.float32(min(peak * unit, LARGEST))
    out[2] = np.float32(peak / rms if varies else 0.0)
    out[3] = np.float32(fourth / (second * second) if varies else 0.0)
    out[4] = np.float32(third / (second * rms) if varies else 0.0)
