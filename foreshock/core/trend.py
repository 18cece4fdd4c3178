"""Where the level of a machine is heading: the rolling trend slope of each waveform measuring point.

The slope is that of a least-squares line through the natural logarithm of the RMS level of the last 64 blocks of the
running machine over their source time. It is a relative growth per hour: 0.05 says that the level grows by 5 % an hour,
whatever the level and its unit are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foreshock.contract import Acquisition, SensorBlock
from foreshock.core.points import Entry, model_of
from foreshock.core.spec import LONGEST_S
from foreshock.detectors.slots import Field, Slots
from foreshock.features import trend

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

    def pending(
        self,
        entries: Sequence[Entry],
        slot: npt.NDArray[np.int64],
        at_ns: npt.NDArray[np.int64],
        level: npt.NDArray[np.float32],
        usable: npt.NDArray[np.bool_],
    ) -> Pending:
        """Prepare the levels of some blocks for folding in.

        A block that is not usable, or without any level, changes nothing: the slope stays as it was.

        Parameters
        ----------
        entries
            Blocks, in order.
        slot
            [blocks] of the measuring point, as the lane's models have it.
        at_ns
            [blocks] time.
        level
            [blocks] RMS over all channels, in SI.
        usable
            [blocks].
        """
        folded = usable & (level > 0.0)
        logs = np.zeros(len(entries))
        logs[folded] = [math.log(each) for each in level[folded].tolist()]  # the same bits at any place in a batch
        return Pending(self.slots, entries, folded, slot[:, None], at_ns / 1e9, logs[:, None])


@dataclass(slots=True)
class Pending:
    """Levels of a batch that are folded in piece by piece, so that the state before any block can be had."""

    slots: Slots[trend.TrendState]
    entries: Sequence[Entry]
    folded: npt.NDArray[np.bool_]
    slot: npt.NDArray[np.int64]
    at_s: npt.NDArray[np.float64]
    logs: npt.NDArray[np.float64]
    slopes: list[float | None] = field(default_factory=list)  # growth per hour, of the blocks so far

    def upto(self, end: int) -> None:
        """Fold in the blocks before `end`; each one's slope is that of its measuring point after it.

        None while fewer than 8 blocks of a measuring point were folded in.
        """
        first = len(self.slopes)
        if first >= end:
            return
        part, slopes = self.folded[first:end], np.full(end - first, np.nan)
        slot, at_s, logs = self.slot[first:end][part], self.at_s[first:end][part], self.logs[first:end][part]
        slopes[part] = trend.update(self.slots.arrays, slot, at_s, logs, LEAST)[:, 0] * _HOUR_S
        for entry, slope in zip(self.entries[first:end], slopes.tolist(), strict=True):
            model = model_of(entry)
            if slope == slope:  # noqa: PLR0124  # not NaN
                model.trend = slope
            self.slopes.append(model.trend)


def broadband(features: npt.NDArray[np.float32], columns: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """RMS level of each block over all channels, from the columns [blocks, features] that hold theirs."""
    squares = np.square(np.ascontiguousarray(features[:, columns]), dtype=np.float64)  # of 1e20 as well
    return np.asarray(np.sqrt(squares.mean(axis=1)), np.float32)


def apart_ns(entry: Entry) -> int:
    """Half of a block of a continuous waveform: what starts earlier shares more than half of its samples."""
    block = entry.block
    if not isinstance(block, SensorBlock) or block.acquisition is not Acquisition.CONTINUOUS:
        return 0
    rate = block.sampling_rate_hz
    return 0 if rate is None else int(min(block.samples.shape[1] / rate, LONGEST_S) * 0.5e9)
