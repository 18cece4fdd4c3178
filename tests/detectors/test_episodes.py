"""The alarm rule: hold, hysteresis, refractory time, and one episode for a value that flickers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.detectors import episodes
from foreshock.detectors.episodes import (
    ACTIVE,
    CLEARING,
    CLOSED,
    NORMAL,
    NOTHING,
    OPENED,
    PENDING,
    UPDATED,
    EpisodeState,
    for_budget,
    step,
)

RULE = for_budget(1.0)._replace(refractory_ns=10, update_ns=100)


def play(values: list[float], rule=RULE, every_ns: int = 1) -> list[tuple[int, int]]:
    """(phase, transition) after each value, one every `every_ns`."""
    alarm, told = EpisodeState(), []
    for i, value in enumerate(values):
        alarm, event = step(rule, alarm, value, i * every_ns)
        told.append((alarm.phase, event))
    return told


def test_one_block_over_the_boundary_is_pending_only() -> None:
    """A single spike opens nothing."""
    assert play([0.5, 3.0, 0.5]) == [(NORMAL, NOTHING), (PENDING, NOTHING), (NORMAL, NOTHING)]


def test_two_blocks_open_an_episode() -> None:
    """The hold of the budget is two blocks in a row at or above 1."""
    assert play([1.0, 1.0]) == [(PENDING, NOTHING), (ACTIVE, OPENED)]


def test_the_hold_asks_for_time_too() -> None:
    """A rule with seconds waits until the blocks over the boundary span them."""
    rule = RULE._replace(hold_ns=5)
    assert [e for _, e in play([2.0] * 7, rule)].index(OPENED) == 5


def test_a_value_between_release_and_boundary_keeps_the_alarm() -> None:
    """Hysteresis: below 1 and not below 0.8 the alarm stands."""
    assert [p for p, _ in play([2.0, 2.0, *[0.9] * 20])][-1] == ACTIVE


def test_a_flickering_value_is_one_episode() -> None:
    """The alarm clears after four blocks below; another hold within the refractory time goes on with the episode."""
    told = play([2.0, 2.0, 0.1, 0.1, 0.1, 0.1, 0.1, 2.0, 2.0])

    assert told[5] == (CLEARING, NOTHING)
    assert told[-1] == (ACTIVE, NOTHING)
    assert [e for _, e in told].count(OPENED) == 1


def test_an_episode_closes_after_the_refractory_time() -> None:
    """Closed once, when the alarm has been clear for so long; then everything starts anew."""
    told = play([2.0, 2.0, *[0.1] * 14])

    assert [e for _, e in told][-1] == CLOSED
    assert told[-1][0] == NORMAL


def test_escalation_and_time_update_an_episode() -> None:
    """Twice the told value is news at once; else an update comes at most every so often."""
    events = [e for _, e in play([1.0, 1.0, 2.1, 2.2, 4.3, *[4.0] * 100])]

    assert [i for i, e in enumerate(events) if e == UPDATED] == [2, 4, 104]


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 20))
def test_transitions_alternate(values: list[float], every_ns: int) -> None:
    """Whatever the values: opened and closed alternate, updates lie between, the peak bounds what was told."""
    alarm, open_now = EpisodeState(), False
    for i, value in enumerate(values):
        alarm, event = step(RULE, alarm, value, i * every_ns)
        assert event != OPENED or not open_now
        assert event not in {CLOSED, UPDATED} or open_now
        open_now = (open_now or event == OPENED) and event != CLOSED
        assert open_now == (alarm.phase in {ACTIVE, CLEARING})
        assert alarm.told <= alarm.peak or not open_now


@pytest.mark.parametrize(("budget", "margin"), [(30.0, 1.15), (1.0, 1.3), (0.5, 1.5), (0.001, 1.8)])
def test_the_budget_selects_the_line_within_it(budget: float, margin: float) -> None:
    """The first line of the table that is not looser than the budget; the strictest one beyond its end."""
    assert for_budget(budget).margin == margin


def test_a_smaller_budget_is_never_looser() -> None:
    """Down the table margin, hold and refractory time only grow."""
    table = episodes.BUDGET_TABLE
    for column in ("margin", "hold_blocks", "hold_s", "refractory_s"):
        values = [getattr(row, column) for row in table]
        assert values == sorted(values)


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan")])
def test_a_budget_that_is_no_rate_is_refused(budget: float) -> None:
    """Zero false alarms cannot be promised."""
    with pytest.raises(ValueError, match="positive"):
        for_budget(budget)


@pytest.mark.parametrize(("peak", "name"), [(0.5, "watch"), (1.0, "watch"), (2.0, "warning"), (9.0, "critical")])
def test_severity_follows_the_peak(peak: float, name: str) -> None:
    """Bands of the value; a stated severity is the least."""
    assert episodes.severity(peak) == name
    assert episodes.severity(peak, "critical") == "critical"
