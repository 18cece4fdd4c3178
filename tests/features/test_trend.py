"""Rolling slopes against the closed form and against numpy's least squares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.features import trend


def slopes(times, values, horizon):
    state = trend.create(1, horizon)
    series = np.zeros((len(times), 1), np.int64)
    found = trend.update(state, series, np.asarray(times, float), np.asarray(values, float)[:, None])
    return found[:, 0]


def test_a_ramp_has_the_slope_it_was_made_with():
    """2.5 units a second, sampled anyhow, on any offset."""
    times = np.cumsum(np.random.default_rng(1).uniform(0.1, 3.0, 500)) + 1.7e9
    found = slopes(times, 1e4 + 2.5 * (times - times[0]), 30)

    assert found[0] == 0.0
    assert found[1:] == pytest.approx(2.5, rel=1e-6)


def test_a_constant_has_no_slope():
    """Exactly none."""
    assert (slopes(np.arange(100.0), np.full(100, 7.25), 10) == 0.0).all()


def test_a_step_is_forgotten_after_the_horizon():
    """A rolling slope sees the step for as long as it is within the horizon."""
    found = slopes(np.arange(60.0), np.where(np.arange(60) < 30, 0.0, 1.0), 10)

    assert (found[:30] == 0.0).all()
    assert (found[30:39] > 0.0).all()
    assert found[39:] == pytest.approx(0.0, abs=1e-15)


def test_the_same_time_twice_is_no_slope():
    """Without time between the values there is none."""
    assert slopes([5.0, 5.0, 5.0], [1.0, 2.0, 3.0], 4).tolist() == [0.0] * 3


@given(st.integers(2, 40), st.integers(2, 200), st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6))
def test_equals_numpys_least_squares(horizon, count, seed, offset):
    """At any place of the ring, however often it went round."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.5, 2.0, count)) + 1.6e9
    values = offset + rng.normal(size=count).cumsum()
    t, x = times[-horizon:] - times[-1], values[-horizon:] - values[-1]

    assert slopes(times, values, horizon)[-1] == pytest.approx(np.polyfit(t, x, 1)[0], rel=1e-6, abs=1e-8)


def test_rounding_does_not_pile_up():
    """After a million values of a huge and then a small signal the slope is that of the small one."""
    n = 300_000
    values = np.concatenate([np.random.default_rng(3).normal(0, 1e9, n), np.arange(200.0)])

    assert slopes(np.arange(n + 200.0), values, 50)[-1] == pytest.approx(1.0, rel=1e-9)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-10, 10)), min_size=1, max_size=60), st.integers(0, 60))
def test_series_are_separate_and_any_split_gives_the_same(rows, cut):
    """Interleaved series in one or two batches equal each series alone, bit for bit."""
    series = np.array([[s] for s, _ in rows], np.int64)
    values = np.array([[v] for _, v in rows])
    times = np.arange(len(rows), dtype=float)
    whole = trend.update(trend.create(4, 5), series, times, values)
    state = trend.create(4, 5)
    parts = [trend.update(state, series[k], times[k], values[k]) for k in (slice(0, cut), slice(cut, None))]

    assert np.concatenate(parts).tobytes() == whole.tobytes()
    for s in range(4):
        own = series[:, 0] == s
        if own.any():
            assert slopes(times[own], values[own, 0], 5).tobytes() == whole[own, 0].tobytes()


def test_growing_keeps_what_is_there():
    """More room, same slopes."""
    small, series = trend.create(1, 4), np.zeros((1, 1), np.int64)
    for i in range(7):
        trend.update(small, series, np.array([float(i)]), np.array([[2.0 * i]]))
    large = trend.grow(small, 10)

    assert trend.update(large, series, np.array([7.0]), np.array([[14.0]]))[0, 0] == pytest.approx(2.0)
    assert trend.update(large, series + 9, np.array([7.0]), np.array([[14.0]]))[0, 0] == 0.0


def test_a_horizon_of_one_is_refused():
    """One value has no slope."""
    with pytest.raises(ValueError, match="at least 2"):
        trend.create(3, 1)
