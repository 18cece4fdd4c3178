"""Spectra of envelopes over orders of the shaft, and how far each line stands out of what is around it.

Of stationary Gaussian noise the power of a line over the level around it is a Gamma variable whose shape is the number
of segments that were averaged; `nats` is -ln of the probability that noise alone reaches it: standard exponential at any
line, whatever the level and the number of segments. So nats add up, and a sum of k of them is Gamma(k).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.special

from foreshock.features.kinematics.speed import Speed

F64 = npt.NDArray[np.float64]

PADDING = 2
"""Lines are computed at half of the resolution, so that none falls between two of them: 0.2 dB at worst."""
LEVEL_LINES = 96
"""Resolved lines of which the median is the level around."""
OVERLAP = 0.947
"""Independent segments per segment where Hann-windowed segments overlap by half (Welch 1967), for many of them."""


class Spectra(NamedTuple):
    """Spectra of the envelopes of some bands."""

    step: float
    """Orders from line to line."""
    nats: F64
    """How far each line stands out [bands, lines]."""
    amplitude: F64
    """Peak amplitude of each line, in the unit of the signal [bands, lines]."""
    level: F64
    """Root mean square of the amplitude that noise has there [bands, lines]."""


def segments(turns: float, longest: float) -> tuple[float, int]:
    """Length in turns and number of half-overlapping segments of about `longest` turns that fill a window."""
    count = max(1, round(turns / longest))
    count = 1 if count == 1 else 2 * count - 1
    return 2.0 * turns / (count + 1), count


def spectra(envelopes: F64, rate_hz: float, speed: Speed, longest: float, highest: float) -> Spectra:
    """Spectra over orders.

    Parameters
    ----------
    envelopes : float64 [bands, points]
    rate_hz : float
        Of their points.
    speed : Speed
        Known and not 0. A course makes the points even in angle first.
    longest : float
        Turns of a segment, about: impulses that slip have wide lines, which a longer one would not make any higher.
    highest : float
        Order up to which lines are wanted.
    """
    hz = speed.hz or 0.0
    if len(speed.turns):
        envelopes, per_turn = even_in_angle(envelopes, rate_hz, speed)
    else:
        per_turn = rate_hz / hz
    length_turns, count = segments(envelopes.shape[1] / per_turn, longest)
    length = min(envelopes.shape[1], int(length_turns * per_turn))
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(length) + 0.5) / length)
    padded = scipy.fft.next_fast_len(PADDING * length, real=True)
    lines = min(padded // 2, int(highest * padded / per_turn) + 2)
    starts = np.linspace(0, envelopes.shape[1] - length, count).astype(np.int64)
    power = np.zeros((len(envelopes), lines))
    for start in starts:
        part = envelopes[:, start : start + length]
        part = part - (part * window).sum(axis=1, keepdims=True) / window.sum()
        found = scipy.fft.rfft(part * window, padded, axis=1)[:, :lines]
        power += np.square(found.real) + np.square(found.imag)
    power *= (2.0 / window.sum()) ** 2 / count
    shape = 1.0 if count == 1 else max(1.0, OVERLAP * count)
    # of noise in a band of half of the rate, the envelope's power falls off straight to 0 at that width
    fall = 1.0 - np.arange(lines) * (per_turn / padded * hz) / (0.5 * rate_hz)
    fall = np.maximum(fall, 0.1)
    level = _level(power / fall, LEVEL_LINES * PADDING, shape) * fall
    nats = _nats(power / np.maximum(level, np.finfo(np.float64).tiny), shape)
    return Spectra(per_turn / padded, nats, np.sqrt(power), np.sqrt(level))


def even_in_angle(envelopes: F64, rate_hz: float, speed: Speed) -> tuple[F64, float]:
    """Resample rows over the angle of the shaft: linear between points, which lie close to each other here."""
    count = envelopes.shape[1]
    times = np.arange(count) / rate_hz
    angle = np.interp(times, speed.times_s, speed.turns)
    even = np.linspace(angle[0], angle[-1], count)
    place = np.interp(even, angle, np.arange(count, dtype=np.float64))
    left = np.minimum(place.astype(np.int64), count - 2)
    share = place - left
    found = envelopes[:, left] * (1.0 - share) + envelopes[:, left + 1] * share
    return found, (count - 1) / float(angle[-1] - angle[0])


def _level(power: F64, size: int, shape: float) -> F64:
    """Mean of noise around each line, from medians of stretches of so many lines, straight in between."""
    bands, lines = power.shape
    count = max(1, lines // size)
    edges = np.linspace(0, lines, count + 1).astype(np.int64)
    middles = np.array([np.median(power[:, a:b], axis=1) for a, b in pairwise(edges)])
    middles /= scipy.special.gammaincinv(shape, 0.5) / shape
    centres = 0.5 * (edges[:-1] + edges[1:])
    at = np.arange(lines)
    return np.array([np.interp(at, centres, middles[:, band]) for band in range(bands)])


_GRID = np.concatenate([np.linspace(0.0, 4.0, 200, endpoint=False), np.geomspace(4.0, 1e3, 400)])


def _nats(ratio: F64, shape: float) -> F64:
    """-ln of the probability that a Gamma variable of this shape and mean 1 is larger than a ratio."""
    if shape == 1.0:
        return ratio
    return np.asarray(np.interp(ratio, _GRID, log_gamma_tail(shape, shape * _GRID)))


def log_gamma_tail(shape: float, x: F64) -> F64:
    """-ln Q(shape, x), also where Q itself is too small for a number."""
    q = scipy.special.gammaincc(shape, x)
    safe = np.maximum(x, 1e-300)
    far = safe - (shape - 1.0) * np.log(safe) + scipy.special.gammaln(shape)
    far -= np.log1p((shape - 1.0) / np.maximum(safe - shape + 2.0, 1.0))
    return np.asarray(np.where(q > 1e-280, -np.log(np.maximum(q, 1e-300)), far))
