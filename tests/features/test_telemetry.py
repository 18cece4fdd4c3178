"""Features of rows of tags against numpy, and the same in any framing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.features import telemetry
from foreshock.features.telemetry import FEATURES, WINDOW, create, update

FIELD = {name: i for i, name in enumerate(FEATURES)}


def rows_of(values, times=None):
    """Features of one tag [rows, features]."""
    values = np.asarray(values, float)
    times = np.arange(len(values), dtype=float) if times is None else times
    return update(create(1), np.zeros((len(values), 1), np.int64), times, values[:, None])


def test_a_ramp_has_its_slope_in_every_horizon():
    """A temperature that rises 0.25 K a second."""
    times = 10.0 * np.arange(200)
    found = rows_of(300 + 0.25 * times, times)

    for h in telemetry.HORIZONS:
        assert found[1:, FIELD[f"slope_{h}"]] == pytest.approx(0.25, rel=1e-5)
    assert found[1:, FIELD["difference"]] == pytest.approx(2.5, rel=1e-5)


def test_rolling_statistics_equal_numpy():
    """Mean, standard deviation and extremes of the last 128 values."""
    x = np.random.default_rng(1).normal(50, 3, 400)
    found = rows_of(x)
    for i in (0, 1, 5, 127, 128, 129, 399):
        last = x[max(0, i + 1 - WINDOW) : i + 1]
        expected = (last.mean(), last.std(), last.min(), last.max())

        assert found[i, 1:5] == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_robust_z_is_against_the_rows_before():
    """The value itself, and a few outliers before it, do not move its scale."""
    x = np.random.default_rng(2).normal(0, 1, 300)
    x[250] = 1000.0
    x[299] = 8.0
    before = x[299 - WINDOW : 299]
    scale = 1.4826 * np.median(np.abs(before - np.median(before)))
    found = rows_of(x)

    assert found[299, FIELD["robust_z"]] == pytest.approx((8.0 - np.median(before)) / scale, rel=1e-5)
    assert found[250, FIELD["robust_z"]] == telemetry.Z_LIMIT


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(-1e6, 1e6))
def test_robust_z_equals_the_textbook(before, value):
    """Median and median absolute deviation of any short history, odd or even."""
    x = np.array(before)
    median = np.median(x)
    scale = max(1.4826 * np.median(np.abs(x - median)), telemetry.SCALE_FLOOR * abs(median), 1e-30)
    expected = np.clip((value - median) / scale, -30, 30)

    assert rows_of([*before, value])[-1, FIELD["robust_z"]] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_a_missing_value_repeats_what_is_known():
    """NaN leaves the series as it is."""
    with_hole, without = rows_of([1.0, 2.0, np.nan, 4.0], np.array([0.0, 1.0, 2.0, 3.0])), rows_of([1.0, 2.0])

    assert with_hole[2, FIELD["difference"]] == 0.0
    assert np.delete(with_hole[2], FIELD["difference"]).tolist() == np.delete(without[1], FIELD["difference"]).tolist()
    assert with_hole[3, FIELD["difference"]] == 2.0


def test_a_tag_without_any_value_is_zero():
    """Nothing known, nothing claimed."""
    assert (rows_of([np.nan, np.nan]) == 0.0).all()


def test_a_constant_tag_is_finite():
    """A scale of zero is clamped."""
    found = rows_of([5.0] * 50 + [5.1])

    assert np.isfinite(found).all()
    assert found[49, FIELD["robust_z"]] == 0.0
    assert found[50, FIELD["robust_z"]] == telemetry.Z_LIMIT


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.lists(st.integers(0, 200), max_size=4))
@settings(max_examples=40)
def test_any_framing_gives_the_same_bytes(seed, rows, cuts):
    """Rows in one frame or in many, with missing values: the same features."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3))
    values[rng.random((rows, 3)) < 0.1] = np.nan
    series = np.tile(np.array([0, 1, 2]), (rows, 1))
    times = np.arange(rows, dtype=float)
    whole = update(create(3), series, times, values)
    state = create(3)
    parts = [
        update(state, series[k], times[k], values[k])
        for k in np.split(np.arange(rows), sorted(c for c in cuts if c < rows))
    ]

    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_growing_keeps_what_is_there():
    """More room, same features."""
    small, series = create(1), np.zeros((5, 1), np.int64)
    update(small, series, np.arange(5.0), np.arange(5.0)[:, None])
    large = telemetry.grow(small, 4)

    assert (
        update(large, series[:1], np.array([5.0]), np.array([[5.0]])).tolist() == rows_of(np.arange(6.0))[5:].tolist()
    )


def test_names_follow_the_columns():
    """All features of a tag, then those of the next."""
    names = telemetry.names(("pressure", "flow"))

    assert names[0] == "value[pressure]"
    assert names[len(FEATURES)] == "value[flow]"
    assert len(set(names)) == 2 * len(FEATURES)
