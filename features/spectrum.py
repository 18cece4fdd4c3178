"""Band powers and centroid of a one-sided spectrum that the caller has already made.

The spectrum of a row is made once (`scipy.fft.rfft` in float32 of the Hann-windowed, mean-removed row) and serves the
bands, the centroid and the envelopes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

BANDS = 12
FIRST_BIN = 2
"""Bins 0 and 1 hold what the window smears of the mean."""

LANES = 8
RELATIVE_FLOOR = 1e-12
"""Floor of a band's power density, as a share of the row's mean square.

-120 dB: below what a 24-bit converter resolves, above the rounding of a float32 transform (about -140 dB). A band with
nothing in it then has a steady value instead of the logarithm of rounding noise.
"""

ABSOLUTE_FLOOR = 1e-30
"""Floor in (SI unit)**2, for a row without any variation: its bands are ln(1e-30) = -69."""


class SpectrumPlan(NamedTuple):
    """What depends on the number of samples only."""

    window: npt.NDArray[np.float32]
    """Hann window, periodic [n]."""
    edges: npt.NDArray[np.int64]
    """First bin of each band, and one past its last [BANDS, 2]."""
    frequencies: npt.NDArray[np.float32]
    """Frequency of each bin in cycles per sample, twice each: beside the real and beside the imaginary part."""
    density: float
    """Factor from the squared magnitude of a bin to power density per cycle per sample."""


@lru_cache(maxsize=64)
def plan(n: int) -> SpectrumPlan:
    """Window, band edges and scales for rows of `n` samples.

    Bands are equally wide on a logarithmic axis from bin 2 to the Nyquist bin. In rows of fewer than about 150 samples
    neighbours would be narrower than a bin: each band keeps at least one bin and may share it with the next.
    """
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)
    last = n // 2 + 1
    edge = np.round(np.geomspace(FIRST_BIN, last, BANDS + 1)).astype(np.int64)
    low = np.minimum(edge[:-1], last - 1)
    edges = np.stack([low, np.maximum(edge[1:], low + 1)], axis=1)
    frequencies = np.repeat(np.arange(last) / n, 2).astype(np.float32)
    density = 2.0 / float(np.sum(window * window))
    return SpectrumPlan(window.astype(np.float32), np.ascontiguousarray(edges), frequencies, density)


@njit(cache=True, nogil=True)
def _power(
    flat: npt.NDArray[np.float32],
    frequencies: npt.NDArray[np.float32],
    lanes: npt.NDArray[np.float32],
) -> tuple[float, float]:
    """Sum of squares, and of squares times frequency, of interleaved real and imaginary parts."""
    power, moment = lanes[0], lanes[1]
    full = flat.size - flat.size % LANES
    for lane in range(LANES):
        power[lane] = moment[lane] = np.float32(0.0)
    for i in range(0, full, LANES):
        for lane in range(LANES):
            square = flat[i + lane] * flat[i + lane]
            power[lane] += square
            moment[lane] += square * frequencies[i + lane]
    for i in range(full, flat.size):
        square = flat[i] * flat[i]
        power[i - full] += square
        moment[i - full] += square * frequencies[i]
    total = weighted = 0.0
    for lane in range(LANES):
        total += power[lane]
        weighted += moment[lane]
    return total, weighted


@njit(cache=True, nogil=True)
def band_rows(
    spectra: npt.NDArray[np.float32],
    edges: npt.NDArray[np.int64],
    frequencies: npt.NDArray[np.float32],
    density: float,
    exponents: npt.NDArray[np.int32],
    mean_square: npt.NDArray[np.float64],
    bands: npt.NDArray[np.float32],
    centroid: npt.NDArray[np.float32],
) -> None:
    """Write the log mean power density of each band, and the spectral centroid, of each row.

    A band of K bins has ln(density / K * sum |X_k|**2 + floor): the mean one-sided power density in (SI unit)**2 per
    cycle per sample, so that white noise gives the same value in every band and for every n, and the integral over
    0..0.5 is the mean square. The centroid is sum f_k |X_k|**2 / sum |X_k|**2 over the bands' bins.

    Parameters
    ----------
    spectra : float32 [rows, 2 (n // 2 + 1)]
        One-sided spectra of rows scaled by 2**-exponent, real and imaginary parts interleaved.
    edges, frequencies, density
        From `plan`.
    exponents : int32 [rows]
    mean_square : float64 [rows]
        Of the rows, in SI**2.
    bands : float32 [rows, BANDS], out
    centroid : float32 [rows], out
        Cycles per sample; 0 for a row without variation.
    """
    lanes = np.empty((2, LANES), np.float32)
    for b in range(spectra.shape[0]):
        scale = density * math.ldexp(1.0, 2 * exponents[b])
        floor = RELATIVE_FLOOR * mean_square[b] + ABSOLUTE_FLOOR
        total = weighted = 0.0
        for band in range(edges.shape[0]):
            low, high = 2 * edges[band, 0], 2 * edges[band, 1]
            power, moment = _power(spectra[b, low:high], frequencies[low:high], lanes)
            total += power
            weighted += moment
            bands[b, band] = np.float32(math.log(scale * power / (edges[band, 1] - edges[band, 0]) + floor))
        centroid[b] = np.float32(weighted / total if total > 0.0 else 0.0)
