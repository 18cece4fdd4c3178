"""Stop after any record and go on from older captures: what follows is as if nothing had happened."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.contract import Asset, Phase, ScoreState
from foreshock.detectors.snapshot import Key, Keys
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.crash.plant import SPEC, feed, stream

KEYS = Keys(Key("test", b"secret"))
AHEAD = 30  # records after the crash that are looked at; what is wrong with a state shows sooner


@cache
def undisturbed(spec: FleetSpec, length: int) -> tuple[list[Outcome | None], list[dict[str, bytes]]]:
    """Outcome of every record, and sealed captures of all assets after it."""
    fleet, outcomes, captures = Fleet(spec), [], []
    latest: dict[str, bytes] = {}
    for place, item in enumerate(stream(length)):
        found = list(feed(fleet, [(place, item)]))
        outcomes.append(found[0][1] if found else None)
        latest = latest | {item.asset: fleet.capture(0, item.asset).seal(KEYS)}
        captures.append(latest)
    return outcomes, captures


def digests(sealed: dict[str, bytes]) -> dict[str, str]:
    """Digest of each capture."""
    return {name: AssetState.unseal(data, KEYS).digest() for name, data in sealed.items()}


def crash(spec: FleetSpec, length: int, place: int, draw: random.Random) -> None:
    """Stop after the record at `place`, restore each asset from a capture of some earlier time, and go on."""
    items = stream(length)
    outcomes, captures = undisturbed(spec, length)
    fleet, resume = Fleet(spec), place + 1
    for name in captures[place]:
        at = draw.randint(0, place)
        if name in captures[at]:
            fleet.restore(AssetState.unseal(captures[at][name], KEYS))
        resume = min(resume, at + 1 if name in captures[at] else 0)
    end = min(place + AHEAD, len(items))
    again = dict(feed(fleet, list(enumerate(items))[resume:end]))

    assert {at: outcomes[at] for at in again} == again
    assert {at for at in range(place + 1, end) if not isinstance(items[at], Asset)} <= again.keys()
    seen = {item.asset for item in items[:end]}
    assert {name: fleet.capture(0, name).digest() for name in seen} == digests(captures[end - 1])


class TestStream:
    def test_it_holds_what_makes_state(self) -> None:
        """The undisturbed run has episodes of both modes that open, escalate and close, refusals of all kinds, quality events."""
        outcomes = [each for each in undisturbed(SPEC, 44)[0] if each is not None]
        events = [event for outcome in outcomes for event in outcome.anomalies]
        states = {row.state for outcome in outcomes for row in outcome.score.rows}

        assert {(e.mode.value, e.phase) for e in events} >= {
            ("model", Phase.OPENED), ("model", Phase.UPDATED), ("static_limit", Phase.OPENED)
        }  # fmt: skip
        assert states == set(ScoreState)
        assert {e.kind.value for o in outcomes for e in o.quality} >= {"duplicate", "frozen"}


@pytest.mark.parametrize("part", range(6))
def test_any_crash_leaves_no_trace(part: int) -> None:
    """After every k-th record, with each asset restored from a capture of its own earlier time."""
    draw = random.Random(part)
    for place in range(part, len(stream()), 6):
        crash(SPEC, 44, place, draw)


@pytest.mark.slow
@pytest.mark.parametrize("river", ["OneClassSVM", "LODA"])
def test_a_river_detector_goes_on_as_well(river: str) -> None:
    """Objects of River come back bit for bit: later scores and digests are equal."""
    draw = random.Random(3)
    for place in range(20, 120, 31):
        crash(FleetSpec(warmup_blocks=16, river=river), 30, place, draw)


def test_lean_goes_on_as_well() -> None:
    """The profile that scores by the trees alone."""
    draw = random.Random(4)
    for place in range(5, 220, 11):
        crash(FleetSpec(profile="lean", warmup_blocks=16), 44, place, draw)


@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_state_is_the_same_in_any_batching(data: st.DataObject) -> None:
    """Cut into batches at random places, the digests of all assets are those of the run record by record."""
    items = stream()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(items) - 1), max_size=30)))
    fleet = Fleet(SPEC)
    for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
        batch = []
        for place in range(first, last):
            item = items[place]
            if isinstance(item, Asset):
                fleet.receive(batch)
                batch = []
                fleet.take_up(item, 0, place)
            else:
                batch.append(item)
        fleet.receive(batch)
    found = {name: fleet.capture(0, name).digest() for name in fleet.dirty(0)}

    assert found == digests(undisturbed(SPEC, 44)[1][-1])
