"""Envelopes of frequency bands: how loud a band is, how much it is modulated, and by how clear a rhythm.

An inverse transform of a slice of a one-sided spectrum is the analytic signal of that band, shifted to zero frequency
and decimated; its magnitude is the envelope (Hilbert demodulation). A bearing that strikes its race modulates the
resonances it excites, so its rhythm is a line in the spectrum of the envelope long before it is one in the spectrum.
The spectrum is that of the Hann-windowed row, so the envelope comes out multiplied by the window; the window
then serves as the weight of all means below instead of being divided out.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

BANDS = ((0.02, 0.06), (0.06, 0.12), (0.12, 0.20), (0.20, 0.30), (0.30, 0.40), (0.40, 0.49))
"""Band limits as shares of the sampling rate."""

LEVEL_FLOOR = 1e-6
"""Share of the row's rms that is added to an envelope's mean (-120 dB, as in the band powers)."""
ABSOLUTE_FLOOR = 1e-15
DEPTH_FLOOR = 1e-6
"""Modulation below a thousandth is not told from rounding."""
LINE_FLOOR = 1e-9
FIRST_LINE = 2
"""Lines 0 and 1 hold what the window smears of the mean."""
MEDIAN_BITS = 10
"""The median is exact to 2**-13 of its value."""
LANES = 8
CHUNK_ROWS = 8
"""Rows per pass: six envelopes of eight rows fill half of a second-level cache."""


class EnvelopePlan(NamedTuple):
    """What depends on the number of samples only."""

    slices: npt.NDArray[np.int64]
    """First bin and one past the last of each band [bands, 2]."""
    length: int
    """Points of an envelope: a fast length of at least n/8, so that no band is undersampled."""
    window: npt.NDArray[np.float32]
    """The Hann window at the points of the envelope [length]."""
    sum_window: float
    sum_square: float


@lru_cache(maxsize=64)
def plan(n: int) -> EnvelopePlan:
    """Slices and window for rows of `n` samples (n >= 16)."""
    low = [max(1, int(a * n)) for a, _ in BANDS]
    slices = np.array([(a, max(a + 1, int(b * n))) for a, (_, b) in zip(low, BANDS, strict=True)], np.int64)
    length = max(8, int(scipy.fft.next_fast_len(-(-n // 8))))
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    return EnvelopePlan(slices, length, window.astype(np.float32), float(window.sum()), float(np.sum(window * window)))


@njit(cache=True, nogil=True)
def _place(spectra: npt.NDArray[np.complex64], slices: npt.NDArray[np.int64], out: npt.NDArray[np.complex64]) -> None:
    """Copy the slice of each band to the start of its row; the rest is zero."""
    for b in range(spectra.shape[0]):
        for band in range(slices.shape[0]):
            low = slices[band, 0]
            width = slices[band, 1] - low
            for i in range(width):
                out[b, band, i] = spectra[b, low + i]
            for i in range(width, out.shape[2]):
                out[b, band, i] = 0.0


@njit(cache=True, nogil=True)
def _lane_sum(row: npt.NDArray[np.float32], lanes: npt.NDArray[np.float32], squares: bool) -> float:
    """Sum of a row, or of its squares, in fixed lanes."""
    full = row.size - row.size % LANES
    for lane in range(LANES):
        lanes[lane] = np.float32(0.0)
    if squares:
        for i in range(0, full, LANES):
            for lane in range(LANES):
                lanes[lane] += row[i + lane] * row[i + lane]
        for i in range(full, row.size):
            lanes[i - full] += row[i] * row[i]
    else:
        for i in range(0, full, LANES):
            for lane in range(LANES):
                lanes[lane] += row[i + lane]
        for i in range(full, row.size):
            lanes[i - full] += row[i]
    total = 0.0
    for lane in range(LANES):
        total += lanes[lane]
    return total


@njit(cache=True, nogil=True)
def _depth_rows(
    analytic: npt.NDArray[np.float32],
    window: npt.NDArray[np.float32],
    sums: tuple[float, float],
    units: npt.NDArray[np.float64],
    rms: npt.NDArray[np.float32],
    relative: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Write log mean and log modulation depth; leave window * (envelope / mean - 1) in `relative`."""
    lanes = np.empty(LANES, np.float32)
    for b in range(relative.shape[0]):
        for band in range(relative.shape[1]):
            envelope = relative[b, band]
            pairs = analytic[b, band]
            for i in range(envelope.size):
                envelope[i] = np.sqrt(pairs[2 * i] * pairs[2 * i] + pairs[2 * i + 1] * pairs[2 * i + 1])
            mean = _lane_sum(envelope, lanes, False) / sums[0]
            level = mean * units[b]
            out[b, 3 * band] = np.float32(math.log(level + LEVEL_FLOOR * rms[b] + ABSOLUTE_FLOOR))
            scale = np.float32(1.0 / mean if mean > 0.0 else 0.0)
            for i in range(envelope.size):
                envelope[i] = envelope[i] * scale - window[i] if mean > 0.0 else np.float32(0.0)
            depth = _lane_sum(envelope, lanes, True) / sums[1]
            out[b, 3 * band + 1] = np.float32(math.log(depth + DEPTH_FLOOR))


