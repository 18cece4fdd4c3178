"""Intervals against their closed forms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foreshock.alerts.outcomes.bounds import changed, rate, share, time_between


def test_a_share_of_nothing_but_hits_has_its_closed_form():
    """All of n: the lower bound is 0.05 ** (1 / n); none of n: the upper is one less that."""
    assert share(10, 10).lower == pytest.approx(0.05**0.1)
    assert share(0, 10).upper == pytest.approx(1 - 0.05**0.1)
    assert (share(10, 10).upper, share(0, 10).lower, share(0, 0).value) == (1.0, 0.0, None)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_is_scipys_exact_interval(case):
    """Clopper-Pearson of scipy.stats says the same, and the estimate is inside."""
    hits, of = case
    found, theirs = share(hits, of), stats.binomtest(hits, of).proportion_ci(0.9, method="exact")

    assert (found.lower, found.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert found.lower <= hits / of <= found.upper


def test_no_event_gives_a_rate_of_at_most_three_by_the_exposure():
    """Rule of three at 95 % one-sided: -ln 0.05."""
    assert rate(0, 2.0).upper == pytest.approx(-math.log(0.05) / 2)
    assert rate(0, 2.0).lower == 0.0
    assert rate(3, 0.0).value is None


def test_time_between_failures_is_the_chi_square_bound_of_a_timed_test():
    """2 T over chi square with 2 r + 2 and 2 r degrees; a failure-free observation has only a lower bound."""
    found = time_between(4, 1000.0)

    assert found.value == 250.0
    assert found.lower == pytest.approx(2000 / stats.chi2.ppf(0.95, 10))
    assert found.upper == pytest.approx(2000 / stats.chi2.ppf(0.05, 8))
    assert time_between(0, 1000.0).value is None
    assert time_between(0, 1000.0).lower == pytest.approx(1000 / -math.log(0.05))
    assert time_between(0, 1000.0).upper is None


@given(st.integers(0, 40), st.floats(0.1, 1e6))
def test_time_between_is_one_over_the_rate(events, exposure):
    """The two intervals are the same one, turned over."""
    of_rate, of_time = rate(events, exposure), time_between(events, exposure)

    assert of_time.lower == pytest.approx(1 / of_rate.upper)
    assert of_time.upper == (pytest.approx(1 / of_rate.lower) if events else None)


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_a_changed_share_is_fishers_exact_test(before, after, data):
    """scipy.stats says the same."""
    first, second = data.draw(st.integers(0, before)), data.draw(st.integers(0, after))
    theirs = stats.fisher_exact([[first, before - first], [second, after - second]]).pvalue

    assert changed(first, before, second, after) == pytest.approx(theirs, abs=1e-6)
