"""Families of equally spaced lines: the cepstrum.

Sidebands and harmonics make a ripple on the logarithm of a spectrum; a transform of that logarithm turns the ripple
into one peak, at the time that belongs to the spacing. The one-sided spectrum is transformed, and the magnitude taken,
so a family counts by its spacing whether or not it begins at zero (sidebands do not).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit

from foreshock.features.waves.fine import Spectrum
from foreshock.features.waves.logarithm import log_into
from foreshock.features.waves.sums import sum_of

FIRST = 16
"""Lowest quefrency looked at, in steps of two samples: below it is the smooth form of the spectrum."""
LEAST = 4 * FIRST
"""Rows with fewer bins have no cepstrum to look at."""
BINS_APART = 4
"""Lines nearer than this cannot be told apart: it bounds the quefrency."""
FLOOR = 1e-12
"""Added to the power of each bin, as a share of the mean of all."""


@lru_cache(maxsize=16)
def _taper(bins: int) -> tuple[npt.NDArray[np.float32], float]:
    """Hann taper over the log spectrum, so that its slope does not leak into all quefrencies; and its sum."""
    taper = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(bins) / bins)
    return taper.astype(np.float32), float(np.sum(taper))


@njit(cache=True, nogil=True)
def _logarithms(
    power: npt.NDArray[np.float32],
    totals: npt.NDArray[np.float64],
    taper: npt.NDArray[np.float32],
    logs: npt.NDArray[np.float32],
) -> None:
    """Write (ln power - its mean) * taper of each row."""
    count = taper.size
    raised = np.empty(count, np.float32)
    for b in range(power.shape[0]):
        floor = np.float32(max(FLOOR * totals[b] / count, 1e-30))
        for i in range(count):
            raised[i] = power[b, i] + floor
        row = logs[b]
        log_into(raised, row)
        mean = np.float32(sum_of(row) / count)
        for i in range(count):
            row[i] = (row[i] - mean) * taper[i]


@njit(cache=True, nogil=True)
def _peaks(parts: npt.NDArray[np.float32], last: int, scale: float, out: npt.NDArray[np.float64]) -> None:
    """Write place and height of the highest peak of each row, between the samples by a parabola."""
    squares = np.empty(last + 2, np.float32)
    for b in range(parts.shape[0]):
        row = parts[b]
        for q in range(FIRST - 1, last + 2):
            squares[q] = row[2 * q] * row[2 * q] + row[2 * q + 1] * row[2 * q + 1]
        best = FIRST
        for q in range(FIRST, last + 1):
            if squares[q] > squares[best]:
                best = q
        left, middle, right = math.sqrt(squares[best - 1]), math.sqrt(squares[best]), math.sqrt(squares[best + 1])
        bend = left - 2.0 * middle + right
        shift = max(-0.5, min(0.5, 0.5 * (left - right) / bend)) if bend < 0.0 else 0.0
        out[b, 0] = 2.0 * (best + shift)
        out[b, 1] = scale * (middle - 0.25 * (left - right) * shift)


def cepstrum_rows(s: Spectrum, out: npt.NDArray[np.float64]) -> None:
    """Write quefrency and height of the highest peak of the cepstrum of each row.

    With L the logarithm of the magnitude over the first M bins, less its mean, and w a Hann taper:
    c(q) = abs(sum w_k 2 L_k exp(-2 pi i k q / M)) / sum w. An echo of relative amplitude a after an even number of
    samples has the height a.

    Parameters
    ----------
    s : Spectrum
        Of rows of more than 2 * `LEAST` samples.
    out : float64 [rows, 2]
        Quefrency in samples, height.
    """
    count = s.power.shape[1] - 1
    taper, total = _taper(count)
    logs = np.empty((len(s.power), count), np.float32)
    _logarithms(s.power, s.totals, taper, logs)
    spectra = scipy.fft.rfft(logs, axis=1, overwrite_x=True).view(np.float32)
    _peaks(spectra, count // BINS_APART, 1.0 / total, out)
