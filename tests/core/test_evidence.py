"""Evidence: from the state before a record, that record gives the same score and the same event again, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.alerts.vocabulary import CommandKind, WorkKind
from foreshock.contract import Asset, Block, Limit, MeasuringPoint, Mode, Phase
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.alerting import control, work
from tests.core.builders import block, frame, machine, placed

SPEC = FleetSpec(warmup_blocks=14)


def registered(asset: str, point: str, feature: str, above: float) -> Asset:
    limit = Limit(feature=feature, above=above)
    return Asset(asset=asset, points=(MeasuringPoint(point=point, quantity="x", unit="1", limits=(limit,)),))


def stream(seed: int, length: int = 30) -> list[Block | Asset]:
    """Two waveform points, single rows, and frames of four rows; all fail sooner or later, and some escalate."""
    rng = np.random.default_rng(seed)
    start = int(rng.integers(15, 24))
    items: list[Block | Asset] = [registered("pump", "DE", "rms", 0.9), registered("kiln", "process", "t0", 312.0)]
    for i in range(length):
        fault = float(rng.uniform(0.5, 4.0)) * 1.3 ** (i - start) if i >= start else 0.0
        items.append(block(0, asset="pump", index=i, fault=fault))
        items.append(block(0, asset="pump", point="NDE", index=i, samples=(1 + fault) * machine(i, channels=2)))
        shift = np.maximum(np.arange(4) + 4 * (i - start), 0)[:, None] * rng.uniform(0.5, 3)
        items.append(frame(0, rng.normal(300, 1, (4, 2)) + shift, asset="kiln", index=4 * i))
        items.append(frame(0, rng.normal(300, 1, (1, 3)) + (8.0 if i >= start else 0.0), asset="row", index=i))
        if rng.random() < 0.1:
            items.append(block(0, asset="pump", index=max(0, i - 2)))
        if rng.random() < 0.1:
            items.append(registered("pump", "DE", "rms", float(rng.uniform(0.5, 2.0))))
    return placed(items)


def run(spec: FleetSpec, items: Sequence[Block | Asset], cuts: Sequence[int]) -> list[Outcome]:
    fleet, found = Fleet(spec), []
    for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
        found += fleet.receive(items[first:last])
    return found


def replay(spec: FleetSpec, state: bytes, record: Block) -> Outcome:
    """What a Fleet that knows nothing else makes of the record."""
    fleet = Fleet(spec)
    fleet.restore(AssetState.from_bytes(state))
    (outcome,) = fleet.receive([record])
    return outcome


def wanted(outcomes: Sequence[Outcome]) -> list[tuple[int, str]]:
    """Every event: each can be proven after the raw records are gone."""
    return [(i, event.event_id) for i, outcome in enumerate(outcomes) for event in outcome.anomalies]


def check(spec: FleetSpec, items: Sequence[Block | Asset], cuts: Sequence[int]) -> list[Outcome]:
    """Replay all evidence of a stream."""
    outcomes = run(spec, items, cuts)
    blocks = [item for item in items if not isinstance(item, Asset)]

    assert [(i, e.event_id) for i, o in enumerate(outcomes) for e in o.evidence] == wanted(outcomes)
    for outcome, record in zip(outcomes, blocks, strict=True):
        for evidence in outcome.evidence:
            again = replay(spec, evidence.state, record)
            assert again.score == outcome.score
            assert again.anomalies == outcome.anomalies
            assert again.evidence == outcome.evidence
    return outcomes


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_event_comes_out_again(seed: int, data: st.DataObject) -> None:
    """Model and static limits, waveforms and frames, in any batching."""
    items = stream(seed)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(items) - 1), max_size=40)))

    outcomes = check(SPEC, items, cuts)
    assert outcomes == run(SPEC, items, [])


def test_the_streams_hold_what_is_claimed() -> None:
    """Opened and escalated events of both modes, of waveforms and of rows within a frame, have evidence."""
    outcomes = [o for seed in range(3) for o in run(SPEC, stream(seed), [])]
    told = {e.event_id for o in outcomes for e in o.evidence}
    events = [e for o in outcomes for e in o.anomalies if e.event_id in told]

    assert {(e.asset, e.mode) for e in events} == {
        ("pump", Mode.MODEL), ("pump", Mode.STATIC_LIMIT), ("kiln", Mode.MODEL), ("kiln", Mode.STATIC_LIMIT),
        ("row", Mode.MODEL),
    }  # fmt: skip
    assert {e.phase for e in events} == {Phase.OPENED, Phase.UPDATED}
    assert {e.lineage.inputs[0].row for e in events if e.asset == "kiln"} >= {1, 2, 3}


@pytest.mark.parametrize(
    "spec", [FleetSpec(profile="lean", warmup_blocks=14), FleetSpec(warmup_blocks=14, river="LODA")]
)
def test_other_models_come_out_again(spec: FleetSpec) -> None:
    """The trees alone, and a detector of River."""
    check(spec, stream(1, 26), [7, 31, 64])


def test_a_warm_up_that_ends_in_the_frame_is_undone() -> None:
    """An alarm that opens in the frame that completed the warm-up: the state before it is one that is still warming."""
    rng = np.random.default_rng(2)
    values = rng.normal(300, 1, (40, 2))
    values[16:] += 50.0
    items = placed([frame(0, values[:12], asset="kiln", index=0), frame(0, values[12:], asset="kiln", index=12)])
    outcomes = check(FleetSpec(warmup_blocks=14, hold_s=0.0), items, [1])

    assert [e.event_id for e in outcomes[1].evidence]


def test_evidence_is_of_one_measuring_point() -> None:
    """It holds nothing of the asset's other points, and names the offset that the asset's order stood at."""
    items = stream(3)
    outcomes = run(SPEC, items, [])
    outcome = next(o for o in outcomes if o.evidence and o.score.asset == "pump")
    state = AssetState.from_bytes(outcome.evidence[0].state)

    assert [point["point"] for point in state.tree["points"]] == [outcome.score.point]
    assert state.offset <= outcome.score.origin.offset


def proven(spec: FleetSpec, outcome: Outcome, record: Block) -> bool:
    """Whether each event of an outcome has evidence from which it comes out again."""
    again = [replay(spec, each.state, record) for each in outcome.evidence]
    same = all(each.score == outcome.score and each.anomalies == outcome.anomalies for each in again)
    return same and [e.event_id for e in outcome.evidence] == [e.event_id for e in outcome.anomalies]


def test_the_end_of_a_model_has_evidence() -> None:
    """An episode that is closed because the layout changed for good, in any batching."""
    faulty = [block(0, index=i, fault=4.0 if i > 20 else 0.0) for i in range(30)]
    other = [block(0, index=i, samples=machine(i, count=512)) for i in range(30, 30 + LAYOUT_BLOCKS)]
    items = placed([*faulty, *other])
    outcomes = run(SPEC, items, [])
    parting = next(i for i, outcome in enumerate(outcomes) if any(e.phase is Phase.CLOSED for e in outcome.anomalies))

    assert "layout changed" in outcomes[parting].anomalies[0].decision.rule
    assert proven(SPEC, outcomes[parting], items[parting])
    assert run(SPEC, items, range(1, len(items))) == outcomes


def test_the_end_of_a_baseline_has_evidence() -> None:
    """A repair closes the episode of the old one with the record that begins the new one."""
    fleet = Fleet(SPEC)
    fleet.receive([block(i, fault=4.0 if i > 20 else 0.0) for i in range(30)])
    fleet.take_up(work(0, WorkKind.REPAIR, 30), 0, 30)
    (outcome,) = fleet.receive([block(30)])

    assert [each.phase for each in outcome.anomalies] == [Phase.CLOSED]
    assert proven(SPEC, outcome, block(30))


def test_who_holds_learning_is_part_of_the_evidence() -> None:
    """The score that is computed again says so too."""
    fleet = Fleet(SPEC)
    fleet.receive([block(i) for i in range(20)])
    fleet.take_up(control(0, CommandKind.FREEZE, 20), 0, 20)
    records = [block(i, fault=4.0) for i in range(20, 26)]
    outcomes = [(o, record) for o, record in zip(fleet.receive(records), records, strict=True) if o.anomalies]

    assert outcomes
    assert all(outcome.score.learning.startswith("held: frozen") for outcome, _ in outcomes)
    assert all(proven(SPEC, outcome, record) for outcome, record in outcomes)
