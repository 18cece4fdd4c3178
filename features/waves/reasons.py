"""Which features a window can have, by its length and by what is given: a mask code for every column.

Whether a row is constant or holds what is not a number is found in its samples, not here.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from foreshock.features.masks import code_of
from foreshock.features.waves import cepstrum, demodulated, fine, integrated
from foreshock.features.waves.declarations import CEPSTRUM, DEMODULATED, GEAR, INTEGRATED, ORDER, SPECTRAL, STATISTICS
from foreshock.features.waves.given import (
    UPPER_HZ,
    Band,
    Gear,
    Given,
    usable,
    velocity_samples,
)
from foreshock.vocabulary import MaskReason

LEAST = 64
"""Samples of the averaged spectrum: seven segments of the shortest kind, and some."""
NARROWEST = 16
"""Bins of a band that is demodulated."""

_STOPS = np.cumsum([len(part) for part in (STATISTICS, SPECTRAL, DEMODULATED, CEPSTRUM, ORDER, GEAR, INTEGRATED)])
_STATISTICS, _SPECTRAL, _DEMODULATED, _CEPSTRUM, _ORDER, _GEAR, _INTEGRATED = map(int, _STOPS)
SPECTRAL_AT = slice(_STATISTICS, _SPECTRAL)
DEMODULATED_AT = slice(_SPECTRAL, _DEMODULATED)
CEPSTRUM_AT = slice(_DEMODULATED, _CEPSTRUM)
ORDER_AT = slice(_CEPSTRUM, _ORDER)
GEAR_AT = slice(_ORDER, _GEAR)
INTEGRATED_AT = slice(_GEAR, _INTEGRATED)
"""Columns of the parts in a row."""


def gear_at(gear: int) -> slice:
    """Columns of the given gear of this number."""
    if gear == 0:
        return GEAR_AT
    first = _INTEGRATED + len(GEAR) * (gear - 1)
    return slice(first, first + len(GEAR))


def band_at(band: int, gears: int) -> int:
    """Column of the given band of this number."""
    return _INTEGRATED + len(GEAR) * max(0, gears - 1) + band


def of(n: int, given: Given, columns: int) -> npt.NDArray[np.uint8]:
    """Give the mask code of each column for rows of `n` samples; 0 where a value can be made.

    Parameters
    ----------
    n : int
    given : Given
        With a usable rate, or none.
    columns : int
        Of `signal.set_of(given)`.
    """
    masks = np.zeros(columns, np.uint8)

    def put(at: slice | int, reason: MaskReason) -> None:
        masks[at] = code_of(reason)

    if n < LEAST:
        put(SPECTRAL_AT, MaskReason.WINDOW_TOO_SHORT)
    put(DEMODULATED_AT, _demodulated(n, given))
    put(CEPSTRUM_AT, MaskReason.NONE if n > 2 * cepstrum.LEAST else MaskReason.WINDOW_TOO_SHORT)
    if given.rate_hz is None:
        first, second = SPECTRAL_AT.stop - 6, DEMODULATED_AT.start
        for hertz in (first, first + 1, second, second + 1, second + 5, CEPSTRUM_AT.start):
            if masks[hertz] == 0:
                put(hertz, MaskReason.NO_RATE)
    for column, reason in enumerate(_orders(n, given), start=ORDER_AT.start):
        put(column, reason)
    for number, gear in enumerate(given.gears or (None,)):
        for column, reason in enumerate(_gear(n, given, gear), start=gear_at(number).start):
            put(column, reason)
    for number, band in enumerate(given.bands):
        put(band_at(number, len(given.gears)), _band(n, given, band))
    put(INTEGRATED_AT, _integrated(n, given))
    return masks


def _demodulated(n: int, given: Given) -> MaskReason:
    if n < demodulated.LEAST:
        return MaskReason.WINDOW_TOO_SHORT
    if given.envelope_band is None:
        return MaskReason.NONE
    if given.rate_hz is None:
        return MaskReason.NO_RATE
    low, high = envelope_limits(n, given.rate_hz, given.envelope_band)
    if high > n // 2 + 1:
        return MaskReason.RATE_TOO_LOW
    return MaskReason.NONE if high - low >= NARROWEST else MaskReason.WINDOW_TOO_SHORT


def envelope_limits(n: int, rate_hz: float, band: tuple[float, float]) -> tuple[int, int]:
    """First bin of a band in Hz, and one past its last."""
    return math.ceil(band[0] * n / rate_hz), math.ceil(band[1] * n / rate_hz)


def _speed(given: Given) -> MaskReason:
    """Whether something can be looked for at multiples of the speed."""
    if given.rate_hz is None:
        return MaskReason.NO_RATE
    if given.speed_hz is None or not math.isfinite(given.speed_hz):
        return MaskReason.NO_SPEED
    return MaskReason.NONE if given.speed_hz > 0.0 else MaskReason.ZERO_SPEED


def _bins(n: int, given: Given) -> float:
    """Speed in bins, where `_speed` found nothing against it."""
    assert given.rate_hz is not None  # for the type checker: `_speed` has looked
    assert given.speed_hz is not None
    return given.speed_hz * n / given.rate_hz


def _within(place: float, n: int) -> MaskReason:
    """Whether a line at a place in bins has its whole lobe below half of the rate."""
    return MaskReason.NONE if place <= n // 2 - fine.HALF_LOBE else MaskReason.RATE_TOO_LOW


def _orders(n: int, given: Given) -> tuple[MaskReason, ...]:
    reason = _speed(given)
    if reason is MaskReason.NONE and _bins(n, given) < fine.APART:
        reason = MaskReason.WINDOW_TOO_SHORT
    if reason is not MaskReason.NONE:
        return (reason,) * len(ORDER)
    speed = _bins(n, given)
    comb = _within(1.5 * speed, n)
    return (*(_within(k * speed, n) for k in range(1, fine.ORDERS + 1)), comb, comb)


def _gear(n: int, given: Given, gear: Gear | None) -> tuple[MaskReason, ...]:
    if gear is None or gear.teeth <= fine.SIDEBANDS or not usable(gear.order):
        return (MaskReason.NO_GEOMETRY,) * len(GEAR)
    reason = _speed(given)
    if reason is MaskReason.NONE and _bins(n, given) * gear.order < fine.APART:
        reason = MaskReason.WINDOW_TOO_SHORT
    if reason is not MaskReason.NONE:
        return (reason,) * len(GEAR)
    shaft = _bins(n, given) * gear.order
    mesh = shaft * gear.teeth
    return _within(mesh, n), _within(2.0 * mesh, n), _within(mesh + fine.SIDEBANDS * shaft, n)


def _band(n: int, given: Given, band: Band) -> MaskReason:
    reason = _speed(given) if band.orders else MaskReason.NONE
    if reason is not MaskReason.NONE:
        return reason
    if given.rate_hz is None:
        return MaskReason.NO_RATE
    low, high = fine.band_limits(band, n, given.rate_hz, given.speed_hz)
    if high > n // 2 + 1:
        return MaskReason.RATE_TOO_LOW
    return MaskReason.NONE if high - low >= 2 and high > fine.FIRST_BIN else MaskReason.WINDOW_TOO_SHORT


def _integrated(n: int, given: Given) -> MaskReason:
    if given.quantity not in integrated.STEPS:
        return MaskReason.OTHER_QUANTITY
    if given.rate_hz is None:
        return MaskReason.NO_RATE
    if given.rate_hz < 2.0 * UPPER_HZ:
        return MaskReason.RATE_TOO_LOW
    least = velocity_samples(given.rate_hz, given.rated_speed_hz, given.speed_hz)
    return MaskReason.NONE if n >= least else MaskReason.WINDOW_TOO_SHORT
