"""Which assets are to know of the alarm of a parent: by the patterns of their own policy, and what stands above."""

from __future__ import annotations

import pytest

from foreshock.alerts.files import load_text
from foreshock.alerts.items import Inhibited
from foreshock.contract import Asset
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams.state.outside import item_of, tree_of
from foreshock.streams.state.parents import Alarmed, Parents

POLICY = load_text(
    "pumps.toml",
    """
    name = "pumps"
    covers = ["pump"]
    owner = "mechanics"
    runbook = ["Listen."]
    action = "Look."
    respond_within = "8h"
    escalation = ["lead"]
    [[bands]]
    severity = "watch"
    raise_at = 1.0
    clear_at = 0.8
    [parents]
    "pump-*" = "header-1"
    "header-*" = "station"
    "pump-9" = "pump-8"
    """,
)
NAMES = ("pump-7", "pump-8", "pump-9", "header-1", "fan-1")


@pytest.fixture
def fleet():
    """Three pumps of a class that the policy covers, their header, and a fan that nobody covers."""
    fleet = Fleet(FleetSpec())
    for name in NAMES:
        fleet.take_up(Asset(asset=name, asset_class="pump" if name.startswith("pump") else "other"), 0, 0)
    return fleet


@pytest.fixture
def parents(fleet):
    """What compares."""
    return Parents(fleet, [POLICY])


def apply(fleet, parents):
    """Put on record what is due; give what every asset knows then."""
    for item in parents.due(0) or ():
        assert item_of(tree_of(item)) == item
        fleet.take_up(item, 0, 0)
    return fleet.parents(0)


def test_alarm_of_the_parent_holds_for_its_children_alone(fleet, parents):
    """All pumps but the one that has a closer parent, which does not stand; neither the header itself nor the fan."""
    parents.hear(Alarmed("a1", "header-1", stands=True))

    assert apply(fleet, parents) == {"pump-7": "header-1", "pump-8": "header-1", "pump-9": "header-1"}


def test_closest_parent_that_stands_is_named(fleet, parents):
    """Where its own parent and one above it have alarms, an asset knows of the closer one."""
    for number, name in enumerate(("station", "pump-8")):
        parents.hear(Alarmed(f"a{number}", name, stands=True))

    assert apply(fleet, parents) == {"pump-7": "station", "pump-8": "station", "pump-9": "pump-8"}


def test_it_ends_with_the_alarm(fleet, parents):
    """Closed, or returned to normal; one of two alarms of a parent that stands is enough."""
    parents.hear(Alarmed("a1", "header-1", stands=True))
    parents.hear(Alarmed("a2", "header-1", stands=True))
    apply(fleet, parents)
    parents.hear(Alarmed("a1", "", stands=False))
    assert set(apply(fleet, parents).values()) == {"header-1"}
    parents.hear(Alarmed("a2", "header-1", stands=False))

    assert apply(fleet, parents) == {}


def test_nothing_is_due_twice(fleet, parents):
    """Asked again without news there is nothing; with other assets the partition is looked at anew."""
    parents.hear(Alarmed("a1", "header-1", stands=True))
    apply(fleet, parents)

    assert parents.due(0) is None
    parents.hear(Alarmed("a1", "header-1", stands=True))
    assert parents.due(0) is None
    fleet.take_up(Asset(asset="pump-10", asset_class="pump"), 0, 0)
    parents.changed(0)
    assert parents.due(0) == [Inhibited(parent="header-1", assets=("pump-10",))]


def test_policies_without_parents_let_everybody_go(fleet, parents):
    """After the key was taken out of the policy, what assets know of parents is taken back."""
    parents.hear(Alarmed("a1", "header-1", stands=True))
    apply(fleet, parents)

    assert apply(fleet, Parents(fleet, ())) == {}


def test_many_assets_are_several_items():
    """An item stays small: thousands of children of one parent do not make one record."""
    fleet = Fleet(FleetSpec())
    for number in range(700):
        fleet.take_up(Asset(asset=f"pump-{number}", asset_class="pump"), 0, 0)
    parents = Parents(fleet, [POLICY])
    parents.hear(Alarmed("a1", "header-1", stands=True))

    assert [len(item.assets) for item in parents.due(0)] == [300, 300, 100]
