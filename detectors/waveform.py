"""A bank of waveform models: all measuring points of one layout (channels, samples, rate, feature set)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from foreshock import policy
from foreshock.detectors import waveform_kernel as kernel
from foreshock.detectors.constants import HEIGHT, MEMORY, RING, TREE_SEED, TREE_WEIGHT, TREES
from foreshock.detectors.slots import Slots
from foreshock.detectors.trees import TreeBank
from foreshock.detectors.waveform_state import Inputs, Outputs, WaveformConfig, WaveformState, waveform_fields
from foreshock.policy import Alarm, Policy


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
    external
        Whether a River detector, kept by the caller, takes the place of the trees.
    """

    def __init__(
        self, columns: Sequence[int], rule: Policy, *, online_only: bool = False, external: bool = False
    ) -> None:
        count = len(columns)
        self.trees = TreeBank(count, trees=0 if external else TREES, height=HEIGHT, window=MEMORY // 2, seed=TREE_SEED)
        self.slots = Slots(WaveformState, waveform_fields(count))
        self.config = WaveformConfig(
            policy=rule,
            forest=self.trees.forest,
            columns=np.asarray(columns, np.int64),
            weight=1.0 if online_only else TREE_WEIGHT,
        )

    def take(self) -> int:
        """Start a measuring point."""
        slot = self.slots.take()
        if self.trees.slots.take() != slot:
            raise AssertionError("the two tables hand out the same slots")
        return slot

    def give_back(self, slot: int) -> None:
        """Forget a measuring point."""
        self.slots.give_back(slot)
        self.trees.slots.give_back(slot)

    def run(self, inputs: Inputs, out: Outputs, first: int, last: int) -> Iterator[int]:
        """Score blocks `first` to `last` - 1 in order, into `out`.

        Yields each block whose alarm changes, before it is folded in: the state is then the one before scoring. The
        caller must exhaust the iterator.
        """
        resume = False
        while True:
            first = kernel.run(
                self.config, self.trees.slots.arrays, self.slots.arrays, inputs, out, first, last, resume
            )
            if first >= last:
                return
            yield first
            resume = True

    def alarm_after(self, slot: int, value: float, at_ns: int) -> Alarm:
        """State of the alarm rule once the block at hand is folded in."""
        alarm, _ = policy.step(self.config.policy, kernel.load_alarm(self.slots.arrays, slot), value, at_ns)
        return alarm

    def first_offset(self, slot: int, own: int) -> int:
        """Input offset of the oldest block that the longest horizon averages over; `own` where there is none before."""
        state = self.slots.arrays
        known = np.delete(state.offsets[slot], int(state.seen[slot]) % RING)  # the oldest one leaves the window
        return int(min(known[known >= 0].min(initial=own), own))

    def digest(self, slot: int) -> str:
        """Sha256 of the model's state."""
        return f"{self.slots.digest(slot)[:32]}{self.trees.slots.digest(slot)[:32]}"

    def slot_bytes(self) -> int:
        """Bytes of state of one measuring point."""
        return self.slots.slot_bytes() + self.trees.slots.slot_bytes()
