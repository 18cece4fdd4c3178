"""Where the level of a machine is heading: the rolling trend slope of each waveform measuring point.

The slope is that of a least-squares line through the natural logarithm of the RMS level of the last 64 blocks of the
running machine over their source time. It is a relative growth per hour: 0.05 says that the level grows by 5 % an hour,
whatever the level and its unit are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foreshock.detectors.slots import Field, Slots
from foreshock.features import trend
from foreshock.fleet_points import Entry, model_of

BLOCKS = 64  # behind a slope: enough that the scatter of single blocks does not turn it
LEAST = 8  # below it the slope is the scatter of single blocks
_HOUR_S = 3600.0


class LevelTrend:
    """Slopes of the measuring points of one lane, in slots beside those of its models."""

    def __init__(self) -> None:
        f64 = np.float64
        fields = {
            "times": Field((BLOCKS,), f64),
            "values": Field((BLOCKS,), f64),
            "seen": Field((), np.int64),
            "origin": Field((2,), f64),
            "sums": Field((4,), f64),
        }
        self.slots = Slots(trend.TrendState, fields)

    def fold(
        self,
        entries: Sequence[Entry],
        slot: npt.NDArray[np.int64],
        at_ns: npt.NDArray[np.int64],
        level: npt.NDArray[np.float32],
        usable: npt.NDArray[np.bool_],
    ) -> list[float | None]:
        """Fold in the levels of usable blocks, in order; gives the slope of each block's measuring point after it.

        A block that is not usable, or without any level, changes nothing: the slope stays as it was.

        Parameters
        ----------
        entries
            Blocks.
        slot
            [blocks] of the measuring point, as the lane's models have it.
        at_ns
            [blocks] time.
        level
            [blocks] RMS over all channels, in SI.
        usable
            [blocks].

        Returns
        -------
        list of float or None
            Growth per hour; None while fewer than 8 blocks were folded in.
        """
        folded = usable & (level > 0.0)
        logs = np.array([math.log(each) for each in level[folded].tolist()])  # the same bits at any place in a batch
        slopes = np.full(len(entries), np.nan)
        found = trend.update(self.slots.arrays, slot[folded, None], at_ns[folded] / 1e9, logs[:, None], LEAST)
        slopes[folded] = found[:, 0] * _HOUR_S
        latest = []
        for entry, slope in zip(entries, slopes.tolist(), strict=True):
            model = model_of(entry)
            if slope == slope:  # noqa: PLR0124  # not NaN
                model.trend = slope
            latest.append(model.trend)
        return latest
