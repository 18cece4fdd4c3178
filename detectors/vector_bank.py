"""A bank of vector models: all telemetry points with the same tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.detectors import episodes, pace
from foreshock.detectors import vector as kernel
from foreshock.detectors.alarm_state import load_alarm
from foreshock.detectors.constants import PACE_BLOCKS
from foreshock.detectors.episodes import EpisodeRule, EpisodeState
from foreshock.detectors.explain import BOUND, Explanation
from foreshock.detectors.slots import Slots
from foreshock.detectors.vector_undo import Journal, journal
from foreshock.detectors.waveform_state import Outputs

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]


class VectorInputs(NamedTuple):
    """Rows of one batch, in input order."""

    slot: I64
    x: npt.NDArray[np.float64]  # [rows, tags] in SI, NaN where missing
    usable: U8
    warmup: I64  # rows of warm-up that hold for this asset ...
    warmup_ns: I64  # ... and the time that they must have lived
    promised_ns: I64  # interval from row to row that the sensor promises, 0: none
    at_ns: I64
    offset: I64
    hold: U8  # 1: somebody holds learning, whatever the score


class VectorBank:
    """Models of many telemetry points.

    Parameters
    ----------
    tags
        Scalars of a row.
    rule
        Alarm rule; its margin puts the boundary at 1.
    limit_ns
        Averages over several rows take in none older than this; 0: the pace of the rows alone decides.
    """

    def __init__(self, tags: int, rule: EpisodeRule, *, limit_ns: int = 0) -> None:
        self.config = kernel.VectorConfig(rule, limit_ns)
        self.slots = Slots(kernel.VectorState, kernel.vector_fields(tags))

    def run(
        self, inputs: VectorInputs, out: Outputs, kept: Journal | None = None, first: int = 0, last: int | None = None
    ) -> Iterator[int]:
        """Score rows `first` to `last` - 1 in order; yields each row whose alarm changes, before it is folded in.

        To be exhausted. `kept` has room for all rows, or for none: then no row can be undone.
        """
        kept = kept or journal(0, inputs.x.shape[1])
        last, resume = len(inputs.slot) if last is None else last, False
        while True:
            first = kernel.run(self.config, self.slots.arrays, inputs, out, kept, first, last, resume)
            if first >= last:
                return
            yield first
            resume = True

    def alarm_after(self, slot: int, value: float, at_ns: int) -> EpisodeState:
        """State of the alarm rule once the row at hand is folded in."""
        alarm, _ = episodes.step(self.config.rule, load_alarm(self.slots.arrays, slot), value, at_ns)
        return alarm

    def first_offset(self, slot: int, own: int) -> int:
        """Input offset of the oldest row that the longest horizon averages over."""
        state = self.slots.arrays
        known = np.delete(
            state.offsets[slot], int(state.seen[slot]) % kernel.LONGEST
        )  # the oldest one leaves the window
        return int(min(known[known >= 0].min(initial=own), own))

    def value(self, slot: int, x: npt.NDArray[np.float64], at_ns: int) -> float:
        """Score of a row taken at `at_ns`, without folding it in."""
        state, config = self.slots.arrays, self.config
        z, mean = np.empty(len(x)), np.empty(len(x))
        kernel.standardise(x, state.centre[slot], state.scale[slot], z)
        moment = kernel.moment_of(config, state, slot, at_ns, 0, np.empty(PACE_BLOCKS, np.int64))
        return float(kernel.value_of(state, slot, z, moment, mean))

    def explain(self, slot: int, x: npt.NDArray[np.float64], at_ns: int, promised_ns: int = 0) -> Explanation:
        """Divide the score of a row among its tags: by their share of the squared norm, the mean over horizons."""
        state, config = self.slots.arrays, self.config
        z, mean = np.empty(len(x)), np.empty(len(x))
        kernel.standardise(x, state.centre[slot], state.scale[slot], z)
        moment = kernel.moment_of(config, state, slot, at_ns, promised_ns, np.empty(PACE_BLOCKS, np.int64))
        value = kernel.value_of(state, slot, z, moment, mean)
        share = np.zeros(len(x))
        for horizon in kernel.HORIZONS:
            before = pace.related(state.times[slot], state.pushed[slot], moment, horizon)
            norm = kernel.average(state.ring[slot], state.pushed[slot], z, before, mean)
            even = np.full(len(x), 1.0 / len(x))
            share += np.square(mean) / (len(x) * norm * norm) if norm > 0 else even
        expected, spread = state.centre[slot].copy(), BOUND * state.scale[slot]
        return Explanation(value * share / share.sum(), expected, expected - spread, expected + spread)
