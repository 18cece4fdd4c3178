"""Operating conditions that are found from speed and load."""

import numpy as np
import pytest

from foreshock.features.scalar.regimes import HOLD
from foreshock.features.scalar.state import REGIMES
from tests.features.scalar_rows import rows_of, vectors


def found(speeds, loads=None, spread=0.01, minutes=10):
    """Conditions of a machine that runs at each of these points for ten minutes, a row each ten seconds."""
    rng = np.random.default_rng(1)
    speed, t = np.repeat(np.asarray(speeds, float), 6 * minutes), np.arange(6 * minutes * len(speeds)) * 10.0
    load = None if loads is None else np.repeat(loads, 6 * minutes) + spread * rng.normal(size=len(t))
    rows = rows_of(t, [speed], speed=speed * (1 + spread * rng.normal(size=len(t))), load=load)
    return vectors(rows)


def numbers(made):
    return [each["regime"] for each in made]


def test_each_point_of_a_machine_is_one_condition():
    """Two speeds, four times each: two conditions, in the order in which they were met; each change after three minutes."""
    made = numbers(found([25.0, 50.0] * 4))

    assert made[:HOLD] == ["too_few_rows"] * HOLD
    for k in range(8):
        inside = made[10 * k + HOLD + 1 : 10 * k + 10]
        assert set(inside) == {float(k % 2)}


def test_load_tells_conditions_of_one_speed_apart():
    """A compressor on load and off load."""
    made = numbers(found([50.0] * 4, [0.3, 0.9, 0.3, 0.9]))

    assert {made[8], made[28]} == {0.0}
    assert {made[18], made[38]} == {1.0}


def test_a_machine_between_two_conditions_does_not_chatter():
    """Load that wanders by up to 12 % of the largest stays one condition; a short peak is none."""
    load = 0.7 + 0.06 * np.sin(np.arange(60)) + 0.3 * (np.arange(60) == 30)
    made = numbers(found([50.0] * 60, load, minutes=1))

    assert set(made[5:]) == {0.0}


def test_conditions_are_bounded():
    """Twenty speeds: eight conditions, and the nearest of them for the rest."""
    made = found(np.linspace(10, 100, 20))
    seen = {each for each in numbers(made) if not isinstance(each, str)}

    assert seen == set(map(float, range(REGIMES)))
    assert all(np.isfinite(each["regime_distance"]) for each in made[HOLD:])


def test_how_long_and_how_far():
    """Age since the change, distance from the centre in shares of the largest."""
    made = found([25.0, 50.0])

    assert made[-1]["regime_distance"] == pytest.approx(0.0, abs=0.01)
    assert made[10]["regime_distance"] == pytest.approx(0.5, abs=0.02)
    ages = [each["regime_age"] for each in made if each["regime"] == 1.0]
    assert ages[0] == pytest.approx(60.0)
    assert np.diff(ages) == pytest.approx(60.0)


def test_without_speed_and_load_there_is_none():
    """Nobody knows."""
    assert set(numbers(vectors(rows_of(np.arange(600.0), [np.ones(600)])))) == {"no_speed"}
