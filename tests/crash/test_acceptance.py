"""Verdicts that let a state into the baseline, and take it back: the same over any crash and in any batching."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.alerts.items import Given
from foreshock.alerts.vocabulary import CommandKind, Verdict, WorkKind
from foreshock.contract import Block
from foreshock.core.points import Point
from foreshock.fleet import AssetState, Fleet
from foreshock.outcome import Outcome
from tests.core.alerting import at, control, work
from tests.core.builders import block, frame, placed
from tests.crash.plant import SPEC, Item, Told, feed

MOVED = 24
NAMES = ("pump-1", "boiler")


def label(i: int, number: int, asset: str, verdict: Verdict, first: int, *, of: str = "") -> list[Item]:
    """Both steps of a label, of a time from `first` on."""
    times = {"from_ns": at(first), "until_ns": at(i - 0.5)}
    name = of or f"c{number}"
    return [
        control(number, CommandKind.LABEL, i, asset=asset, verdict=verdict, label_id=of, **times),
        control(number + 1, CommandKind.LABEL, i, asset=asset, label_id=name, accept=True, actor="Grace"),
    ]


@cache
def stream() -> list[Item]:
    """A pump and a boiler on a new level from `MOVED` on; it is accepted, revised, accepted again, and then repaired."""
    rng, items = np.random.default_rng(5), list[Item]()
    asked: dict[int, list[Item]] = {
        36: [*label(36, 0, "pump-1", Verdict.FALSE, 26), *label(36, 2, "boiler", Verdict.FALSE, 26)],
        39: label(39, 4, "boiler", Verdict.NEUTRAL, 26, of="c2"),
        41: label(41, 6, "boiler", Verdict.FALSE, 26, of="c2"),
        56: label(56, 8, "pump-1", Verdict.TRUE, 26, of="c0"),
        66: label(66, 10, "pump-1", Verdict.FALSE, 58),
        84: [work(0, WorkKind.REPAIR, 84)],
    }
    for i in range(90):
        items += asked.get(i, [])
        items.append(block(0, asset="pump-1", index=i, fault=1.5 * (i >= MOVED)))
        items.append(frame(0, rng.normal(300, 1, (2, 2)) + 9.0 * (i >= MOVED), asset="boiler", index=2 * i))
    return placed(items)


@cache
def undisturbed() -> tuple[list[Outcome | Told], list[dict[str, bytes]], list[tuple[str, ...]]]:
    """What became of every item, captures after it, and what each point had in its shadow and behind it."""
    fleet, outcomes, captures, seen = (
        Fleet(SPEC),
        list[Outcome | Told](),
        list[dict[str, bytes]](),
        list[tuple[str, ...]](),
    )
    for pair in enumerate(stream()):
        ((_, found),) = feed(fleet, [pair])
        outcomes.append(found)
        known = [name for name in NAMES if fleet.master_data(0, name) is not None]
        captures.append({name: fleet.capture(0, name).to_bytes() for name in known})
        seen.append(
            tuple(_beside(point) for name in known for point in fleet._admission.owned(name)[0].points.values())
        )
    return outcomes, captures, seen


def _beside(point: Point) -> str:
    return ("heir" if point.heir else "") + ("former" if point.former else "")


def captured(fleet: Fleet) -> dict[str, bytes]:
    """State of both assets."""
    return {name: fleet.capture(0, name).to_bytes() for name in NAMES}


def test_all_of_it_happens() -> None:
    """Models in the shadow, models before, both at once, and neither again at the end."""
    found = undisturbed()[2]

    assert {"heir", "former", ""} <= {each for beside in found for each in beside}
    assert found[-1][0] == ""


@pytest.mark.slow
def test_any_crash_leaves_no_trace() -> None:
    """Each asset restored from a capture of its own earlier time."""
    draw, items = random.Random(1), stream()
    outcomes, captures, _ = undisturbed()
    for place in range(60, len(items) - 1, 3):
        fleet, resume = Fleet(SPEC), place + 1
        for name in NAMES:
            older = draw.randint(max(place - 50, 2), place)
            fleet.restore(AssetState.from_bytes(captures[older][name]))
            resume = min(resume, older + 1)
        end = min(place + 30, len(items))
        again: dict[int, Any] = dict(feed(fleet, list(enumerate(items))[resume:end]))

        given_again = {at for at in again if isinstance(again[at], tuple) and at <= place}
        assert all(set(again[at]) <= set(outcomes[at]) for at in given_again)
        assert {at: outcomes[at] for at in again.keys() - given_again} == {
            at: again[at] for at in again.keys() - given_again
        }
        assert captured(fleet) == captures[end - 1]


@given(st.sets(st.integers(1, len(stream()) - 1), max_size=25))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_batching_gives_the_same(cuts: set[int]) -> None:
    """Outcomes and states are those of the run record by record."""
    fleet, outcomes, batch = Fleet(SPEC), [], list[Block]()
    for place, item in enumerate(stream()):
        if place in cuts or isinstance(item, Given):
            outcomes += fleet.receive(batch)
            batch = []
        if isinstance(item, Given):
            outcomes += [told for _, told in feed(fleet, [(place, item)])]
        elif isinstance(item, Block):
            batch.append(item)
    outcomes += fleet.receive(batch)

    expected, captures, _ = undisturbed()
    assert outcomes == expected
    assert captured(fleet) == captures[-1]
