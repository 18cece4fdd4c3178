"""What is made from the spectrum of the whole window, part by part, as far as there is what it needs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foreshock.features.waves import cepstrum, demodulated, fine, integrated, reasons
from foreshock.features.waves.given import UPPER_HZ, Given, lower_corner_hz


def fine_parts(
    s: fine.Spectrum,
    given: Given,
    missing: npt.NDArray[np.uint8],
    exponents: npt.NDArray[np.int32],
    values: npt.NDArray[np.float64],
) -> None:
    """Write all columns that are made from `s`; those with a code in `missing` hold anything.

    Parameters
    ----------
    s : Spectrum
    given : Given
    missing : uint8 [columns]
        From `reasons.of`.
    exponents : int32 [rows]
    values : float64 [rows, columns]
        Frequencies in bins, quefrency in samples.
    """
    rows = len(exponents)
    if not missing[reasons.DEMODULATED_AT].all():
        _demodulate(s, given, exponents, values[:, reasons.DEMODULATED_AT])
    if not missing[reasons.CEPSTRUM_AT].all():
        found = room(rows, reasons.CEPSTRUM_AT)
        cepstrum.cepstrum_rows(s, found)
        values[:, reasons.CEPSTRUM_AT] = found
    if given.rate_hz is None:
        return
    speed = s.n / given.rate_hz * given.speed_hz if given.speed_hz is not None else 0.0
    if not missing[reasons.ORDER_AT].all():
        found = room(rows, reasons.ORDER_AT)
        fine.order_rows(s, speed, exponents, found)
        values[:, reasons.ORDER_AT] = found
    for number, gear in enumerate(given.gears):
        at = reasons.gear_at(number)
        if not missing[at].all():
            found = room(rows, at)
            fine.gear_rows(s, gear, speed, exponents, found)
            values[:, at] = found
    for number, band in enumerate(given.bands):
        column = reasons.band_at(number, len(given.gears))
        if not missing[column]:
            limits = fine.band_limits(band, s.n, given.rate_hz, given.speed_hz)
            values[:, column] = fine.band_rows(s, limits, exponents)
    if not missing[reasons.INTEGRATED_AT].all():
        _integrate(s, given, given.rate_hz, exponents, values[:, reasons.INTEGRATED_AT])


def room(rows: int, at: slice) -> npt.NDArray[np.float64]:
    """Make room of its own for some columns.

    A slice of columns is contiguous for one row and not for two; kernels would be compiled for either.
    """
    return np.zeros((rows, at.stop - (at.start or 0)))


def _demodulate(s: fine.Spectrum, given: Given, exponents: npt.NDArray[np.int32], out: npt.NDArray[np.float64]) -> None:
    if given.envelope_band is None or given.rate_hz is None:
        lows, highs = demodulated.choose_rows(s)
    else:
        low, high = reasons.envelope_limits(s.n, given.rate_hz, given.envelope_band)
        lows, highs = np.full(len(s.bins), low, np.int64), np.full(len(s.bins), high, np.int64)
    found = room(len(s.bins), slice(6))
    demodulated.demodulated_rows(s, lows, highs, exponents, found)
    out[:, 0], out[:, 1], out[:, 2:] = lows, highs, found


def _integrate(
    s: fine.Spectrum, given: Given, rate_hz: float, exponents: npt.NDArray[np.int32], out: npt.NDArray[np.float64]
) -> None:
    lower = lower_corner_hz(given.rated_speed_hz, given.speed_hz)
    found = room(len(s.bins), slice(3))
    integrated.integrated_rows(s, rate_hz, (lower, UPPER_HZ), integrated.STEPS[given.quantity], exponents, found)
    out[:, :3], out[:, 3] = found, lower
