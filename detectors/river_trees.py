"""Conversion of one slot of the tree bank to River's own objects and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from foreshock.detectors.trees import TreeBank, feature_keys


def to_river(bank: TreeBank, slot: int) -> tuple[Any, Any]:
    """Build ``(MinMaxScaler, HalfSpaceTrees)`` in the state of a slot; their features are named by `feature_keys`."""
    from river.anomaly import HalfSpaceTrees
    from river.preprocessing import MinMaxScaler

    state, forest = bank.slots.arrays, bank.forest
    names = feature_keys(state.low.shape[1])
    trees: Any = HalfSpaceTrees(
        n_trees=forest.feature.shape[0], height=forest.height, window_size=bank.window, seed=bank.seed
    )
    trees.learn_one(dict.fromkeys(names, 0.5))  # River draws the structure on the first value
    for t, root in enumerate(trees.trees):
        for i, node in heap(root, state.last.shape[2]):
            node.l_mass = int(state.current[slot, t, i])
            node.r_mass = int(state.last[slot, t, i])
    trees.counter = int(state.filled[slot])
    trees._first_window = not state.full[slot]  # noqa: SLF001  # River has no public way to set it
    scaler: Any = MinMaxScaler()
    if np.isfinite(state.low[slot]).all():
        low, high = state.low[slot].tolist(), state.high[slot].tolist()
        scaler.learn_one(dict(zip(names, low, strict=True)))
        scaler.learn_one(dict(zip(names, high, strict=True)))
    return scaler, trees


def from_river(bank: TreeBank, slot: int, scaler: Any, trees: Any) -> None:
    """Put the state of River's objects into a slot.

    Raises
    ------
    ValueError
        The River model has another structure than the bank (features, trees, height, window or seed).
    """
    state, forest = bank.slots.arrays, bank.forest
    names = feature_keys(state.low.shape[1])
    shape = (trees.n_trees, trees.height, trees.window_size)
    if shape != (forest.feature.shape[0], forest.height, bank.window):
        raise ValueError(f"trees, height, window are {shape} in River, not those of the bank")
    bank.slots.clear(slot)
    order = {name: i for i, name in enumerate(names)}
    inner = forest.feature.shape[1]
    for t, root in enumerate(trees.trees):
        for i, node in heap(root, state.last.shape[2]):
            split = (order.get(node.feature), node.threshold) if i < inner else None
            if split is not None and split != (forest.feature[t, i], forest.threshold[t, i]):
                raise ValueError(f"tree {t} splits otherwise at node {i}: other features or another seed")
            state.current[slot, t, i] = node.l_mass
            state.last[slot, t, i] = node.r_mass
    for name, j in order.items():
        if name in scaler.min:
            state.low[slot, j] = scaler.min[name].get()
            state.high[slot, j] = scaler.max[name].get()
    state.filled[slot] = trees.counter
    state.full[slot] = not trees._first_window  # noqa: SLF001  # as above


def heap(root: Any, nodes: int) -> list[tuple[int, Any]]:
    """Give the first `nodes` nodes of a River tree with their index in heap order."""
    found, queue = [], [(0, root)]
    while queue:
        i, node = queue.pop()
        if i < nodes:
            found.append((i, node))
            if getattr(node, "children", None):
                queue += [(2 * i + 1, node.children[0]), (2 * i + 2, node.children[1])]
    return found
