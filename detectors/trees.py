"""A bank of half-space trees: the trees of many assets in shared arrays, one tree structure for all.

Half-space trees (Tan, Ting, Liu, IJCAI 2011, "Fast Anomaly Detection for Streaming Data") count in each node how many
of the last `window` values fell into it. The structure is drawn once from the seed and never sees data, so all assets
with the same features share it, and the state of an asset is its counts and the running range of its features.

Bit for bit equal to ``river.preprocessing.MinMaxScaler() | river.anomaly.HalfSpaceTrees(...)``: the structure is drawn
as River draws it and every operation is done in River's order (tests/detectors/test_trees.py).
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from foreshock.detectors.slots import Field, Slots

PADDING = 0.15  # River's: no split is closer to a limit than this share of the range


class Forest(NamedTuple):
    """The structure: split feature and threshold per tree and inner node, in heap order (children 2i+1, 2i+2)."""

    feature: npt.NDArray[np.int16]  # [trees, 2**height - 1]
    threshold: npt.NDArray[np.float64]
    height: int


class TreeState(NamedTuple):
    """Counts and ranges, slots first."""

    current: npt.NDArray[np.uint8]  # [slots, trees, 2**(height+1) - 1] masses of the window being filled
    last: npt.NDArray[np.uint8]  # masses of the last full window: what is scored with
    low: npt.NDArray[np.float64]  # [slots, features]
    high: npt.NDArray[np.float64]
    filled: npt.NDArray[np.int64]  # [slots] values in the current window
    full: npt.NDArray[np.uint8]  # [slots] 1 once a window was filled


@cache
def forest(features: int, trees: int, height: int, seed: int) -> Forest:
    """Draw the structure that River draws for the same parameters.

    River's own code is not called: its package loads all of scipy.stats, which is half a second of each start.
    """
    inner = 2**height - 1
    rng = random.Random(seed)  # noqa: S311  # the one that River draws from
    feature = np.zeros((trees, inner), np.int16)
    threshold = np.zeros((trees, inner), np.float64)
    for t in range(trees):
        _draw(rng, np.tile((0.0, 1.0), (features, 1)), np.ones(features), 0, feature[t], threshold[t])
    return Forest(feature, threshold, height)


def _draw(rng: random.Random, limits: Any, widths: Any, node: int, feature: Any, threshold: Any) -> None:
    """Draw the split of a node and of all below it, in the order of `river.tree.padded.make_padded_tree`.

    The feature is drawn as `random.choices` does it, with the running sum made by numpy: for 64 channels the draws would
    hold up the first block for a second.
    """
    if node >= len(feature):
        return
    sums = widths.cumsum()
    on = min(int(sums.searchsorted(rng.random() * float(sums[-1]), side="right")), len(sums) - 1)
    low, high = float(limits[on, 0]), float(limits[on, 1])
    at = rng.uniform(low + PADDING * (high - low), high - PADDING * (high - low))
    feature[node], threshold[node] = on, at
    for child, part in ((2 * node + 1, (low, at)), (2 * node + 2, (at, high))):
        limits[on], widths[on] = part, part[1] - part[0]
        _draw(rng, limits, widths, child, feature, threshold)
        limits[on], widths[on] = (low, high), high - low


def feature_keys(features: int) -> tuple[str, ...]:
    """Names whose sorted order, which River uses, is the order of the columns."""
    return tuple(f"f{i:04d}" for i in range(features))


@nb.njit(cache=True, nogil=True)
def scale(x: Any, low: Any, high: Any, out: Any) -> None:
    """Min-max scaling as River does it: (x - low) / (high - low), 0 where the range is empty."""
    for j in range(x.shape[0]):
        value = float(x[j])
        span = high[j] - low[j]
        out[j] = (value - low[j]) / span if span != 0.0 else 0.0


@nb.njit(cache=True, nogil=True)
def score_scaled(forest: Any, last: Any, scaled: Any, window: int) -> float:
    """Score one scaled vector: 1 - (sum over trees of mass * 2**depth down to a node of little mass) / the largest sum."""
    limit = 0.1 * window
    trees = forest.feature.shape[0]
    total = 0.0
    for t in range(trees):
        node, power, stopped = 0, 1.0, False
        for _ in range(forest.height):
            mass = float(last[t, node])
            total += mass * power
            if mass < limit:
                stopped = True
                break
            left = scaled[forest.feature[t, node]] < forest.threshold[t, node]
            node = 2 * node + (1 if left else 2)
            power *= 2.0
        if not stopped:
            total += float(last[t, node]) * power
    return float(1.0 - total / (trees * window * (2.0 ** (forest.height + 1) - 1.0)))


@nb.njit(cache=True, nogil=True)
def count_scaled(forest: Any, state: Any, slot: int, scaled: Any, window: int) -> None:
    """Count a vector of the unit cube in every tree; turn the window over when it is full."""
    current = state.current[slot]
    for t in range(forest.feature.shape[0]):
        node = 0
        for _ in range(forest.height):
            current[t, node] += 1
            left = scaled[forest.feature[t, node]] < forest.threshold[t, node]
            node = 2 * node + (1 if left else 2)
        current[t, node] += 1
    state.filled[slot] += 1
    if state.filled[slot] >= window:
        last = state.last[slot]
        for t in range(current.shape[0]):
            for node in range(current.shape[1]):
                last[t, node] = current[t, node]
                current[t, node] = 0
        state.filled[slot] = 0
        state.full[slot] = 1


@nb.njit(cache=True, nogil=True)
def learn(forest: Any, state: Any, slot: int, x: Any, scaled: Any, window: int) -> None:
    """Fold one vector in: widen the ranges, then count it."""
    for j in range(x.shape[0]):
        value = float(x[j])
        state.low[slot, j] = min(state.low[slot, j], value)
        state.high[slot, j] = max(state.high[slot, j], value)
    scale(x, state.low[slot], state.high[slot], scaled)
    count_scaled(forest, state, slot, scaled, window)


@nb.njit(cache=True, nogil=True)
def score(forest: Any, state: Any, slot: int, x: Any, scaled: Any, window: int) -> float:
    """Score one vector from the slot's state, which stays as it is; 0.0 before the first full window, as in River."""
    if state.full[slot] == 0:
        return 0.0
    scale(x, state.low[slot], state.high[slot], scaled)
    return float(score_scaled(forest, state.last[slot], scaled, window))


