"""What a measuring point demands: bands, deadband, delays, N of M, trend, hypothesis, minimum effect, faulty sensors."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.alerts.conditions import Condition, Count, Reading, evaluate, level, lowest
from foreshock.alerts.policy import Effect
from foreshock.alerts.states import Fall
from foreshock.alerts.vocabulary import Severity, SuppressedBy
from tests.alerts.alarm_samples import CRITICAL, WARNING, WATCH, S, band, policy


def after(rules, *readings, factor=1.0):
    """Condition and demands after readings, one a second where only values are given."""
    condition, demands = Condition(), []
    for place, given_ in enumerate(readings):
        reading = given_ if isinstance(given_, Reading) else Reading(place * S, given_)
        condition, demand = evaluate(rules, condition, reading, factor)
        demands.append(demand)
    return condition, demands


def severities(rules, *readings, **more):
    """What was demanded after each reading."""
    return [demand.severity and demand.severity.value for demand in after(rules, *readings, **more)[1]]


def test_the_highest_band_that_is_reached_is_demanded():
    """Levels are reached at their value, and left below their clear level."""
    values = (0.99, 1.0, 2.0, 4.0, 3.2, 3.19, 1.6, 1.59, 0.8, 0.79)

    assert severities(policy(), *values) == [
        None, "watch", "warning", "critical", "critical", "warning", "warning", "watch", "watch", None,
    ]  # fmt: skip


def test_a_quiet_point_is_the_default():
    """What is over leaves no state behind."""
    assert after(policy(), 0.5)[0] == Condition()
    assert after(policy(), 5.0, 0.5)[0] == Condition()
    assert after(policy(band(n=2, m=4)), 2.5, 0.5, 0.5, 0.5, 0.5)[0] == Condition()


def test_the_on_delay_is_the_time_from_the_first_reading_at_the_level():
    """It stands once the readings span the delay; a reading below begins it anew."""
    rules = policy(band(on_delay_s=3.0))

    assert severities(rules, 2.0, 2.0, 2.0, 2.0) == [None, None, None, "warning"]
    assert severities(rules, 2.0, 2.0, 1.0, 2.0, 2.0, 2.0, 2.0)[-2:] == [None, "warning"]


def test_the_off_delay_is_the_time_from_the_first_reading_below_the_clear_level():
    """It ends once the readings span the delay; a reading in the deadband begins it anew."""
    rules = policy(band(off_delay_s=3.0))

    assert severities(rules, 2.0, 1.0, 1.0, 1.0, 1.0) == ["warning", "warning", "warning", "warning", None]
    assert severities(rules, 2.0, 1.0, 1.0, 1.7, 1.0, 1.0, 1.0)[-1] == "warning"


def test_an_off_delay_ends_by_time_alone():
    """The demand names when it falls; a reading after that begins from nothing."""
    rules = policy(
        band(Severity.WATCH, 1.0, 0.8, off_delay_s=10.0), band(off_delay_s=3.0), band(Severity.CRITICAL, 4.0, 3.2)
    )
    condition, demands = after(rules, 5.0, 0.5)

    assert demands[-1].severity is Severity.WARNING
    assert demands[-1].falls == (Fall(4 * S, Severity.WATCH), Fall(11 * S, None))
    assert evaluate(rules, condition, Reading(4 * S, None))[1].severity is Severity.WATCH
    assert evaluate(rules, condition, Reading(11 * S, None)) [0] == Condition()  # fmt: skip


def test_a_higher_band_ends_no_earlier_than_it_does_though_a_lower_one_would():
    """What demands more demands the less as well: the lower one goes with it."""
    rules = policy(band(Severity.WATCH, 1.0, 0.8), band(off_delay_s=5.0))
    _, demands = after(rules, 2.5, 0.5)

    assert demands[-1].severity is Severity.WARNING
    assert demands[-1].falls == (Fall(6 * S, None),)


def test_n_of_m_counts_rows():
    """It stands with the n-th row at the level among the last m."""
    rules = policy(band(n=3, m=5))

    assert severities(rules, 2.0, 0.0, 2.0, 0.0, 2.0)[-1] == "warning"
    assert severities(rules, 2.0, 0.0, 2.0, 0.0, 0.0, 2.0)[-1] is None


@pytest.mark.parametrize(
    ("rules", "values", "by"),
    [
        (policy(band(on_delay_s=3.0)), (2.0, 2.0, 1.0), SuppressedBy.FLEETING),
        (policy(band(n=2, m=3)), (2.0, 1.0, 1.0, 1.0), SuppressedBy.N_OF_M),
        (policy(band(n=2, m=2, on_delay_s=9.0)), (2.0, 2.0, 1.0, 1.0), SuppressedBy.FLEETING),
        (policy(band(on_delay_s=3.0)), (2.0, Reading(S, None, running=False)), SuppressedBy.FLEETING),
    ],
)
def test_what_was_over_before_it_stood_is_told_once(rules, values, by):
    """The reading that ends it names the severity and the reason."""
    _, demands = after(rules, *values)

    assert [demand.missed for demand in demands] == [None] * (len(values) - 1) + [Severity.WARNING]
    assert demands[-1].missed_by is by
    assert demands[-1].missed_rule.startswith("warning: score >= 2")


def test_rows_without_a_value_change_nothing():
    """Not scored, not usable, not a number: neither begins, ends nor counts anything."""
    rules = policy(band(n=2, m=2))
    nothing = (Reading(S, None), Reading(S, 9.0, usable=False), Reading(S, math.nan))

    for each in nothing:
        assert severities(rules, 2.0, each, Reading(2 * S, 2.0)) == [None, None, "warning"]
        assert severities(policy(), 2.0, each) == ["warning", "warning"]
        assert after(rules, each)[0] == Condition()


def test_growth_is_enough_by_itself_from_its_score_on():
    """A trend at or above its level reaches the band from `trend_score` on."""
    rules = policy(band(trend_at=0.5, trend_score=1.7))

    assert severities(rules, Reading(0, 1.69, trend=0.9)) == [None]
    assert severities(rules, Reading(0, 1.7, trend=0.49)) == [None]
    _, (demand,) = after(rules, Reading(0, 1.7, trend=0.5))
    assert demand.severity is Severity.WARNING
    assert demand.rule == "warning: trend 0.5/h >= 0.5/h at score 1.7 >= 1.7"


def test_a_hypothesis_lowers_the_level():
    """With one that matches, the band begins at `hypothesis_at`."""
    rules = policy(band(hypotheses=("outer race*",), hypothesis_at=1.7))

    assert severities(rules, Reading(0, 1.7, hypothesis="outer race, BPFO")) == ["warning"]
    assert severities(rules, Reading(0, 1.7, hypothesis="unbalance")) == [None]
    assert severities(rules, Reading(0, 1.7)) == [None]


@pytest.mark.parametrize(
    ("least", "effect", "withheld"),
    [
        (Effect(absolute=0.5), (("rms", 1.5, 1.0),), True),  # at the bound is within
        (Effect(absolute=0.5), (("rms", 1.51, 1.0),), False),
        (Effect(relative=0.2), (("rms", -1.2, -1.0),), True),
        (Effect(relative=0.2), (("rms", -1.3, -1.0),), False),
        (Effect(absolute=0.5, relative=0.2), (("rms", 10.6, 10.0),), True),  # enough of one is not enough
        (Effect(absolute=0.5), (("rms", 1.1, 1.0), ("kurtosis", 9.0, 3.0)), False),  # one feature is enough
        (Effect(features=("rms*",), absolute=0.5), (("rms[x]", 1.1, 1.0), ("kurtosis", 9.0, 3.0)), True),
        (Effect(features=("rms*",), absolute=0.5), (("kurtosis", 9.0, 3.0),), False),  # nothing to judge by
        (Effect(absolute=0.5), (), False),
        (None, (("rms", 1.0, 1.0),), False),
    ],
)
def test_the_minimum_effect_withholds_what_hardly_changed(least, effect, withheld):
    """What is within the stated distance of expected is demanded, and withheld; what is not known withholds nothing."""
    rules = policy(minimum_effect=least)
    condition, (demand,) = after(rules, Reading(0, 2.5, effect=effect))

    assert demand.severity is Severity.WARNING
    assert demand.withheld is (SuppressedBy.MINIMUM_EFFECT if withheld else None)
    assert evaluate(rules, condition, Reading(S, None))[1].withheld is demand.withheld  # until it is known better


def test_a_faulty_sensor_demands_nothing_and_ends_nothing():
    """Its demand is withheld; its low readings do not clear what stands."""
    rules = policy()

    assert after(rules, Reading(0, 5.0, inhibited=True))[1][0].withheld is SuppressedBy.SENSOR_FAULT
    assert severities(rules, 5.0, Reading(S, 0.1, inhibited=True)) == ["critical", "critical"]
    assert severities(rules, 5.0, Reading(S, 0.1, inhibited=True), 0.1) == ["critical", "critical", None]


def test_the_margin_of_an_asset_moves_the_levels_of_its_model_only():
    """Raise, clear and hypothesis levels are multiplied; those of static limits are not."""
    rules = policy(band(hypotheses=("outer*",), hypothesis_at=1.7))

    assert severities(rules, 2.9, 3.0, 2.45, 2.3, factor=1.5) == [None, "warning", "warning", None]
    assert severities(rules, Reading(0, 2.5, hypothesis="outer race"), factor=1.5) == [None]
    assert severities(rules, Reading(0, 2.0, mode="static_limit"), factor=1.5) == ["warning"]


def test_a_clock_that_is_set_back_begins_delays_anew():
    """A reading before the first one moves the beginning of the delay back to itself."""
    rules = policy(band(on_delay_s=3.0))

    assert severities(rules, Reading(10 * S, 2.0), Reading(5 * S, 2.0), Reading(8 * S, 2.0)) == [None, None, "warning"]


def test_a_policy_that_lost_a_band_forgets_it():
    """What only the old policy knew of is gone with the next reading."""
    condition, _ = after(policy(), 5.0)
    condition, demand = evaluate(policy(WATCH, WARNING), condition, Reading(S, 1.7))

    assert demand.severity is Severity.WARNING
    assert [count.severity for count in condition.counts] == [Severity.WARNING, Severity.WATCH]


def test_the_lowest_value_that_matters():
    """It is the lowest of all levels of raise, trend and hypothesis; `level` that of raise alone."""
    rules = policy(band(trend_at=0.1, trend_score=0.9, hypotheses=("x",), hypothesis_at=0.85), WATCH, CRITICAL)

    assert lowest(rules) == 0.85
    assert level(rules) == 1.0
    assert lowest(rules, 1.5) == 0.85
    assert lowest(policy(WARNING), 0.5) == 1.0


@given(
    st.floats(0, 10, exclude_max=True),
    st.sampled_from([None, 0.0, 1.0]),
    st.sampled_from(["", "outer race"]),
    st.sampled_from([0.7, 1.0, 1.4]),
)
def test_below_the_lowest_value_nothing_is_ever_evaluated(value, trend, hypothesis, factor):
    """Whatever trend and hypothesis say, the state of a quiet point stays the default there."""
    rules = policy(WATCH, band(trend_at=0.5, hypotheses=("outer*",), hypothesis_at=1.7), CRITICAL)
    condition, demand = evaluate(rules, Condition(), Reading(0, value, trend, hypothesis), factor)

    if value < lowest(rules, factor):
        assert condition == Condition()
        assert demand.severity is None


@given(st.lists(st.sampled_from([0.5, 0.9, 1.1, 1.7, 2.2, 3.5, 5.0]), max_size=30))
def test_bands_stand_from_the_lowest_up(values):
    """Where a band stands all below it stand as well."""
    rules = policy(WATCH, band(on_delay_s=2.0, off_delay_s=2.0), band(Severity.CRITICAL, 4.0, 3.2, off_delay_s=4.0))
    condition, _ = after(rules, *values)
    standing = [count.severity.rank for count in condition.counts if count.standing]

    assert standing == sorted(standing, reverse=True)
    assert not standing or standing[-1] == Severity.WATCH.rank
    assert all(isinstance(count, Count) for count in condition.counts)
