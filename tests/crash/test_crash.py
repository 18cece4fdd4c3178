"""Stop after any record and go on from older captures: what follows is as if nothing had happened."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.alerts.items import Assigned, Inhibited
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change
from foreshock.contract import Block, Phase, ScoreState, Tick
from foreshock.detectors.snapshot import Key, Keys
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from foreshock.signals import Ended
from tests.crash.plant import SPEC, Told, feed, stream

KEYS = Keys(Key("test", b"secret"))
AHEAD = 30  # records after the crash that are looked at; what is wrong with a state shows sooner


@cache
def undisturbed(spec: FleetSpec, length: int) -> tuple[list[Outcome | Told], list[dict[str, bytes]]]:
    """What became of every item, and sealed captures of all assets after it."""
    fleet, outcomes, captures = Fleet(spec), [], []
    latest: dict[str, bytes] = {}
    for place, item in enumerate(stream(length)):
        ((_, found),) = feed(fleet, [(place, item)])
        outcomes.append(found)
        names = fleet.policies(0) if isinstance(item, Tick | Assigned | Inhibited) else [item.asset]
        known = [name for name in names if fleet.master_data(0, name) is not None]
        latest = latest | {name: fleet.capture(0, name).seal(KEYS) for name in known}
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

    given = {at for at in again if isinstance(again[at], tuple) and at <= place}  # some assets have taken these up
    assert all(set(again[at]) <= set(outcomes[at]) for at in given)
    assert {at: outcomes[at] for at in again.keys() - given} == {at: again[at] for at in again.keys() - given}
    assert set(range(place + 1, end)) <= again.keys()
    assert {name: fleet.capture(0, name).digest() for name in captures[end - 1]} == digests(captures[end - 1])


class TestStream:
    def test_it_holds_what_makes_state(self) -> None:
        """The undisturbed run has episodes of both modes that open, escalate and close, refusals of all kinds, quality events."""
        results = undisturbed(SPEC, 44)[0]
        outcomes = [each for each in results if isinstance(each, Outcome)]
        events = [event for outcome in outcomes for event in outcome.anomalies]
        states = {row.state for outcome in outcomes for row in outcome.score.rows}

        assert {(e.mode.value, e.phase) for e in events} >= {
            ("model", Phase.OPENED), ("model", Phase.UPDATED), ("static_limit", Phase.OPENED)
        }  # fmt: skip
        assert states == set(ScoreState)
        assert {e.kind.value for o in outcomes for e in o.quality} >= {"duplicate", "frozen"}

    def test_it_holds_windows(self) -> None:
        """Windows over several records, ended by their length and by what breaks them, and vectors of telemetry; each once."""
        outcomes = [each for each in undisturbed(SPEC, 44)[0] if isinstance(each, Outcome)]
        vectors = [vector for outcome in outcomes for vector in outcome.vectors]

        assert any(each.asset == "gathered" and each.origin.offset > each.first_offset for each in vectors)
        assert {each.ended for each in vectors} >= {Ended.COMPLETE, Ended.GAP}
        assert any(each.asset == "boiler" for each in vectors)
        assert len({each.vector_id for each in vectors}) == len(vectors)

    def test_it_holds_what_makes_alerts(self) -> None:
        """Records, commands, work orders and ticks each have transitions of some kinds; each id comes once."""
        results = undisturbed(SPEC, 44)[0]
        by_records = [each for found in results if isinstance(found, Outcome) for each in found.alerts]
        outside = [each for found in results if isinstance(found, tuple) for each in found]
        by_ticks = [each for each in outside if each.origin.topic == "sensors.v1" and isinstance(each, AlertTransition)]
        told = [*by_records, *(each for each in outside if isinstance(each, AlertTransition))]

        assert {each.change for each in by_records} >= {
            Change.RAISED, Change.ESCALATED, Change.SUPPRESSED, Change.UNSHELVED
        }  # fmt: skip
        assert {each.change for each in told} >= {
            Change.ACKNOWLEDGED, Change.SHELVED, Change.FROZEN, Change.RESUMED, Change.LABELLED, Change.REFUSED,
            Change.WORK_ORDER, Change.WINDOW, Change.RETURNED_TO_NORMAL,
        }  # fmt: skip
        assert by_ticks
        assert len({each.event_id for each in told}) == len(told)


@pytest.mark.slow
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


@pytest.mark.slow
def test_lean_goes_on_as_well() -> None:
    """The profile that scores by the trees alone."""
    draw = random.Random(4)
    for place in range(5, 220, 11):
        crash(FleetSpec(profile="lean", warmup_blocks=16), 44, place, draw)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_state_is_the_same_in_any_batching(data: st.DataObject) -> None:
    """Cut into batches at random places, the digests of all assets are those of the run record by record."""
    items = stream()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(items) - 1), max_size=30)))
    fleet, results = Fleet(SPEC), []
    for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
        batch = []
        for place in range(first, last):
            item = items[place]
            if isinstance(item, Block):
                batch.append(item)
            else:
                results += [*fleet.receive(batch), *(told for _, told in feed(fleet, [(place, item)]))]
                batch = []
        results += fleet.receive(batch)
    found = {name: fleet.capture(0, name).digest() for name in fleet.dirty(0)}
    outcomes, captures = undisturbed(SPEC, 44)

    assert found == digests(captures[-1])
    assert results == outcomes
