"""The averaged spectrum of overlapping segments of a window, and what its form says.

A window is cut into segments that overlap by half, across whatever blocks it was joined from. Each is Hann-windowed and
transformed, and the power of each bin is averaged: less resolution than one spectrum of all, and a seventh or less of
its variance. Figures of the form of a spectrum need the second.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from foreshock.features import spectrum
from foreshock.features.waves.logarithm import log_into
from foreshock.features.waves.sums import sum_of

SEGMENT = 1024
"""Longest segment; a shorter window has shorter ones."""
SEGMENTS = 7
"""So many segments a window has at least, if it has 64 samples."""
SHORTEST = 16
BANDS = spectrum.BANDS
FIRST_BIN = spectrum.FIRST_BIN
LANES = 8
CHUNK_SEGMENTS = 56
"""Segments per pass: samples and spectra of a chunk stay in the second-level cache."""
FLOOR = spectrum.RELATIVE_FLOOR
"""Added to the density of each bin, as a share of the mean square."""

FORM = ("centroid", "spread", "spectral_skewness", "spectral_kurtosis", "entropy", "flatness")
"""Columns after the bands, in this order; the first two in cycles per sample."""


class WelchPlan(NamedTuple):
    """What depends on the number of samples only."""

    length: int
    """Samples of a segment: a power of two."""
    segments: int
    """Segments; each begins half a length after the one before."""
    window: npt.NDArray[np.float32]
    edges: npt.NDArray[np.int64]
    """Of the logarithmic bands [BANDS, 2]."""
    density: float
    """Factor from a squared magnitude to power density per cycle per sample."""


@lru_cache(maxsize=256)
def plan(n: int) -> WelchPlan:
    """Segments, window and edges for rows of `n` samples (n >= 16).

    The length is the largest power of two up to `SEGMENT` that leaves `SEGMENTS` segments, or 16. Samples after the last
    whole segment are in no segment: less than half of one.
    """
    length = SHORTEST
    while length < SEGMENT and length * (SEGMENTS + 1) <= n:
        length *= 2
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(length) / length)
    return WelchPlan(
        length,
        (n - length) // (length // 2) + 1,
        window.astype(np.float32),
        spectrum.plan(length).edges,
        2.0 / float(np.sum(window * window)),
    )


@njit(cache=True, nogil=True)
def _cut(
    rows: npt.NDArray[np.float32],
    window: npt.NDArray[np.float32],
    count: int,
    first: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Write segments first, first + 1, ... of all rows' segments, windowed."""
    length = window.size
    for k in range(out.shape[0]):
        row, start = rows[(first + k) // count], (first + k) % count * (length // 2)
        samples, target = row[start : start + length], out[k]
        for i in range(length):
            target[i] = samples[i] * window[i]


@njit(cache=True, nogil=True)
def _add(spectra: npt.NDArray[np.float32], count: int, first: int, power: npt.NDArray[np.float32]) -> None:
    """Add the squared magnitudes of segments to those of their rows."""
    for k in range(spectra.shape[0]):
        parts, row = spectra[k], power[(first + k) // count]
        for i in range(row.size):
            row[i] += parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1]


def power_rows(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average the one-sided power of the segments of each row.

    Parameters
    ----------
    rows : float32 [rows, n]
        Centred samples, n >= 16.

    Returns
    -------
    float32 [rows, length // 2 + 1]
        Sum over the segments of the squared magnitude of each bin.
    """
    p = plan(rows.shape[1])
    power = np.zeros((len(rows), p.length // 2 + 1), np.float32)
    total = len(rows) * p.segments
    segments = np.empty((min(CHUNK_SEGMENTS, total), p.length), np.float32)
    for first in range(0, total, CHUNK_SEGMENTS):
        part = segments[: min(CHUNK_SEGMENTS, total - first)]
        _cut(rows, p.window, p.segments, first, part)
        _add(scipy.fft.rfft(part, axis=1).view(np.float32), p.segments, first, power)
    return power


@njit(cache=True, nogil=True)
def _moments(density: npt.NDArray[np.float32], step: float, out: npt.NDArray[np.float64]) -> float:
    """Write centroid, spread, skewness and kurtosis of a density; give its sum over the bins.

    Moments are taken about the middle bin in float64 and moved to the centroid: they are of order one there.
    """
    middle = 0.5 * density.size
    s0 = s1 = s2 = s3 = s4 = 0.0
    for i in range(density.size):
        f = (i - middle) / density.size
        p = np.float64(density[i])
        s0 += p
        p *= f
        s1 += p
        p *= f
        s2 += p
        p *= f
        s3 += p
        p *= f
        s4 += p
    m1, m2, m3, m4 = s1 / s0, s2 / s0, s3 / s0, s4 / s0
    v2 = max(m2 - m1 * m1, 1e-14)
    v3 = m3 - 3.0 * m1 * m2 + 2.0 * m1 * m1 * m1
    v4 = m4 - 4.0 * m1 * m3 + 6.0 * m1 * m1 * m2 - 3.0 * m1 * m1 * m1 * m1
    out[0] = step * (FIRST_BIN + middle + density.size * m1)
    out[1] = step * density.size * math.sqrt(v2)
    out[2] = v3 / (v2 * math.sqrt(v2))
    out[3] = v4 / (v2 * v2)
    return s0


@njit(cache=True, nogil=True)
def _levels(
    density: npt.NDArray[np.float32],
    logs: npt.NDArray[np.float32],
    total: float,
    out: npt.NDArray[np.float64],
) -> None:
    """Write entropy and flatness of a density whose logarithms and sum are known; the logarithms are used up."""
    count = density.size
    mean = sum_of(logs) / count
    for i in range(count):
        logs[i] *= density[i]
    out[0] = (math.log(total) - sum_of(logs) / total) / math.log(count)
    out[1] = math.exp(mean) / (total / count)


@njit(cache=True, nogil=True)
def _form(
    power: npt.NDArray[np.float32],
    edges: npt.NDArray[np.int64],
    factor: float,
    exponents: npt.NDArray[np.int32],
    mean_square: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    count = power.shape[1] - FIRST_BIN
    density, logs = np.empty(count, np.float32), np.empty(count, np.float32)
    step = 0.5 / (power.shape[1] - 1)
    for b in range(power.shape[0]):
        if mean_square[b] == 0.0:
            out[b] = 0.0
            continue
        scale, floor = np.float32(factor / mean_square[b]), np.float32(FLOOR)
        for i in range(count):
            density[i] = power[b, i + FIRST_BIN] * scale + floor
        level = mean_square[b] * math.ldexp(1.0, 2 * exponents[b])
        for band in range(BANDS):
            summed = sum_of(density[edges[band, 0] - FIRST_BIN : edges[band, 1] - FIRST_BIN])
            out[b, band] = math.log(level * summed / (edges[band, 1] - edges[band, 0]) + spectrum.ABSOLUTE_FLOOR)
        log_into(density, logs)
        total = _moments(density, step, out[b, BANDS : BANDS + 4])
        _levels(density, logs, total, out[b, BANDS + 4 : BANDS + 6])


def form_rows(
    power: npt.NDArray[np.float32],
    n: int,
    exponents: npt.NDArray[np.int32],
    mean_square: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """Write band levels and the figures of the form of averaged spectra.

    With S_k the density of bin k (from bin 2 on, so that what the window smears of the mean is left out), and p_k its
    share of the sum over K bins: a band's level is ln of the mean density in it; centroid m = sum f_k p_k, spread
    s = sqrt(sum (f_k - m)**2 p_k), skewness and kurtosis sum ((f_k - m) / s)**{3, 4} p_k, entropy
    -sum p_k ln p_k / ln K, flatness exp(mean ln S_k) / mean S_k.

    Parameters
    ----------
    power : float32 [rows, bins]
        From `power_rows`, of rows of `n` samples.
    n : int
    exponents : int32 [rows]
    mean_square : float64 [rows]
        Of the scaled rows; a row where it is 0 has zeros.
    out : float64 [rows, BANDS + 6]
        Filled: levels in ln of (SI unit)**2 per cycle per sample, then `FORM`.
    """
    p = plan(n)
    _form(power, p.edges, p.density / p.segments, exponents, mean_square, out)
