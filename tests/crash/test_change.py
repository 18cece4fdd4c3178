"""Settings that change on the way: stopped after any record, and in any batching, the same bytes as undisturbed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.alerts.items import Given
from foreshock.contract import Asset, Block, ScoreState
from foreshock.detectors.snapshot import Key, Keys
from foreshock.fleet import AssetState, Fleet, Recipe
from foreshock.outcome import Outcome
from tests.crash.plant import SPEC, Told, feed, stream

KEYS = Keys(Key("test", b"secret"))
FIRST, SECOND, THIRD = (
    Recipe(SPEC),
    Recipe(replace(SPEC, profile="lean", warmup_blocks=12)),
    Recipe(replace(SPEC, profile="lean", warmup_blocks=12, budget=0.1)),
)
CHANGES = {70: SECOND, 120: THIRD}  # place to what holds from there on
ANEW = {"changed", "boiler", "limited"}  # by another layout, a repair and a replacement on the way
AHEAD = 40  # records after the crash that are looked at


def fleet_at(place: int) -> Fleet:
    """A Fleet with the last settings, begun with those that hold at a place."""
    fleet = Fleet(THIRD.spec)
    for recipe in (FIRST, SECOND):
        fleet.know(recipe.key, recipe)
    fleet.begin(0, next((CHANGES[at].key for at in sorted(CHANGES, reverse=True) if at < place), FIRST.key))
    return fleet


def changing(fleet: Fleet, first: int, last: int) -> Iterator[tuple[int, Outcome | Told]]:
    """Feed a stretch of the stream record by record, with the changes at their places."""
    for place in range(first, last):
        if place in CHANGES:
            fleet.change(CHANGES[place].key, 0, place)
        yield from feed(fleet, [(place, stream()[place])])


@cache
def undisturbed() -> tuple[Sequence[Outcome | Told], Sequence[Mapping[str, bytes]]]:
    """What became of every item, and sealed captures of all assets after it."""
    fleet, outcomes = fleet_at(0), list[Outcome | Told]()
    captures: list[Mapping[str, bytes]] = []
    latest: dict[str, bytes] = {}
    for place, item in enumerate(stream()):
        outcomes += [found for _, found in changing(fleet, place, place + 1)]
        names = [item.asset] if isinstance(item, Block | Asset | Given) and place not in CHANGES else fleet.policies(0)
        known = [name for name in names if fleet.master_data(0, name) is not None]
        latest = latest | {name: fleet.capture(0, name).seal(KEYS) for name in known}
        captures.append(latest)
    return outcomes, captures


def digests(sealed: Mapping[str, bytes]) -> dict[str, str]:
    """Digest of each capture."""
    return {name: AssetState.unseal(data, KEYS).digest() for name, data in sealed.items()}


def test_models_of_all_settings_score() -> None:
    """And no asset that had a score loses it for a warm-up."""
    outcomes = [each for each in undisturbed()[0] if isinstance(each, Outcome)]
    scored: dict[tuple[str, str], set[str]] = {}
    for outcome in outcomes:
        point = outcome.score.asset, outcome.score.point
        for row in outcome.score.rows:
            if row.state is ScoreState.SCORED:
                scored.setdefault(point, set()).add(outcome.score.model)
            elif row.state is ScoreState.WARMING and outcome.score.asset not in ANEW:
                assert point not in scored
    assert scored["failing", "NDE"] == {FIRST.spec.model_name, THIRD.spec.model_name}
    assert {FIRST.spec.policy_name, THIRD.spec.policy_name} <= {
        each.score.policy for each in outcomes if each.score.asset == "boiler"
    }


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 4))])
def test_any_crash_leaves_no_trace(part: int) -> None:
    """After every k-th record, with each asset restored from a capture of its own earlier time."""
    draw = random.Random(part)
    outcomes, captures = undisturbed()
    for place in range(40 + part, 200, 4 if part else 12):
        resume, restored = place + 1, {}
        for name in captures[place]:
            at = draw.randint(max(place - 60, 0), place)
            if name in captures[at]:
                restored[name] = AssetState.unseal(captures[at][name], KEYS)
            resume = min(resume, at + 1 if name in captures[at] else 0)
        fleet = fleet_at(resume)
        for state in restored.values():
            fleet.restore(state)
        end = min(place + AHEAD, len(stream()))
        again = dict(changing(fleet, resume, end))

        given = {at for at in again if isinstance(again[at], tuple) and at <= place}  # some assets have taken these up
        assert all(set(again[at]) <= set(outcomes[at]) for at in given)
        assert {at: outcomes[at] for at in again.keys() - given} == {at: again[at] for at in again.keys() - given}
        assert set(range(place + 1, end)) <= again.keys()
        assert {name: fleet.capture(0, name).digest() for name in captures[end - 1]} == digests(captures[end - 1])


@pytest.mark.slow
@given(st.sets(st.integers(1, len(stream()) - 1), max_size=20))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_batching_gives_the_same(cuts: set[int]) -> None:
    """Outcomes and states are those of the run record by record."""
    fleet, outcomes, batch = fleet_at(0), [], list[Block]()
    items = stream()
    for place, item in enumerate(items):
        if place in cuts or place in CHANGES or not isinstance(item, Block):
            outcomes += fleet.receive(batch)
            batch = []
        if place in CHANGES:
            fleet.change(CHANGES[place].key, 0, place)
        if isinstance(item, Block):
            batch.append(item)
        else:
            outcomes += [told for _, told in feed(fleet, [(place, item)])]
    outcomes += fleet.receive(batch)

    expected, captures = undisturbed()
    assert outcomes == expected
    assert {name: fleet.capture(0, name).digest() for name in captures[-1]} == digests(captures[-1])
