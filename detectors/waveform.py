"""A bank of waveform models: all measuring points of one layout (channels, samples, rate, feature set)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.detectors import episodes, halfway, pace
from foreshock.detectors import waveform_kernel as kernel
from foreshock.detectors.alarm_state import load_alarm
from foreshock.detectors.constants import HEIGHT, MEMORY, RING, TREE_SEED, TREE_WEIGHT, TREES
from foreshock.detectors.episodes import EpisodeRule, EpisodeState
from foreshock.detectors.river_adapter import RiverDetector
from foreshock.detectors.slots import Slots
from foreshock.detectors.trees import TreeBank
from foreshock.detectors.waveform_state import (
    FILLED,
    LEARNT,
    SCORED,
    WARMING,
    Inputs,
    Outputs,
    WaveformConfig,
    WaveformState,
    waveform_fields,
)


class WaveformBank:
    """Models of many measuring points.

    Parameters
    ----------
    columns
        Columns of the feature matrix that the model uses.
    rule
        Alarm rule; its margin puts the boundary at 1.
    online_only
        The trees alone decide (profile `lean`); else novelty against the baseline leads.
    river
        Name of a class of `river.anomaly` that takes the place of the trees, one object per slot; "" for the trees.
    limit_ns
        Averages over several blocks take in none older than this; 0: the pace of the blocks alone decides.
    """

    def __init__(
        self,
        columns: Sequence[int],
        rule: EpisodeRule,
        *,
        online_only: bool = False,
        river: str = "",
        limit_ns: int = 0,
    ) -> None:
        count = len(columns)
        self.trees = TreeBank(count, trees=0 if river else TREES, height=HEIGHT, window=MEMORY // 2, seed=TREE_SEED)
        self._river = river
        self._rivers: dict[int, RiverDetector] = {}
        self.slots = Slots(WaveformState, waveform_fields(count))
        self.config = WaveformConfig(
            policy=rule,
            forest=self.trees.forest,
            columns=np.asarray(columns, np.int64),
            weight=1.0 if online_only else TREE_WEIGHT,
            limit_ns=limit_ns,
        )

    def take(self) -> int:
        """Start a measuring point."""
        slot = self.slots.take()
        if self.trees.slots.take() != slot:
            raise AssertionError("the two tables hand out the same slots")
        if self._river:
            self._rivers[slot] = RiverDetector(self._river, len(self.config.columns), seed=TREE_SEED)
        return slot

    def give_back(self, slot: int) -> None:
        """Forget a measuring point."""
        self._rivers.pop(slot, None)
        self.slots.give_back(slot)
        self.trees.slots.give_back(slot)

    def run(self, inputs: Inputs, out: Outputs, first: int, last: int) -> Iterator[int]:
        """Score blocks `first` to `last` - 1 in order, into `out`.

        Yields each block whose alarm changes, before it is folded in: the state is then the one before scoring. The
        caller must exhaust the iterator.
        """
        if not self._river:
            yield from self._run(inputs, out, first, last)
            return
        for i in range(first, last):  # one at a time: whether River learns a block depends on its score
            slot, x = int(inputs.slot[i]), inputs.x[i]
            warm = 2 * int(self.slots.arrays.seen[slot]) >= int(inputs.warmup[i])
            inputs.external[i] = self.external(slot, x) if warm and inputs.usable[i] else np.nan
            yield from self._run(inputs, out, i, i + 1)
            if out.state[i] in {WARMING, SCORED} and out.held[i] == LEARNT:
                self._rivers[slot].learn_one(x[self.config.columns])

    def _run(self, inputs: Inputs, out: Outputs, first: int, last: int) -> Iterator[int]:
        resume = False
        while True:
            trees, state = self.trees.slots.arrays, self.slots.arrays
            first = kernel.run(self.config, trees, state, inputs, out, first, last, resume)
            if first >= last:
                return
            slot = int(inputs.slot[first])
            resume = state.ready[slot] != FILLED
            if resume:
                yield first
            else:
                kernel.finish_warmup(self.config, trees, state, slot, bool(inputs.shared[first]))
                first += 1

    def external(self, slot: int, x: npt.NDArray[np.float32]) -> float:
        """Score of the slot's River detector; NaN where the trees of the bank are used."""
        return self._rivers[slot].score_one(x[self.config.columns]) if self._river else float("nan")

    def alarm_after(self, inputs: Inputs, i: int, value: float) -> EpisodeState:
        """State of the alarm rule once block `i`, the one at hand, is folded in."""
        slot, at_ns, state = int(inputs.slot[i]), int(inputs.at_ns[i]), self.slots.arrays
        independent = pace.independent(int(state.latest_ns[slot]), at_ns, int(inputs.apart_ns[i]))
        alarm, _ = episodes.step(self.config.policy, load_alarm(state, slot), value, at_ns, independent)
        return alarm

    def first_offset(self, slot: int, own: int) -> int:
        """Input offset of the oldest block that the longest horizon averages over; `own` where there is none before."""
        state = self.slots.arrays
        known = np.delete(state.offsets[slot], int(state.seen[slot]) % RING)  # the oldest one leaves the window
        return int(min(known[known >= 0].min(initial=own), own))

    def capture(self, slot: int) -> dict[str, Any]:
        """Copy all that the model of a slot remembers, as a tree."""
        river = self._rivers[slot].capture() if self._river else None
        return {"model": self.slots.capture(slot), "trees": self.trees.slots.capture(slot), "river": river}

    def restore(self, slot: int, tree: Mapping[str, Any]) -> None:
        """Put a captured tree into a slot.

        Raises
        ------
        ValueError
            It does not fit.
        KeyError
            A part of it is missing.
        """
        self.slots.restore(slot, tree["model"])
        self.trees.slots.restore(slot, tree["trees"])
        if self._river:
            self._rivers[slot].restore(tree["river"])

    def inherit(self, slot: int, of: int, blocks: int, lived_ns: int) -> None:
        """Begin the warm-up of a slot with half of the baseline of another one; trees and detectors begin empty."""
        self.slots.restore(slot, halfway.waveform(self.slots.capture(of), self.slots.blank(), blocks, lived_ns))

    def digest(self, slot: int) -> str:
        """Sha256 of the model's state."""
        parts = [self.slots.digest(slot), self.trees.slots.digest(slot)]
        parts += [self._rivers[slot].digest()] if self._river else []
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def slot_bytes(self) -> int:
        """Bytes of state of one measuring point."""
        return self.slots.slot_bytes() + self.trees.slots.slot_bytes()
