"""Statistics and slopes of tags against numpy, scipy and closed forms; what cannot be said has its reason."""

import numpy as np
import pytest
from scipy import stats

from foreshock.features.scalar import slopes
from foreshock.features.scalar.declared import PER_TAG, SCALAR, columns
from foreshock.features.scalar.state import BINS, HORIZONS, MOST_TAGS, WINDOW, size
from tests.features.scalar_rows import rows_of, vectors

DURATION_S = 2 * 3600
SECONDS = np.arange(DURATION_S, dtype=float)


def noise(seed=1):
    return np.random.default_rng(seed).normal(50.0, 3.0, DURATION_S)


SIGNALS = {
    "noise": noise(),
    "ramp": 300.0 + 0.25 * SECONDS + 1e-6 * noise(2),
    "sine": 1e5 + 2e3 * np.sin(2 * np.pi * SECONDS / 600.0),
    "steps": np.floor(SECONDS / 900.0) + np.random.default_rng(3).choice([0.0, 0.5], DURATION_S),
    "heavy tails": np.random.default_rng(4).standard_t(2, DURATION_S),
}


@pytest.fixture(scope="module", params=SIGNALS, ids=list(SIGNALS))
def signal(request):
    """A tag at 1 Hz for two hours, and its vectors, one a minute."""
    x = SIGNALS[request.param]
    return x, vectors(rows_of(SECONDS, [x]))


def test_a_vector_comes_at_the_end_of_each_minute(signal):
    """119 ends of minutes are in two hours less a second; a row at the very end belongs to the minute before it."""
    _, found = signal

    assert [each["until"] for each in found] == [k * 60 * 10**9 for k in range(1, 120)]
    assert {each["rows[a]"] for each in found[1:]} == {60.0}
    assert {each["interval[a]"] for each in found} == {1.0}


def test_rolling_statistics_equal_numpy(signal):
    """Over the last 128 values, to 1 part in 1e9 of the largest value."""
    x, found = signal
    for each in found:
        end = each["until"] // 10**9 + 1
        last = x[max(0, end - WINDOW) : end]
        expected = {
            "value": last[-1],
            "mean": last.mean(),
            "std": last.std(),
            "min": last.min(),
            "max": last.max(),
            "median": np.median(last),
            "mad": np.median(np.abs(last - np.median(last))),
            "difference": last[-1] - last[-2],
            "rate": last[-1] - last[-2],
        }

        assert {name: each[f"{name}[a]"] for name in expected} == pytest.approx(
            expected, rel=1e-9, abs=1e-9 * np.abs(last).max()
        )


