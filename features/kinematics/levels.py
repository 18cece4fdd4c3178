"""Amplitudes of families of lines in fixed bands: what a window is compared with its baseline by.

The band in which a fault is found may be another one from window to window; the amplitude is therefore taken in octaves
below half of the sampling rate, of the signal as it is, tones and all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foreshock.features.kinematics import bands, lines
from foreshock.features.kinematics.search import GEAR_LINES, HARMONICS, Match, Window
from foreshock.features.kinematics.speed import Speed

F32 = npt.NDArray[np.float32]

OCTAVES = 4
MOST = 64
"""Amplitudes of an asset at most: fewer octaves where there are many parts."""


def octave(rate_hz: float, centre_hz: float, octaves: int) -> int:
    """Number of the octave below half of the rate that holds a frequency, from 0 down; the last holds all below."""
    return int(min(octaves - 1, max(0.0, np.floor(np.log2(rate_hz / 2.0 / max(centre_hz, 1e-9))))))


def octaves_of(window: Window) -> int:
    """Give the number of octaves that are kept for the families of a window."""
    return max(1, min(OCTAVES, MOST // len(window.families)))


def key(match: Match, number: int) -> str:
    """Name of the amplitude of a family in an octave."""
    return f"{match.family.key}@{number}"


def levels(x: F32, rate_hz: float, speed: Speed, window: Window, matches: Sequence[Match]) -> dict[str, float]:
    """Peak amplitude of the envelope's lines at the harmonics of each family, the largest of all channels.

    Returns
    -------
    dict
        By family and octave, in the unit of the signal: the root of the sum of the squares of the harmonics
        (1 to 3; of a gear 3 to 12).
    """
    n, found = x.shape[1], {key(m, j): 0.0 for m in matches for j in range(octaves_of(window))}
    highest = max(m.order * len(_multiples(m)) * 1.5 for m in matches)
    longest = window.turns * 1.001
    for channel in range(len(x)):
        one_sided = bands.spectrum(np.ascontiguousarray(x[channel]))
        for number in range(octaves_of(window)):
            envelope, rate = bands.single(one_sided, n, rate_hz, number)
            spectra = lines.spectra(envelope, rate, speed, longest, highest)
            for match in matches:
                at = np.rint(_multiples(match) * match.order / spectra.step).astype(np.int64)
                at = at[at < spectra.amplitude.shape[1]]
                amplitude = float(np.sqrt(np.square(spectra.amplitude[0, at]).sum()))
                found[key(match, number)] = max(found[key(match, number)], amplitude)
    return found


def _multiples(match: Match) -> npt.NDArray[np.float64]:
    if match.family.teeth:
        return np.arange(GEAR_LINES[0], GEAR_LINES[1] + 1.0)
    return np.arange(1.0, HARMONICS + 1.0)
