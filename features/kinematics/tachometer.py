"""Pulse times of a tachometer channel, and the angle of the shaft between them.

A pulse is a rise through half of the way from the channel's low level to its high level, after it has been below a
quarter of that way (hysteresis); its time is interpolated between the two samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

LEAST_PULSES = 3
REGULAR = 3.0
"""A gap so many times longer or shorter than the median gap is a missed or a doubled pulse: the channel is not used."""


def pulse_times(channel: F32, rate_hz: float) -> F64:
    """Times of the rising edges of a channel [n] in seconds from its first sample [pulses]."""
    x = channel.astype(np.float64)
    low, high = float(x.min()), float(x.max())
    if not np.isfinite(high - low) or high <= low:
        return np.empty(0)
    above = x > low + 0.5 * (high - low)
    below = x < low + 0.25 * (high - low)
    marks = np.flatnonzero(above | below)
    states = above[marks]
    rises = np.flatnonzero(states[1:] & ~states[:-1])
    at = marks[rises + 1]
    level = low + 0.5 * (high - low)
    before = at - 1
    share = (level - x[before]) / np.maximum(x[at] - x[before], np.finfo(np.float64).tiny)
    return np.asarray((before + np.clip(share, 0.0, 1.0)) / rate_hz)


def course(pulses: F64, per_turn: float, length_s: float) -> tuple[F64, F64] | None:
    """Angle over time from pulses: straight between them, and on beyond the first and the last.

    Parameters
    ----------
    pulses : float64 [pulses]
    per_turn : float
        Pulses in a turn of the shaft that the angle is of.
    length_s : float
        Of the window.

    Returns
    -------
    tuple or None
        Times from 0 to `length_s`, and turns at them, 0 at the start; None where there are too few pulses, or where
        one is missing or double.
    """
    if len(pulses) < LEAST_PULSES:
        return None
    gaps = np.diff(pulses)
    middle = float(np.median(gaps))
    if gaps.max() > REGULAR * middle or gaps.min() * REGULAR < middle:
        return None
    turns = np.arange(len(pulses)) / per_turn
    first = turns[0] - pulses[0] / gaps[0] / per_turn
    last = turns[-1] + (length_s - pulses[-1]) / gaps[-1] / per_turn
    times = np.concatenate([[0.0], pulses, [length_s]])
    angle = np.concatenate([[first], turns, [last]]) - first
    keep = np.concatenate([[True], np.diff(times) > 0.0])
    return times[keep], angle[keep]
