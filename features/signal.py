"""The SIGNAL feature set: all that is made from a measurement window of a waveform, once, at full depth.

A window is one row of samples per channel, of any length; the row carries the values of `SIGNAL` and, for each, a mask
code (see `masks`): 0, or why there is no value. Nothing in here depends on what else is in the call, to the last bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.features.declared import DeclaredSet
from foreshock.features.masks import code_of
from foreshock.features.waves import declarations, statistics
from foreshock.features.waves.given import Band, Gear, Given, lower_corner_hz, velocity_samples
from foreshock.vocabulary import MaskReason

__all__ = ["SIGNAL", "Band", "Extracted", "Gear", "Given", "extract", "lower_corner_hz", "set_of", "velocity_samples"]

MIN_SAMPLES = 16
"""Fewer samples are no window: all features are masked."""

SIGNAL = DeclaredSet(
    "signal",
    1,
    (
        *declarations.STATISTICS,
        *declarations.SPECTRAL,
        *declarations.DEMODULATED,
        *declarations.FAMILIES,
        *declarations.GEAR,
        *declarations.INTEGRATED,
    ),
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
    return SIGNAL.extended(*further, *map(declarations.band_feature, bands))


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
    columns = set_of(given).per_channel
    values, masks = np.zeros((len(x), columns)), np.zeros((len(x), columns), np.uint8)
    if x.shape[1] < MIN_SAMPLES:
        masks[...] = code_of(MaskReason.WINDOW_TOO_SHORT)
        return Extracted(values, masks)
    finite = np.isfinite(x).all(axis=1)
    masks[~finite] = code_of(MaskReason.NOT_FINITE)
    rows = np.flatnonzero(finite)
    if len(rows):
        some = np.zeros((len(rows), columns))
        centred = statistics.statistics_rows(np.ascontiguousarray(x[rows], np.float32), some)
        values[rows] = some
        constant = rows[centred.mean_square == 0.0]
        masks[constant, statistics.LEVELS :] = code_of(MaskReason.CONSTANT)
        masks[rows, len(statistics.NAMES) :] = code_of(MaskReason.WINDOW_TOO_SHORT)  # made next
    return Extracted(values, masks)
