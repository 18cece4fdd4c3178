"""The daily and the weekly profile over weeks of a machine."""

import numpy as np
import pytest

from foreshock.features.scalar.state import HOURS
from tests.features.scalar_rows import rows_of, vectors

DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
EVERY_S = 600.0


def daily(t, amplitude=5.0):
    """Warmest at six in the afternoon."""
    return 20.0 + amplitude * np.sin(2 * np.pi * (t / DAY_S - 0.5))


def weeks(count, step_s=300.0):
    return np.arange(0.0, count * WEEK_S, step_s)


def of(found, name):
    """Times in seconds and values of a feature, where it has one."""
    pairs = [(each["until"] * 1e-9, each[name]) for each in found if not isinstance(each[name], str)]
    return np.array(pairs).T


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_two_weeks_of_a_daily_cycle_are_known(noise):
    """Within 2 % of the amplitude of the true cycle, and two standard errors of the noise of some hourly means."""
    t = weeks(2)
    x = daily(t) + noise * np.random.default_rng(1).normal(size=len(t))
    at, expected = of(vectors(rows_of(t, [x]), EVERY_S), "day_expected[a]")
    late = at > WEEK_S

    assert at[0] == pytest.approx(3 * DAY_S, abs=2 * 3600)  # known from the fourth day on
    assert np.abs(expected - daily(at - 150.0))[late].max() <= 0.02 * 5.0 + 4 * 1.25 * noise / np.sqrt(12 * 7)


def test_what_is_not_as_on_other_days_deviates():
    """A warm afternoon of 6 K in the third week, of which the profile itself takes no notice."""
    t = weeks(3)
    warm = (t > 2 * WEEK_S + 1.6 * DAY_S) & (t < 2 * WEEK_S + 1.9 * DAY_S)
    at, off = of(vectors(rows_of(t, [daily(t) + 6.0 * warm]), EVERY_S), "day_deviation[a]")
    then = (at > 2 * WEEK_S + 1.61 * DAY_S) & (at < 2 * WEEK_S + 1.89 * DAY_S)

    assert off[then] == pytest.approx(6.0, abs=0.15)
    after = at > 2 * WEEK_S + 2.5 * DAY_S
    assert off[after] == pytest.approx(0.0, abs=0.15)


def test_the_week_knows_a_quiet_weekend():
    """A load that halves on Saturday and Sunday: the day expects too much of it, the week does not."""
    t = weeks(4)
    weekend = ((t // DAY_S) % 7 == 3) | (
        (t // DAY_S) % 7 == 4
    )  # the rows begin on a Wednesday ... so the fourth day on
    found = vectors(rows_of(t, [np.where(weekend, 0.4, 0.8)]), EVERY_S)
    at, week = of(found, "week_deviation[a]")
    _, day = of([each for each in found if not isinstance(each["week_deviation[a]"], str)], "day_deviation[a]")
    inside = ((at // DAY_S) % 7 == 3) & (at % DAY_S > 3600) & (at % DAY_S < DAY_S - 3600)

    assert at[0] == pytest.approx(2 * WEEK_S, abs=2 * 3600)
    assert week == pytest.approx(0.0, abs=0.21)  # where the weekend begins, the straight line between two hours
    assert week[inside] == pytest.approx(0.0, abs=1e-6)
    assert day[inside] == pytest.approx(-0.4, abs=1e-6)


def test_hours_without_values_and_of_the_stopped_machine_are_left_out():
    """Two days of holiday and the nights off: what is known comes from the hours it ran in."""
    t = weeks(2)
    night = (t % DAY_S) < 6 * 3600
    gone = (t > 4 * DAY_S) & (t < 6 * DAY_S)
    rows = rows_of(t[~gone], [np.where(night, 5.0, 40.0)[~gone]], run=np.where(night, 0, 2)[~gone])
    found = vectors(rows, EVERY_S)
    at, expected = of(found, "day_expected[a]")

    assert expected == pytest.approx(40.0, abs=1e-6)
    assert {each["day_expected[a]"] for each in found if each["until"] * 1e-9 % DAY_S < 6 * 3600 - 600} == {
        "not_running"
    }
    assert ((at % DAY_S) >= 6 * 3600 - 600).all()


def test_after_five_weeks_away_nothing_is_known_any_more():
    """The profile is of the last four weeks; older hours do not stand for them."""
    first, second = weeks(1), 6 * WEEK_S + np.arange(0.0, 2 * DAY_S, 300.0)
    t = np.concatenate([first, second])
    found = vectors(rows_of(t, [daily(t)]), EVERY_S)
    after = [each["day_expected[a]"] for each in found if each["until"] * 1e-9 > 6 * WEEK_S]

    assert HOURS * 3600 < 5 * WEEK_S
    assert set(after) == {"too_few_rows"}
