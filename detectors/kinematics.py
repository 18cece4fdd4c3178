"""What a bearing fault would sound like: fault frequencies from geometry, looked for in the envelope of a block.

Frequencies as in Randall and Antoni, "Rolling element bearing diagnostics - a tutorial", Mechanical Systems and Signal
Processing 25 (2011) 485-520. Only for blocks that are in alarm: a name for what was found, never a reason to alarm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft

from foreshock.contract import Bearing
from foreshock.features import envelope

HARMONICS = 3
SLIP = 0.02  # rolling elements slip: the frequencies are up to 2 % off
LEAST = 4.0  # lines over the background: noise alone reaches 3 as the largest of all bands and families
CLEAR = 1.3  # over the next best family: else the name would be a guess
_PARTS = {"BPFO": "outer race", "BPFI": "inner race", "2xBSF": "rolling element"}


class Match(NamedTuple):
    """The best fit of one family of lines."""

    ratio: float  # mean of the harmonics over the background of the envelope spectrum
    bearing: str
    family: str
    frequency_hz: float


def fault_frequencies(bearing: Bearing, speed_hz: float) -> dict[str, float]:
    """Fault frequencies in Hz at a shaft speed: outer race, inner race, and twice the spin of a rolling element.

    BPFO = n/2 f (1 - d/D cos a), BPFI = n/2 f (1 + d/D cos a), 2 BSF = D/d f (1 - (d/D cos a)^2).
    """
    ratio = bearing.ball_diameter_m / bearing.pitch_diameter_m * math.cos(bearing.contact_angle_rad)
    pitch = bearing.pitch_diameter_m / bearing.ball_diameter_m
    return {
        "BPFO": bearing.balls / 2 * speed_hz * (1 - ratio),
        "BPFI": bearing.balls / 2 * speed_hz * (1 + ratio),
        "2xBSF": pitch * speed_hz * (1 - ratio * ratio),
    }


def hypothesis(
    x: npt.NDArray[np.float32], rate_hz: float | None, speed_hz: float | None, bearings: Sequence[Bearing]
) -> str:
    """Name the bearing part whose lines stand out of the envelope of a block [channels, n]; "" where none clearly does."""
    if rate_hz is None or not speed_hz or not bearings:
        return ""
    spectra = [s for channel in x for s in envelope_spectra(channel)]
    step_hz = rate_hz / x.shape[1]
    found = sorted(
        (
            Match(max(line_ratio(s, hz / step_hz) for s in spectra), bearing.name, family, hz)
            for bearing in bearings
            for family, hz in fault_frequencies(bearing, speed_hz).items()
        ),
        reverse=True,
    )
    best = found[0]
    rival = max((m.ratio for m in found[1:] if m.family != best.family), default=0.0)
    if best.ratio < LEAST or best.ratio < CLEAR * rival:
        return ""
    return (
        f"{_PARTS[best.family]} of bearing {best.bearing}: {best.family} {best.frequency_hz:.1f} Hz, "
        f"harmonics 1-{HARMONICS} at {best.ratio:.1f} x the background of the envelope"
    )


def envelope_spectra(x: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float64]]:
    """Amplitude spectra of the envelope in each band of the feature catalogue."""
    n = len(x)
    spectrum = scipy.fft.rfft(x.astype(np.float64) - float(x.mean()))
    out = []
    for low, high in envelope.BANDS:
        first, last = int(low * n), int(high * n)
        level = np.abs(scipy.fft.ifft(spectrum[first:last], n))
        out.append(np.abs(scipy.fft.rfft((level - level.mean()) * np.hanning(n))))
    return out


def line_ratio(spectrum: npt.NDArray[np.float64], bin_of_first: float) -> float:
    """Mean over harmonics of the largest line near each, over the median of the spectrum around them."""
    if bin_of_first < 2 or bin_of_first * (HARMONICS + 1) >= len(spectrum):
        return 0.0
    background = float(np.median(spectrum[2 : int(bin_of_first * (HARMONICS + 1))]))
    lines = []
    for k in range(1, HARMONICS + 1):
        centre, width = k * bin_of_first, 1 + SLIP * k * bin_of_first
        lines.append(float(spectrum[math.ceil(centre - width) : math.floor(centre + width) + 1].max()))
    return sum(lines) / HARMONICS / background if background > 0 else 0.0