def test_statistics_of_the_window_equal_numpy(signal):
    """Of the rows since the last vector; mean and deviation to 1 part in 1e9 of the largest value."""
    x, found = signal
    for each in found:
        own = x[each["from"] // 10**9 : each["until"] // 10**9 + 1]
        expected = {
            "window_mean": own.mean(),
            "window_std": own.std(),
            "window_min": own.min(),
            "window_max": own.max(),
        }

        assert {name: each[f"{name}[a]"] for name in expected} == pytest.approx(
            expected, rel=1e-9, abs=1e-9 * np.abs(own).max()
        )


def test_robust_z_is_that_of_scipy_and_against_the_values_before(signal):
    """Median and scaled median absolute deviation of the 127 values before the newest, to 1 part in 1e9."""
    x, found = signal
    for each in found[3:]:
        end = each["until"] // 10**9 + 1
        before = x[end - WINDOW : end - 1]
        scale = (
            stats.median_abs_deviation(before, scale="normal")
            or 1.2533141373155 * np.abs(before - np.median(before)).mean()
        )

        assert each["robust_z[a]"] == pytest.approx((x[end - 1] - np.median(before)) / scale, rel=1e-9, abs=1e-9)


def test_slopes_equal_scipy(signal):
    """Slope and 95 % interval of each horizon are those of `scipy.stats.theilslopes` through the means of its bins."""
    x, found = signal
    for each, name in ((found[58], "10min"), (found[118], "10min"), (found[118], "1h"), (found[70], "1h")):
        horizon = HORIZONS[name]
        width = horizon // BINS
        now = each["until"] // 10**9 // width  # the bin that is being filled
        means = np.array([x[k * width : (k + 1) * width].mean() for k in range(max(0, now - BINS), now)])
        middle = np.array([k * width + (width - 1) / 2 for k in range(max(0, now - BINS), now)])
        slope, _, low, high = stats.theilslopes(means, middle, 0.95)
        ends = (each[f"slope_{name}[a]"], each[f"slope_{name}_low[a]"], each[f"slope_{name}_high[a]"])

        assert ends == pytest.approx((slope, low, high), rel=1e-6, abs=1e-12 * np.abs(x).max())


def test_a_ramp_has_its_slope_in_every_horizon_whatever_a_third_of_the_points_are():
    """0.25 K/s through bins of which every fifth is 1000 K off: the breakdown point is 29 %."""
    t = np.arange(60, dtype=float)
    x = 0.25 * t
    x[::5] += 1000.0
    out = np.empty(3)
    slopes.theil_sen(t, x, out)

    assert out[0] == pytest.approx(0.25, abs=0.25)
    assert np.polyfit(t, x, 1)[0] == pytest.approx(-0.6, abs=1.5)  # least squares does not know
    assert out[1] <= 0.25 <= out[2]


def test_the_interval_of_a_slope_holds_the_true_one_as_often_as_it_says():
    """95 % of 400 lines in white noise, give or take three standard errors."""
    rng, t, out, held = np.random.default_rng(7), np.arange(60, dtype=float), np.empty(3), 0
    for _ in range(400):
        slopes.theil_sen(t, 0.02 * t + rng.normal(0, 1, 60), out)
        held += bool(out[1] <= 0.02 <= out[2])

    assert held / 400 == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 400))


def test_a_constant_tag_has_no_z_and_a_slope_of_nothing():
    """A setpoint: everything is known of it, but for what is a share of its variation."""
    last = vectors(rows_of(SECONDS, [np.full(DURATION_S, 21.5), noise()]))[-1]

    assert last["robust_z[a]"] == "constant"
    assert last["explained[a]"] == last["residual_z[a]"] == last["correlation[a,b]"] == "constant"
    assert (last["std[a]"], last["slope_10min[a]"], last["slope_1h_high[a]"]) == (0.0, 0.0, 0.0)
    assert last["mean[a]"] == 21.5
    assert last["explained[b]"] == "channel_absent"  # there is no other one that says anything


def test_the_first_vector_says_what_is_missing_yet():
    """Two rows a minute apart."""
    first = vectors(rows_of([30.0, 90.0], [[1.0, 3.0]]))[0]

    assert (first["value[a]"], first["difference[a]"], first["rate[a]"]) == (3.0, 2.0, pytest.approx(2 / 60))
    assert first["interval[a]"] == first["robust_z[a]"] == first["slope_10min[a]"] == "too_few_rows"
    assert first["day_expected[a]"] == first["week_deviation[a]"] == "too_few_rows"
    assert first["regime"] == first["speed"] == "no_speed"