@nb.njit(cache=True, nogil=True)
def attribute(forest: Any, last: Any, scaled: Any, window: int, gain: Any) -> None:
    """Add to `gain[feature]` the share of mass that each split on the path took away, beyond the half it takes on average."""
    limit = 0.1 * window
    for t in range(forest.feature.shape[0]):
        node = 0
        for _ in range(forest.height):
            mass = float(last[t, node])
            if mass < limit or mass == 0.0:
                break
            split = forest.feature[t, node]
            node = 2 * node + (1 if scaled[split] < forest.threshold[t, node] else 2)
            gain[split] += max(0.0, 1.0 - 2.0 * float(last[t, node]) / mass)


def tree_fields(features: int, trees: int, height: int, window: int) -> dict[str, Field]:
    """Fields of the state; masses take 8 bits up to a window of 255, else 16."""
    nodes = (trees, 2 ** (height + 1) - 1)
    mass = np.uint8 if window <= 255 else np.uint16
    return {
        "current": Field(nodes, mass),
        "last": Field(nodes, mass),
        "low": Field((features,), np.float64, np.inf),
        "high": Field((features,), np.float64, -np.inf),
        "filled": Field((), np.int64),
        "full": Field((), np.uint8, most=1),
    }


class TreeBank:
    """Half-space trees of many assets: `learn_one` and `score_one` per slot; kernels take `forest` and `slots.arrays`.

    Parameters
    ----------
    features
        Number of features.
    trees, height, seed
        Structure, as in River.
    window
        Values per window of counts; a slot scores once it has seen one window.
    """

    def __init__(self, features: int, *, trees: int = 25, height: int = 8, window: int = 250, seed: int = 42) -> None:
        self.window = window
        self.seed = seed
        self.forest = forest(features, trees, height, seed)
        self.slots = Slots(TreeState, tree_fields(features, trees, height, window))
        self._scaled = np.empty(features, np.float64)

    def score_one(self, slot: int, x: npt.NDArray[np.floating[Any]]) -> float:
        """Score in [0, 1], higher is more unusual; does not change the state."""
        return float(score(self.forest, self.slots.arrays, slot, x, self._scaled, self.window))

    def learn_one(self, slot: int, x: npt.NDArray[np.floating[Any]]) -> None:
        """Fold one vector [features] in."""
        learn(self.forest, self.slots.arrays, slot, x, self._scaled, self.window)

    def ready(self, slot: int) -> bool:
        """Whether a full window was seen."""
        return bool(self.slots.arrays.full[slot])
