"""The alarm of a parent, as an item on record: while it stands the child raises none, after a restart as well."""

from __future__ import annotations

import pytest

from foreshock.alerts.items import Inhibited
from foreshock.alerts.vocabulary import AlarmState, Change, SuppressedBy
from foreshock.contract import Tick
from foreshock.fleet import AssetState, Fleet, FleetSpec
from tests.core.alerting import at, feed, told

SPEC = FleetSpec(warmup_blocks=20)
WARM, FAULT = 30, 6
CHILD, NOBODY = ("pump-1",), Inhibited(parent="", assets=("pump-1",))
HEADER = Inhibited(parent="header-1", assets=CHILD)


def inhibited() -> tuple[Fleet, list]:
    """A pump with a fault whose parent has an alarm, and what was told of it."""
    fleet = Fleet(SPEC)
    feed(fleet, 0, WARM)
    fleet.take_up(HEADER, 0, WARM)
    return fleet, told(feed(fleet, WARM, WARM + FAULT, fault=3.0))


def clock(fleet: Fleet, index: float) -> list:
    """A tick, if the Fleet asks for one."""
    return fleet.tick(Tick(partition=0, offset=WARM + FAULT, at_ns=at(index))) if fleet.overdue(0, at(index)) else []


def test_a_child_is_suppressed_with_the_name_of_its_parent() -> None:
    """Told once, never raised."""
    fleet, alerts = inhibited()

    assert {each.change for each in alerts} == {Change.SUPPRESSED}
    assert {each.suppressed_by for each in alerts} == {SuppressedBy.PARENT}
    assert "header-1" in alerts[0].reason
    assert fleet.parents(0) == {"pump-1": "header-1"}


@pytest.mark.parametrize("restart", [False, True])
def test_what_outlasts_the_alarm_of_the_parent_is_raised_by_the_next_tick(restart: bool) -> None:
    """Also where no record comes any more, and where the worker is killed between the two."""
    fleet, _ = inhibited()
    assert clock(fleet, WARM + FAULT) == []
    fleet.take_up(NOBODY, 0, WARM + FAULT)
    if restart:
        state = AssetState.from_bytes(fleet.capture(0, "pump-1").to_bytes())
        fleet = Fleet(SPEC)
        fleet.restore(state)

    alerts = clock(fleet, WARM + FAULT)

    assert [each.change for each in alerts] == [Change.UNSUPPRESSED, Change.RAISED]
    assert alerts[-1].state is AlarmState.UNACKNOWLEDGED
    assert not fleet.overdue(0, at(WARM + FAULT))
    assert fleet.parents(0) == {}


def test_what_outlasts_it_is_raised_by_the_next_record() -> None:
    """Where one comes before the tick."""
    fleet, _ = inhibited()
    fleet.take_up(NOBODY, 0, WARM + FAULT)
    alerts = told(feed(fleet, WARM + FAULT, WARM + FAULT + 1, fault=3.0))

    assert [each.change for each in alerts][:2] == [Change.UNSUPPRESSED, Change.RAISED]


def test_an_alert_that_stands_is_not_taken_back() -> None:
    """A parent that fails later inhibits what would come, not what was raised before it."""
    fleet = Fleet(SPEC)
    feed(fleet, 0, WARM)
    before = told(feed(fleet, WARM, WARM + FAULT, fault=3.0))
    fleet.take_up(HEADER, 0, WARM + FAULT)

    assert before[0].change is Change.RAISED
    assert [each.change for each in clock(fleet, WARM + FAULT)] == []


def test_an_asset_that_is_further_than_the_place_is_left_alone() -> None:
    """And one that the partition does not know is not made."""
    fleet = Fleet(SPEC)
    feed(fleet, 0, WARM)
    fleet.take_up(HEADER, 0, WARM - 1)
    fleet.take_up(Inhibited(parent="header-1", assets=("nobody",)), 0, WARM)

    assert fleet.parents(0) == {}
    assert set(fleet.policies(0)) == {"pump-1"}


def test_a_healthy_child_tells_nothing_of_its_parent() -> None:
    """Neither when the alarm of the parent begins nor when it ends."""
    fleet = Fleet(SPEC)
    feed(fleet, 0, WARM)
    fleet.take_up(HEADER, 0, WARM)
    alerts = told(feed(fleet, WARM, WARM + 3))
    fleet.take_up(NOBODY, 0, WARM + 3)

    assert alerts == clock(fleet, WARM + 3) == told(feed(fleet, WARM + 3, WARM + 6)) == []
