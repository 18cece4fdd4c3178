"""The speed of the shaft during a window: stated with the blocks, from a tachometer channel, or from the spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.machines import Tachometer
from foreshock.signals import SpeedSource

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
_EMPTY: F64 = np.empty(0)


class Speed(NamedTuple):
    """Speed of the reference shaft during a window."""

    hz: float | None  # mean over the window; None: not known, 0: at rest
    source: SpeedSource = SpeedSource.UNKNOWN
    tolerance: float = 0.0  # how far the true mean may be from it, relative
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
    """Give the speed of a window.

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
    """
    del x, rate_hz, rated_hz, channels, tachometer, ratio
    known = [hz for hz in stated_hz if hz is not None]
    if not known or len(known) < len(stated_hz):
        return Speed(None)
    return Speed(sum(known) / len(known), SpeedSource.CONTEXT)
