"""The lines of a shaft in the spectrum of the signal: its speed near a rated one, and how it changes in a window.

The signal below some orders is resampled over the angle that a straight change of speed gives, for many such changes;
where all harmonics of the shaft stand out most, the change and the speed are right (a chirplet transform on a comb).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy.fft

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

TOLERANCE = 0.05
"""How far the speed may be from what is stated or rated."""
HARMONICS = 8
PIECE_TURNS = 60.0
"""Turns over which a change of speed is taken as straight."""
LEAST_TURNS = 12.0
CHANGE = 0.06
"""Largest change of speed in a piece."""
PER_TURN = 48
PADDING = 4
SHOWS = 6.0
"""Nats of a harmonic that counts."""
LEAST_SHOWN = 3
"""Harmonics that must show: two lines at 1:2 may be the mains."""
LEAST = 20.0
"""Nats by which the harmonics must stand out together, each counted up to `CAP`, after the search is paid for."""
CAP = 16.0
CLEAR = 1.1
"""Score over that of the next best speed: else neither is taken."""


def track(x: F32, rate_hz: float, around_hz: float) -> tuple[F64, F64] | None:
    """Give the angle of the shaft over time, where its lines are clear; None where they are not.

    Parameters
    ----------
    x : float32 [channels, n]
    rate_hz : float
    around_hz : float
        The speed is looked for within `TOLERANCE` of it.

    Returns
    -------
    tuple or None
        Times in seconds from 0 to the end of the window, turns at them.
    """
    n = x.shape[1]
    length_s = n / rate_hz
    pieces = max(1, round(length_s * around_hz / PIECE_TURNS))
    if length_s * around_hz < LEAST_TURNS or rate_hz < 2.2 * HARMONICS * around_hz:
        return None
    times, turns, passed = [0.0], [0.0], 0.0
    for edge in range(pieces):
        first, last = edge * n // pieces, (edge + 1) * n // pieces
        found = _piece(x[:, first:last], rate_hz, around_hz)
        if found is None:
            return None
        mean_hz, change = found
        long_s = (last - first) / rate_hz
        share = np.linspace(0.0, 1.0, 17)[1:]
        times += (first / rate_hz + share * long_s).tolist()
        turns += (passed + mean_hz * long_s * (share + 0.5 * change * share * (share - 1.0))).tolist()
        passed = turns[-1]
    return np.array(times), np.array(turns)


def _piece(x: F32, rate_hz: float, around_hz: float) -> tuple[float, float] | None:
    """Mean speed and relative change of it over a piece."""
    slow = _slow(x, rate_hz, around_hz)
    count = slow.shape[1]
    turns = x.shape[1] / rate_hz * around_hz
    step = 1.6 / (HARMONICS * turns)  # a fifth of a turn of the highest harmonic, in the middle against the ends
    most = max(1, int(CHANGE / step))
    changes = np.arange(-most, most + 1) * step
    share = np.arange(count) / count
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(count) + 0.5) / count)
    padded = int(scipy.fft.next_fast_len(PADDING * count, real=True))
    lines = int(turns * PADDING * 1.2 * HARMONICS * (1.0 + TOLERANCE)) + 2
    speeds = np.arange(-1.0, 1.0 + 1e-9, 1.0 / np.ceil(TOLERANCE * turns * HARMONICS * PADDING)) * TOLERANCE
    at = (1.0 + speeds)[:, None] * np.arange(1, HARMONICS + 1) * turns * padded / count
    left = np.floor(at).astype(np.int64)
    share_right = at - left
    power = np.empty((len(changes), lines))
    for i, change in enumerate(changes):
        # share of the turns made at a share of the time is s + c/2 s (s - 1): its inverse, at even angles
        even = share + 0.5 * change * share * (1.0 - share) * (1.0 + change * (0.5 - share))
        rows = np.array([np.interp(even, share, row) for row in slow])
        found = scipy.fft.rfft(rows * window, padded, axis=1)[:, :lines]
        power[i] = (np.square(found.real) + np.square(found.imag)).sum(axis=0)
    power /= _level(power[most], 48 * PADDING)
    nats = power[:, left] * (1.0 - share_right) + power[:, left + 1] * share_right
    score = np.log1p(nats).sum(axis=2)
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(score)), score.shape))
    capped = np.sort(np.minimum(nats[i, j], CAP))
    shown = int((nats[i, j] >= SHOWS).sum())
    searched = np.log(len(changes) * len(speeds))
    apart = np.abs(speeds - speeds[j]) > 2.0 / turns
    second = float(score[:, apart].max()) if apart.any() else 0.0
    if shown < LEAST_SHOWN or capped.sum() - searched - HARMONICS < LEAST or score[i, j] < CLEAR * second:
        return None
    total = nats.sum(axis=2)
    i, j = _climb(total, i, j)
    change = changes[i] + step * _top(total[:, j], i)
    speed = speeds[j] + (speeds[1] - speeds[0]) * _top(total[i], j)
    return float(around_hz * (1.0 + speed)), float(change)


def _climb(power: F64, i: int, j: int) -> tuple[int, int]:
    """Go up to the nearest top: the score finds the right hill, the power of all harmonics its top (least squares)."""
    while True:
        rows, columns = slice(max(0, i - 1), i + 2), slice(max(0, j - 1), j + 2)
        up, along = divmod(int(np.argmax(power[rows, columns])), power[rows, columns].shape[1])
        there = rows.start + up, columns.start + along
        if power[there] <= power[i, j]:
            return i, j
        i, j = there


def _top(score: F64, at: int) -> float:
    """How far the top of a parabola through a largest value and its neighbours is from it, in steps; 0 at an end."""
    if not 0 < at < len(score) - 1:
        return 0.0
    before, top, after = score[at - 1 : at + 2].tolist()
    bend = before - 2.0 * top + after
    return 0.5 * (before - after) / bend if bend < 0.0 else 0.0


def _slow(x: F32, rate_hz: float, around_hz: float) -> F64:
    """Channels below the highest harmonic that is looked at, each scaled to its noise, at `PER_TURN` points a turn."""
    n = x.shape[1]
    count = int(n / rate_hz * around_hz * PER_TURN)
    kept = min(n // 2 + 1, int(n / rate_hz * around_hz * HARMONICS * 1.3) + 2, count // 2)
    spectrum = scipy.fft.rfft(x.astype(np.float64) - x.mean(axis=1, dtype=np.float64, keepdims=True), axis=1)[:, :kept]
    scale = np.median(np.abs(spectrum), axis=1, keepdims=True)
    padded = np.zeros((len(x), count // 2 + 1), np.complex128)
    padded[:, :kept] = spectrum / np.maximum(scale, np.finfo(np.float64).tiny)
    found: F64 = scipy.fft.irfft(padded, count, axis=1)
    return found


def _level(power: F64, size: int) -> F64:
    """Mean of noise around each line, from medians of stretches."""
    count = max(1, len(power) // size)
    edges = np.linspace(0, len(power), count + 1).astype(np.int64)
    middles = [float(np.median(power[a:b])) for a, b in pairwise(edges)]
    around = np.interp(np.arange(len(power)), 0.5 * (edges[:-1] + edges[1:]), middles) / np.log(2.0)
    return np.asarray(np.maximum(around, np.finfo(np.float64).tiny))
