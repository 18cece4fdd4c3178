"""Maintenance windows and priorities."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.alerts.policy import Priority, Window
from foreshock.alerts.priority import priority
from foreshock.alerts.states import Alarm, Hold
from foreshock.alerts.vocabulary import Holds, Severity
from foreshock.alerts.windows import holds_alerting, in_force, learning_held, next_change_ns
from tests.alerts.alarm_samples import PUMP, T0, S, policy

H = 3600
ONCE = Window(name="once", starts_ns=T0 + 60 * S, ends_ns=T0 + 120 * S)
NIGHT = Window(name="night", weekdays=(4,), from_s=22 * H, to_s=6 * H, utc_offset_s=2 * H)  # Fridays, 22 to 6, CEST


def ns(text: str, offset_h: int = 2) -> int:
    """A time in text, in hours east of UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(hours=offset_h))).timestamp()) * S


@pytest.mark.parametrize(("at_s", "open_"), [(59, False), (60, True), (119, True), (120, False)])
def test_a_window_includes_its_first_moment_and_excludes_its_last(at_s, open_):
    """A window that is announced once."""
    assert bool(in_force((ONCE,), (), T0 + at_s * S)) is open_


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("2025-06-13T21:59:59", False),  # a Friday
        ("2025-06-13T22:00:00", True),
        ("2025-06-14T05:59:59", True),
        ("2025-06-14T06:00:00", False),
        ("2025-06-14T22:30:00", False),
    ],
)
def test_a_weekly_window_may_pass_midnight(text, open_):
    """Its weekday is that on which it begins, in its own UTC offset."""
    assert bool(in_force((NIGHT,), (), ns(text))) is open_


def test_a_weekly_window_that_ends_when_it_begins_lasts_a_day():
    """From 6 to 6 is until the next morning."""
    day = replace(NIGHT, from_s=6 * H, to_s=6 * H)

    assert [bool(in_force((day,), (), ns(f"2025-06-{at}"))) for at in ("13T05:59", "13T06:00", "14T05:59", "14T06:00")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_weekly_window_holds_between_its_ends_only():
    """One that is stated to begin at a date does not hold before."""
    later = replace(NIGHT, starts_ns=ns("2025-06-20T00:00:00"))

    assert not in_force((later,), (), ns("2025-06-13T23:00:00"))
    assert in_force((later,), (), ns("2025-06-20T23:00:00"))
    assert next_change_ns((later,), (), ns("2025-06-01T00:00:00")) == ns("2025-06-20T00:00:00")


def test_a_window_covers_its_lines():
    """Patterns name places; what stands at or below one is covered."""
    line = replace(ONCE, lines=("*/line-3",))

    assert in_force((line,), PUMP.path, T0 + 60 * S)
    assert in_force((line,), (*PUMP.path, "cell-1"), T0 + 60 * S)
    assert not in_force((line,), ("acme", "north", "hall-1", "line-4"), T0 + 60 * S)
    assert next_change_ns((line,), ("acme",), T0) is None


@given(st.integers(0, 14 * 24 * 60))
def test_nothing_changes_before_the_next_change(minute):
    """Between a time and its next change the windows in force are the same; at the change they may differ."""
    windows = (NIGHT, replace(ONCE, ends_ns=T0 + 36 * H * S))
    at_ns = T0 + minute * 60 * S
    change_ns = next_change_ns(windows, (), at_ns)

    assert change_ns is not None
    assert change_ns > at_ns
    for share in (0.0, 0.5, 1.0):
        between = at_ns + int((change_ns - 1 - at_ns) * share)
        assert in_force(windows, (), between) == in_force(windows, (), at_ns)


def test_a_window_holds_alerting_learning_or_both():
    """Each asks only for what concerns it; what somebody froze is held until it is resumed."""
    at_ns = T0 + 60 * S
    by = {holds: policy(windows=(replace(ONCE, holds=holds),)) for holds in Holds}

    assert [bool(holds_alerting(by[holds], Alarm(), (), at_ns)) for holds in Holds] == [True, False, True]
    assert [learning_held(by[holds], Alarm(), (), at_ns) for holds in Holds] == [
        "", "maintenance window once", "maintenance window once",
    ]  # fmt: skip
    assert learning_held(policy(), Alarm(), (), at_ns) == ""
    assert learning_held(policy(), Alarm(windows=(ONCE,)), (), at_ns) == "maintenance window once"
    assert learning_held(policy(), Alarm(frozen=Hold("ada", "trial run", 0)), (), 0) == "frozen by ada: trial run"


def test_weekdays_are_those_of_the_calendar():
    """Monday is 0, as in Python's own calendar."""
    for day in range(7):
        window = Window(name="day", weekdays=(day,), from_s=0, to_s=24 * H)
        open_on = [d for d in range(16, 23) if in_force((window,), (), ns(f"2025-06-{d}T12:00:00", 0))]
        assert [datetime(2025, 6, d, tzinfo=UTC).weekday() for d in open_on] == [day]


@pytest.mark.parametrize(
    ("severity", "criticality", "class_", "running", "expected", "total"),
    [
        (Severity.CRITICAL, "high", "pump", True, 1, 5.5),
        (Severity.CRITICAL, "medium", "pump", True, 2, 4.5),
        (Severity.WARNING, "medium", "pump", True, 3, 3.5),
        (Severity.WARNING, "medium", "turbine", True, 1, 5.5),  # 100 days for a spare
        (Severity.WATCH, "low", "pump", False, 4, 1.0),
        (Severity.WATCH, "whatever", "pump", False, 4, 2.0),  # counts as medium
    ],
)
def test_a_priority_is_a_weighted_sum_with_its_inputs(severity, criticality, class_, running, expected, total):
    """Severity and criticality count 1 each, a day of lead time 0.02, production 0.5; cuts at 5, 4 and 2.5."""
    rules = policy(priority=Priority(lead_days=(("turbine", 100.0), ("*", 0.0))))
    asset = replace(PUMP, criticality=criticality, asset_class=class_)
    found, inputs = priority(rules, severity, asset, running=running)
    values = {each.name: each.value for each in inputs}

    assert found == expected
    assert values["sum"] == pytest.approx(total)
    assert values["severity"] == severity.rank
    assert values["running_production"] == running
