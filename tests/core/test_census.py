"""The census of a Fleet: how many measuring points are in which state."""

from __future__ import annotations

from collections import Counter

from foreshock.contract import Asset
from foreshock.fleet import Fleet, FleetSpec
from tests.core import builders


def test_census_counts_points_by_their_newest_score():
    """States, assets by class, and held points are those of the newest outcomes; what is released is gone."""
    fleet = Fleet(FleetSpec(warmup_blocks=12, profile="lean"), assets=[Asset(asset="pump-0", asset_class="pump")])
    newest = {}
    for i in range(20):
        for asset in range(4 if i >= 15 else 3):
            block = builders.block(i, asset=f"pump-{asset}")
            for outcome in fleet.receive([block]):
                newest[outcome.score.asset] = outcome.score

    found = fleet.census()

    assert found.states == Counter(score.rows[-1].state.value for score in newest.values())
    assert found.states == {"scored": 3, "warming": 1}
    assert found.assets["pump"] == 1
    assert sum(found.assets.values()) == 4
    assert found.held == sum(s.learning.startswith("held") for s in newest.values() if s.rows[-1].state == "scored")
    assert (found.shadow, found.episodes) == (0, 0)
    fleet.release({score.origin.partition for score in newest.values()})
    assert not fleet.census().states