@njit(cache=True, nogil=True)
def _median_bits(bits: npt.NDArray[np.int32], low: int, high: int) -> int:
    """Upper median of positive float32 by their bit patterns, which have the same order; to `MEDIAN_BITS` low bits.

    Halving the interval and counting reads the values some 17 times, but without a branch that depends on them:
    a quickselect took five times as long, all of it in mispredicted branches.
    """
    wanted = bits.size // 2
    while high - low > 1 << MEDIAN_BITS:
        middle = low + (high - low) // 2
        pivot = np.int32(middle)
        count = np.int32(0)
        for i in range(bits.size):
            count += np.int32(bits[i] <= pivot)
        if count > wanted:
            high = middle
        else:
            low = middle
    return high


@njit(cache=True, nogil=True)
def _line_rows(spectra: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> None:
    """Write how far the largest line of the envelope's spectrum stands out: ln(max / median) of the magnitudes."""
    count = spectra.shape[2] // 2 - 1 - FIRST_LINE
    power = np.empty(count, np.float32)
    bits = power.view(np.int32)
    median = np.empty(1, np.float32)
    floor = LINE_FLOOR * spectra.shape[2] / 2
    for b in range(spectra.shape[0]):
        for band in range(spectra.shape[1]):
            row = spectra[b, band]
            for i in range(count):
                re, im = row[2 * (i + FIRST_LINE)], row[2 * (i + FIRST_LINE) + 1]
                power[i] = re * re + im * im
            low = high = bits[0]
            for i in range(1, count):
                low, high = min(low, bits[i]), max(high, bits[i])
            median.view(np.int32)[0] = _median_bits(bits, low, high)
            largest = power.max()
            out[b, 3 * band + 2] = np.float32(0.5 * math.log((largest + floor) / (median[0] + floor)))


def envelope_rows(
    spectra: npt.NDArray[np.complex64],
    n: int,
    exponents: npt.NDArray[np.int32],
    rms: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Write log mean, log modulation depth and log line prominence of each band's envelope.

    With h the window, e the envelope of the windowed row, m = sum e / sum h: the level is ln m (SI), the depth is
    ln(sum (e/m - h)**2 / sum h**2), the squared coefficient of variation (4/pi - 1 for Gaussian noise), and the
    prominence is ln(max / median) of the magnitudes of the spectrum of e/m - h, from bin 2 to the sampling
    rate / 16.

    Parameters
    ----------
    spectra : complex64 [rows, n // 2 + 1]
        One-sided spectra of Hann-windowed rows scaled by 2**-exponent.
    n : int
        Samples of a row.
    exponents : int32 [rows]
    rms : float32 [rows]
        In SI.
    out : float32 [rows, 3 * bands]
        Filled: level, depth, prominence of each band in turn.
    """
    p = plan(n)
    count = min(CHUNK_ROWS, spectra.shape[0])
    analytic = np.empty((count, len(BANDS), p.length), np.complex64)
    relative = np.empty((count, len(BANDS), p.length), np.float32)
    units = np.ldexp(2.0 / n, exponents)
    for first in range(0, spectra.shape[0], CHUNK_ROWS):
        part = slice(first, first + CHUNK_ROWS)
        rows = len(spectra[part])
        _place(spectra[part], p.slices, analytic[:rows])
        signals = scipy.fft.ifft(analytic[:rows], axis=2, norm="forward").view(np.float32)
        _depth_rows(signals, p.window, (p.sum_window, p.sum_square), units[part], rms[part], relative[:rows], out[part])
        _line_rows(scipy.fft.rfft(relative[:rows], axis=2).view(np.float32), out[part])
