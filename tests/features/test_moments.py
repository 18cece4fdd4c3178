"""Time statistics against closed forms and against numpy in double precision."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from foreshock.features import moments


def statistics(x):
    rows = np.atleast_2d(np.array(x, np.float32))
    out = np.empty((len(rows), 5), np.float32)
    moments.window_rows(rows, np.ones(rows.shape[1], np.float32), out, np.empty(len(rows), np.int32))
    return dict(zip(moments.NAMES, out[0].tolist(), strict=True))


def test_a_sine_has_rms_amplitude_over_root_two_and_crest_root_two():
    """A sine of amplitude A has rms A/sqrt 2, peak A, crest sqrt 2, kurtosis 1.5 and skewness 0."""
    found = statistics(3.0 * np.sin(2 * np.pi * np.arange(4096) / 64))

    assert found["rms"] == pytest.approx(3 / np.sqrt(2), rel=1e-6)
    assert found["peak"] == pytest.approx(3.0, rel=1e-6)
    assert found["crest"] == pytest.approx(np.sqrt(2), rel=1e-6)
    assert found["kurtosis"] == pytest.approx(1.5, rel=1e-6)
    assert found["skewness"] == pytest.approx(0.0, abs=1e-6)


def test_a_square_wave_has_crest_and_kurtosis_one():
    """A square wave is all peak: crest 1, kurtosis 1."""
    found = statistics(np.where(np.arange(1000) % 20 < 10, 2.0, -2.0))

    assert (found["rms"], found["crest"], found["kurtosis"]) == pytest.approx((2.0, 1.0, 1.0))


def test_gaussian_noise_has_kurtosis_three():
    """Gaussian noise has kurtosis 3 and skewness 0, within four standard errors."""
    n = 1 << 18
    found = statistics(np.random.default_rng(1).normal(size=n))

    assert found["kurtosis"] == pytest.approx(3.0, abs=4 * np.sqrt(24 / n))
    assert found["skewness"] == pytest.approx(0.0, abs=4 * np.sqrt(6 / n))


def test_exponential_noise_is_skewed_by_two():
    """Exponential noise has skewness 2 and kurtosis 9."""
    found = statistics(np.random.default_rng(2).exponential(size=1 << 18))

    assert found["skewness"] == pytest.approx(2.0, rel=0.05)
    assert found["kurtosis"] == pytest.approx(9.0, rel=0.15)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1.0, 1e6, 1e30])
def test_the_unit_changes_levels_in_proportion_and_shape_not_at_all(unit):
    """Nanometres or gigapascals: no power over- or underflows."""
    x = np.random.default_rng(3).normal(size=777).astype(np.float32)
    here, there = statistics(x), statistics(x * np.float32(unit))

    assert there["rms"] == pytest.approx(here["rms"] * unit, rel=1e-5)
    assert there["kurtosis"] == pytest.approx(here["kurtosis"], rel=1e-5)


def test_an_offset_costs_no_more_than_the_resolution_of_float32():
    """A ripple of 1 on an offset of 1e5 keeps its rms within the rounding of the samples themselves."""
    x = 1e5 + np.sin(2 * np.pi * np.arange(4096) / 64)

    assert statistics(x)["rms"] == pytest.approx(1 / np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("value", [0.0, 5.0, -3e38, 1e-45])
def test_a_constant_row_is_five_zeros(value):
    """No variation, no statistics: zeros, never NaN."""
    assert list(statistics(np.full(100, value)).values()) == [0.0] * 5


@given(st.integers(2, 300), st.integers(0, 2**32 - 1), st.floats(-100, 100), st.floats(1e-3, 1e3))
def test_equals_numpy_in_double_precision(n, seed, offset, scale):
    """Any length, tails of the lanes included, agrees with the textbook formulas."""
    x = (offset + scale * np.random.default_rng(seed).laplace(size=n)).astype(np.float32)
    d = x.astype(float) - x.astype(float).mean()
    m2 = np.mean(d**2)
    assume(m2 > 1e-8 * offset**2)
    tolerance = 1e-5 + 4e-7 * abs(offset) / np.sqrt(m2)
    found = statistics(x)

    assert found["rms"] == pytest.approx(np.sqrt(m2), rel=tolerance)
    assert found["peak"] == pytest.approx(np.abs(d).max(), rel=tolerance)
    assert found["kurtosis"] == pytest.approx(np.mean(d**4) / m2**2, rel=4 * tolerance)
    assert found["skewness"] == pytest.approx(np.mean(d**3) / m2**1.5, rel=4 * tolerance, abs=10 * tolerance)


def test_leaves_the_windowed_deviation_behind():
    """The row becomes (sample - mean) * window, scaled by a power of two."""
    x = np.random.default_rng(4).normal(5.0, 3.0, (2, 100)).astype(np.float32)
    window = np.hanning(100).astype(np.float32)
    rows, exponents = x.copy(), np.empty(2, np.int32)
    moments.window_rows(rows, window, np.empty((2, 5), np.float32), exponents)

    expected = (x - x.mean(axis=1, keepdims=True, dtype=float)) * window
    assert np.ldexp(rows.astype(float), exponents[:, None]) == pytest.approx(expected, abs=1e-5)
