"""The SIGNAL feature set: all that is made from a measurement window of a waveform, once, at full depth.

A window is one row of samples per channel, of any length; the row carries the values of `SIGNAL` and, for each, a mask
code (see `masks`): 0, or why there is no value. Nothing in here depends on what else is in the call, to the last bit.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.features.declared import DeclaredSet
from foreshock.features.masks import code_of
from foreshock.features.waves import constants, declarations, fine, parts, reasons, statistics, welch
from foreshock.features.waves.given import Band, Gear, Given, lower_corner_hz, usable, velocity_samples
from foreshock.vocabulary import MaskReason

__all__ = ["SIGNAL", "Band", "Extracted", "Gear", "Given", "extract", "lower_corner_hz", "set_of", "velocity_samples"]

MIN_SAMPLES = 16
"""Fewer samples are no window: all features are masked."""

CHUNK_SAMPLES = 1 << 17
"""Samples per pass: rows, spectra and envelopes of a chunk stay in the cache."""
CHUNK_ROWS = (4, 32)
"""Least and most rows per pass; transforms take four at a time."""

SIGNAL = DeclaredSet(
    "signal",
    1,
    (
        *declarations.STATISTICS,
        *declarations.SPECTRAL,
        *declarations.DEMODULATED,
        *declarations.CEPSTRUM,
        *declarations.ORDER,
        *declarations.GEAR,
        *declarations.INTEGRATED,
    ),
    constants=constants.of(),
)


class Extracted(NamedTuple):
    """Features of rows."""

    values: npt.NDArray[np.float64]
    """[rows, features]; 0 where masked, always finite."""
    masks: npt.NDArray[np.uint8]
    """Codes of `masks.CODES` [rows, features]; 0 where there is a value."""


def set_of(given: Given) -> DeclaredSet:
    """Give the set with the columns that a measuring point adds.

    The first gear has the columns `mesh`, `mesh_2` and `sideband` of `SIGNAL`; each further one adds three with its
    name, each band one.
    """
    return _set_of(given.bands, given.gears)


@lru_cache(maxsize=1024)
def _set_of(bands: tuple[Band, ...], gears: tuple[Gear, ...]) -> DeclaredSet:
    further = [each for gear in gears[1:] for each in declarations.gear_features(gear)]
    names = {each.name for each in SIGNAL.features}
    distinct = []
    for each in (*further, *map(declarations.band_feature, bands)):
        name = each.name
        while name in names:  # gears of one name, or one that is called "2"
            name += "_again"
        names.add(name)
        distinct.append(replace(each, name=name))
    return SIGNAL.extended(*distinct)


def extract(x: npt.NDArray[np.float32], given: Given) -> Extracted:
    """Compute the SIGNAL set of rows of samples.

    Parameters
    ----------
    x : float32 [rows, n]
        Samples in SI, as they are: too few, constant or not finite is no error but a reason in the masks.
    given : Given
        What holds for all rows.

    Returns
    -------
    Extracted
        Columns as in `set_of(given)`.

    Raises
    ------
    ValueError
        If `x` has not two axes.
    """
    if x.ndim != 2:
        raise ValueError(f"samples must be [rows, n], not {list(x.shape)}")
    n, columns = x.shape[1], set_of(given).per_channel
    values, masks = np.zeros((len(x), columns)), np.zeros((len(x), columns), np.uint8)
    if n < MIN_SAMPLES:
        masks[...] = code_of(MaskReason.WINDOW_TOO_SHORT)
        return Extracted(values, masks)
    given = given if usable(given.rate_hz) else given._replace(rate_hz=None)
    missing = reasons.of(n, given, columns)
    units = _units(n, given.rate_hz, columns)
    step = min(max(CHUNK_SAMPLES // n, CHUNK_ROWS[0]), CHUNK_ROWS[1])
    for first in range(0, len(x), step):
        part = slice(first, first + step)
        _extract_chunk(x[part], given, missing, units, values[part], masks[part])
    return Extracted(values, masks)


def _extract_chunk(
    x: npt.NDArray[np.float32],
    given: Given,
    missing: npt.NDArray[np.uint8],
    units: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    masks: npt.NDArray[np.uint8],
) -> None:
    centred = statistics.statistics_rows(np.require(x, np.float32, ("C", "W")), values)
    masks[...] = missing
    constant = np.flatnonzero(centred.mean_square == 0.0)
    masks[constant, statistics.LEVELS :] = code_of(MaskReason.CONSTANT)
    masks[~centred.finite] = code_of(MaskReason.NOT_FINITE)
    if not missing[reasons.SPECTRAL_AT].all():
        power = welch.power_rows(centred.rows)
        form = parts.room(len(x), reasons.SPECTRAL_AT)
        welch.form_rows(power, x.shape[1], centred.exponents, centred.mean_square, form)
        values[:, reasons.SPECTRAL_AT] = form
    parts.fine_parts(fine.spectrum_rows(centred.rows), given, missing, centred.exponents, values)
    values *= units
    unsound = np.logical_and(~np.isfinite(values), masks == 0)
    masks[unsound] = code_of(MaskReason.NOT_FINITE)
    values[masks != 0] = 0.0


def _units(n: int, rate_hz: float | None, columns: int) -> npt.NDArray[np.float64]:
    """Factors that turn cycles per sample, bins and samples into Hz and s; 1 for what is none of these."""
    factors = np.ones(columns)
    if rate_hz is not None:
        form, envelope = reasons.SPECTRAL_AT.stop - len(welch.FORM), reasons.DEMODULATED_AT.start
        factors[[form, form + 1]] = rate_hz
        factors[[envelope, envelope + 1, envelope + 5]] = rate_hz / n
        factors[reasons.CEPSTRUM_AT.start] = 1.0 / rate_hz
    return factors
