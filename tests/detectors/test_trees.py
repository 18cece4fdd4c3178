"""The tree bank is River's HalfSpaceTrees after MinMaxScaler, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from foreshock.detectors.river_trees import from_river, heap, to_river
from foreshock.detectors.trees import TreeBank, feature_keys, forest


def river_model(window: int, seed: int):
    from river import anomaly, compose, preprocessing

    trees = anomaly.HalfSpaceTrees(n_trees=25, height=8, window_size=window, seed=seed)
    return compose.Pipeline(preprocessing.MinMaxScaler(), trees)


def stream(seed: int, rows: int, features: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features)).astype(np.float32)
    x[rows // 2 :: 37] *= 5
    x[:, 3] = 1.5  # a feature that never changes has no range
    return x


@pytest.mark.slow
@pytest.mark.parametrize("seed", [42, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2026))])
def test_equals_river_bit_for_bit_over_ten_thousand_values(seed: int) -> None:
    """Scores of 10,000 values, score first and learn then, are the same floats."""
    window, features = 100, 20
    bank = TreeBank(features, window=window, seed=seed)
    other, slot = bank.slots.take(), bank.slots.take()
    model = river_model(window, seed)
    names = feature_keys(features)
    for i, x in enumerate(stream(seed, 10_000, features)):
        row = dict(zip(names, x.astype(float).tolist(), strict=True))
        assert bank.score_one(slot, x) == model.score_one(row), f"value {i}"
        bank.learn_one(slot, x)
        model.learn_one(row)
        bank.learn_one(other, x[::-1].copy())


@pytest.mark.parametrize(("features", "trees", "height"), [(1, 3, 1), (2, 10, 4), (7, 25, 8), (40, 5, 10)])
@pytest.mark.parametrize("seed", [0, 1, 2**31])
def test_draws_the_structure_that_river_draws(features: int, trees: int, height: int, seed: int) -> None:
    """Every split of every tree is on the same feature at the same value as in River's own trees."""
    from river.anomaly import HalfSpaceTrees

    names = feature_keys(features)
    model = HalfSpaceTrees(n_trees=trees, height=height, window_size=1, seed=seed)
    model.learn_one(dict.fromkeys(names, 0.5))
    drawn = forest(features, trees, height, seed)

    for t, root in enumerate(model.trees):
        nodes = heap(root, 2**height - 1)
        assert len(nodes) == 2**height - 1
        for i, node in nodes:
            assert (names[drawn.feature[t, i]], drawn.threshold[t, i]) == (node.feature, node.threshold)


def test_goes_to_river_and_back_without_a_change() -> None:
    """A slot converted to River and a River model converted to a slot go on with the same scores."""
    window, features = 50, 6
    bank = TreeBank(features, window=window, seed=3)
    slot, copy = bank.slots.take(), bank.slots.take()
    x = stream(9, 400, features)
    for row in x[:170]:
        bank.learn_one(slot, row)
    scaler, trees = to_river(bank, slot)
    from_river(bank, copy, scaler, trees)

    assert bank.slots.digest(copy) == bank.slots.digest(slot)
    for row in x[170:]:
        named = dict(zip(feature_keys(features), row.astype(float).tolist(), strict=True))
        expected = trees.score_one(scaler.transform_one(named))
        assert bank.score_one(slot, row) == expected == bank.score_one(copy, row)
        scaler.learn_one(named)
        trees.learn_one(scaler.transform_one(named))
        bank.learn_one(slot, row)
        bank.learn_one(copy, row)


def test_refuses_a_river_model_of_another_structure() -> None:
    """A model drawn from another seed is refused, not misread."""
    bank = TreeBank(4, window=50, seed=3)
    other = TreeBank(4, window=50, seed=4)
    slot = bank.slots.take()
    with pytest.raises(ValueError, match="another seed"):
        from_river(bank, slot, *to_river(other, other.slots.take()))


def test_slots_grow_without_touching_what_they_hold() -> None:
    """Growing the table keeps every slot's state, and a returned slot starts from nothing."""
    bank = TreeBank(4, window=20)
    first = bank.slots.take()
    for row in stream(5, 60, 4):
        bank.learn_one(first, row)
    before = bank.slots.digest(first)
    fresh = bank.slots.digest(bank.slots.take())
    for _ in range(40):
        bank.slots.take()
    assert bank.slots.digest(first) == before

    bank.slots.give_back(first)
    assert bank.slots.digest(bank.slots.take()) == fresh