def test_a_tag_that_comes_and_goes_is_absent_while_it_is_away():
    """Away for ten minutes: absent from the first minute without any value, and back with what it knew."""
    x = noise()
    away = (SECONDS > 3600) & (SECONDS <= 4200)
    found = vectors(rows_of(SECONDS, [np.where(away, np.nan, x), x]))
    by_minute = {each["until"] // (60 * 10**9): each for each in found}

    assert {by_minute[k]["value[a]"] for k in range(61, 71)} == {"channel_absent"}
    assert {by_minute[k]["mean[a]"] for k in range(62, 71)} == {"channel_absent"}
    assert by_minute[65]["mean[b]"] == pytest.approx(50.0, abs=1.5)
    own = x[~away & (SECONDS <= 4260)][-WINDOW:]
    assert by_minute[71]["mean[a]"] == pytest.approx(own.mean(), rel=1e-9)
    assert by_minute[71]["slope_1h[a]"] == pytest.approx(0.0, abs=1e-3)


def test_values_that_are_infinite_are_no_values():
    """A division by nothing in the gateway: never in a mean, and told where nothing else came."""
    x = noise()
    x[600:900] = np.inf
    found = vectors(rows_of(SECONDS, [x]))
    by_minute = {each["until"] // (60 * 10**9): each for each in found}

    assert by_minute[12]["mean[a]"] == "not_finite"
    assert np.isfinite(by_minute[20]["mean[a]"])


def test_a_rate_that_changes_is_told_until_it_is_the_rate():
    """From 1 Hz to one value in ten seconds: no interval is told while the last 128 values are of both."""
    times = np.concatenate([np.arange(3600.0), 3600.0 + 10.0 * np.arange(360)])
    found = vectors(rows_of(times, [np.random.default_rng(1).normal(0, 1, len(times))]))
    intervals = [each["interval[a]"] for each in found]

    assert set(intervals[:59]) == {1.0}
    assert "rate_changed" in intervals[60:80]
    assert set(intervals[85:]) == {10.0}
    assert np.isfinite([each["mean[a]"] for each in found]).all()


def test_rows_that_come_less_often_than_vectors_have_one_each():
    """A value each ten minutes, told at once; the first one waits for the second, as nothing is known of its interval."""
    found = vectors(rows_of(30.0 + 600.0 * np.arange(200), [noise()[:200]]))

    assert [each["until"] for each in found] == [(30 + 600 * k) * 10**9 for k in range(200)]
    assert found[50]["window_mean[a]"] == found[50]["value[a]"] == noise()[50]
    assert found[50]["window_std[a]"] == "too_few_rows"
    assert found[-1]["slope_10min[a]"] == "too_few_rows"
    assert found[-1]["slope_24h[a]"] == pytest.approx(0.0, abs=3.0 / 3600)


def test_a_gap_ends_the_window_before_it():
    """Half a minute of rows, an hour of nothing: they have a vector of their own, and the row after the gap the next."""
    found = vectors(rows_of(np.concatenate([np.arange(91.0), 3700.0 + np.arange(100)]), [noise()[:191]]))

    assert [(each["from"] // 10**9, each["until"] // 10**9) for each in found] == [
        (0, 60),
        (61, 90),
        (3700, 3700),
        (3701, 3720),
        (3721, 3780),
    ]


def test_slopes_are_of_the_running_machine():
    """A pump that stops for the second hour: its tags are told as they are, but no slope, profile or relation."""
    run = np.where(SECONDS < 3600, 2, 0)
    x = np.where(SECONDS < 3600, 0.01 * SECONDS, 0.0)
    found = vectors(rows_of(SECONDS, [x, x], run=run))

    assert found[58]["slope_10min[a]"] == pytest.approx(0.01, rel=1e-6)
    assert found[100]["value[a]"] == found[100]["mean[a]"] == 0.0
    assert found[100]["slope_10min[a]"] == found[100]["day_expected[a]"] == found[100]["residual[a]"] == "not_running"


def test_no_value_is_ever_not_finite():
    """Huge, tiny, infinite and missing values: each feature is a number or has a reason."""
    rng = np.random.default_rng(5)
    x = rng.choice([1e308, -1e308, 1e-308, 0.0, np.inf, -np.inf, np.nan, 1.0], (4000, 4))
    for each in vectors(rows_of(np.arange(4000.0), list(x.T), speed=x[:, 0], load=x[:, 1])):
        assert all(isinstance(value, str) or np.isfinite(value) for value in each.values())


def test_names_and_units_fit_and_the_set_is_declared_once():
    """All tags, then the pairs, then the point; the id names the constants too."""
    names, units = columns(("oil", "winding", "speed"))

    assert len(names) == len(units) == len(set(names)) == 3 * len(PER_TAG) + 3 + 5
    assert dict(zip(names, units, strict=True))["slope_8h_low[winding]"] == "u/s"
    assert [name for name in names if name.startswith("correlation")] == [
        "correlation[oil,winding]",
        "correlation[oil,speed]",
        "correlation[winding,speed]",
    ]
    assert SCALAR.id.startswith("scalar-v1@")


@pytest.mark.parametrize("tags", [1, 3, 32, MOST_TAGS])
def test_state_is_bounded(tags):
    """At most 11 KB a tag, of 44 KB that a scalar channel may have in all; tags beyond the first 128 have none."""
    assert size(tags) <= tags * 11 * 1024
    assert size(2 * MOST_TAGS) == size(MOST_TAGS)
