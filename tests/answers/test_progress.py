"""How a score progresses: against lines that are known, and against noise that goes nowhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.answers.progress import AHEAD, LEAST, progress, reach


def line(count, rate, noise=0.0, start=0.5, hours=100.0, seed=0, phi=0.0):
    """Scores along a line over some hours, with noise of which each value resembles the last."""
    rng = np.random.default_rng(seed)
    times = np.linspace(0.0, hours, count)
    error, walk = np.zeros(count), 0.0
    for n in range(count):
        walk = phi * walk + np.sqrt(1 - phi * phi) * rng.normal()
        error[n] = walk
    return list(times), list(start + rate * times + noise * error)


def test_a_line_has_its_slope_and_reaches_its_level_on_time():
    """From 0.5 by 0.01 an hour: 1.5 now, 2.0 in 50 hours; 5.0 is further than three times the look back."""
    found = progress(*line(60, 0.01))

    assert found.word == "rising"
    assert found.rate == pytest.approx(0.01)
    assert reach(found, 2.0).likely_h == pytest.approx((2.0 - found.level) / 0.01)
    assert reach(found, 5.0).likely_h is None
    assert reach(found, 1.0).likely_h is None  # it is there already


def test_a_single_wild_score_turns_nothing():
    """One outlier of a hundred times the level leaves the slope as it is."""
    times, values = line(60, 0.01)
    values[40] = 100.0

    assert progress(times, values).rate == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_few_scores_say_nothing(count):
    """Below twelve there is a level, and no rate."""
    found = progress(*line(count, 0.01)) if count else progress([], [])

    assert found is None if count == 0 else found.word == "unknown"


def test_scores_of_one_time_say_nothing():
    """No span, no rate; and no division by it."""
    assert progress([1.0] * 50, [0.5] * 50).word == "unknown"


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_noise_is_called_a_drift_seldom(phi):
    """A 90 % interval leaves out the truth in about a tenth of the cases, also where each score resembles the last."""
    wrong = sum(progress(*line(60, 0.0, noise=0.2, seed=seed, phi=phi)).word != "steady" for seed in range(200))

    assert wrong <= 200 * 0.17


def test_many_scores_are_thinned_and_say_the_same():
    """Five thousand rows in noise: the rate is found, quickly."""
    assert progress(*line(5000, 0.01, noise=0.2)).rate == pytest.approx(0.01, rel=0.1)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.floats(-5, 20))
def test_the_interval_holds_the_rate_and_no_time_is_before_another(values, level):
    """For any scores at all."""
    found = progress([float(n) for n in range(len(values))], values)
    when = reach(found, level)
    hours = [each for each in (when.earliest_h, when.likely_h, when.latest_h) if each is not None]

    assert found.rate is None or found.lower <= found.rate <= found.upper
    assert hours == sorted(hours)
    assert all(0 < each <= AHEAD * found.span_h for each in hours)
