"""The speed of the shaft during a window: from a tachometer channel, stated with the blocks, or from the spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.features.kinematics import comb
from foreshock.features.kinematics.tachometer import course, pulse_times
from foreshock.machines import Tachometer
from foreshock.signals import SpeedSource

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
_EMPTY: F64 = np.empty(0)

MEASURED = 5e-4
"""Stated speeds that differ from block to block by more are measured ones; a constant is taken from a name plate."""


class Speed(NamedTuple):
    """Speed of the reference shaft during a window."""

    hz: float | None  # mean over the window; None: not known, 0: at rest
    source: SpeedSource = SpeedSource.UNKNOWN
    times_s: F64 = _EMPTY  # its course: turns since the start of the window at these times; empty: constant
    turns: F64 = _EMPTY


def of(
    x: F32,
    rate_hz: float | None,
    stated_hz: Sequence[float | None],
    rated_hz: float | None,
    *,
    channels: Sequence[str] = (),
    tachometer: Tachometer | None = None,
    ratio: float = 1.0,
) -> Speed:
    """Give the speed of a window, and its course where it changes.

    Parameters
    ----------
    x : float32 [channels, n]
        All channels of the window, that of the tachometer too.
    rate_hz : float or None
    stated_hz : sequence
        What the context of each joined block says, in order; the blocks are taken as equally long.
    rated_hz : float or None
        Rated speed of the reference shaft: where nothing is stated, it is looked for within 5 % of that in the spectrum.
    channels, tachometer, ratio
        Names of the channels, the tachometer among them, and the speed of its shaft over that of the reference shaft.

    Notes
    -----
    A stated speed that is the same in every block may be a name plate's: where the lines of the shaft say another one
    within 5 %, or a change during the window, these are used, and the source stays "context".
    """
    if rate_hz is None:
        known = _mean(stated_hz)
        return Speed(known, SpeedSource.UNKNOWN if known is None else SpeedSource.CONTEXT)
    if tachometer is not None and tachometer.channel in channels:
        row = list(channels).index(tachometer.channel)
        found = _from_pulses(x[row], rate_hz, tachometer, ratio)
        if found is not None:
            return found
        x = np.ascontiguousarray(np.delete(x, row, axis=0))
    return _from_words(x, rate_hz, stated_hz, rated_hz)


def _mean(stated_hz: Sequence[float | None]) -> float | None:
    """Mean of what is stated; None where a block says nothing."""
    known = [hz for hz in stated_hz if hz is not None]
    return sum(known) / len(known) if known and len(known) == len(stated_hz) else None


def _from_words(x: F32, rate_hz: float, stated_hz: Sequence[float | None], rated_hz: float | None) -> Speed:
    """Speed from what blocks and master data say, and from the lines of the shaft near that."""
    length_s, stated = x.shape[1] / rate_hz, _mean(stated_hz)
    known = np.array([hz for hz in stated_hz if hz is not None])
    if stated is not None and (stated <= 0.0 or float(np.ptp(known)) > MEASURED * stated):
        return _from_blocks(known, length_s) if stated > 0.0 else Speed(0.0, SpeedSource.CONTEXT)
    around = float(known.mean()) if len(known) else rated_hz
    found = comb.track(x, rate_hz, around) if around and len(x) else None
    source = SpeedSource.UNKNOWN if stated is None else SpeedSource.CONTEXT
    if found is None:
        return Speed(stated, source)
    times, turns = found
    return Speed(float(turns[-1]) / length_s, source or SpeedSource.SPECTRUM, times, turns)


def _from_pulses(channel: F32, rate_hz: float, at: Tachometer, ratio: float) -> Speed | None:
    length_s = len(channel) / rate_hz
    found = course(pulse_times(channel, rate_hz), at.pulses_per_revolution * ratio, length_s)
    if found is None:
        return None
    times, turns = found
    return Speed(float(turns[-1]) / length_s, SpeedSource.TACHOMETER, times, turns)


def _from_blocks(hz: F64, length_s: float) -> Speed:
    """Course of a speed that is known in the middle of each block: straight in between, and on at both ends."""
    count = len(hz)
    middles = (np.arange(count) + 0.5) * length_s / count
    times = np.linspace(0.0, length_s, 8 * count + 1)
    speeds = np.interp(times, middles, hz)
    slope = (hz[1] - hz[0], hz[-1] - hz[-2])
    step = length_s / count
    speeds = np.where(times < middles[0], hz[0] + (times - middles[0]) * slope[0] / step, speeds)
    speeds = np.where(times > middles[-1], hz[-1] + (times - middles[-1]) * slope[1] / step, speeds)
    turns = np.concatenate([[0.0], np.cumsum(0.5 * (speeds[1:] + speeds[:-1]) * np.diff(times))])
    return Speed(float(turns[-1]) / length_s, SpeedSource.CONTEXT, times, turns)
