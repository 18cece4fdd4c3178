"""The state of an asset: what is dirty and what is clean, what is refused, and what older releases have written."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foreshock.contract import Asset, QualityKind, ScoreState
from foreshock.core.points import Layout
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.detectors.reference import Reference
from foreshock.detectors.snapshot import Key, Keys, canonical, seal, unseal
from foreshock.errors import ConfigurationError, SnapshotRejected, StateRejected
from foreshock.fleet import AssetState, Fleet, FleetSpec
from tests.core.builders import block, frame
from tests.core.make_golden_states import FOLDER, KEYS

ROOT = Path(__file__).parents[2]
SPEC = FleetSpec(warmup_blocks=12)
GOLDEN = sorted(FOLDER.glob("state.*.sealed"))


def fed(count: int, spec: FleetSpec = SPEC) -> Fleet:
    fleet = Fleet(spec)
    fleet.take_up(Asset(asset="pump-1", owner="hydraulics"), 0, 0)
    fleet.receive([block(i) for i in range(count)])
    return fleet


class TestDirty:
    def test_an_asset_is_dirty_from_its_first_change_on(self) -> None:
        """The oldest first, by the offset that changed it; clean once a checkpoint has it."""
        fleet = Fleet(SPEC)
        fleet.receive([block(5, asset="b"), block(6, asset="a"), block(9, asset="b")])

        assert list(fleet.dirty(0).items()) == [("b", 5), ("a", 6)]
        assert (fleet.folded(0, "b"), fleet.folded(0, "a"), fleet.folded(1, "a")) == (10, 7, 0)
        fleet.clean(0, "b", fleet.capture(0, "b").offset)
        assert fleet.dirty(0) == {"a": 6}

    def test_what_came_after_the_capture_stays_dirty(self) -> None:
        """From its own first offset on, not from that of the capture."""
        fleet = Fleet(SPEC)
        fleet.receive([block(5)])
        state = fleet.capture(0, "pump-1")
        fleet.receive([block(50), block(51)])
        fleet.clean(0, "pump-1", state.offset)

        assert fleet.dirty(0) == {"pump-1": 50}

    def test_an_older_capture_leaves_dirty_what_may_have_come_since(self) -> None:
        """Where two captures are on their way, the commit of the first says nothing about the second."""
        fleet = Fleet(SPEC)
        fleet.receive([block(5)])
        first = fleet.capture(0, "pump-1")
        fleet.receive([block(50)])
        fleet.capture(0, "pump-1")
        fleet.clean(0, "pump-1", first.offset)

        assert fleet.dirty(0) == {"pump-1": first.offset}

    def test_master_data_at_a_place_makes_dirty(self) -> None:
        """Of an asset without a single record too: its first block must find it after a restart."""
        fleet = Fleet(SPEC)
        fleet.take_up(Asset(asset="new", warmup_blocks=30), 0, 77)
        state = fleet.capture(0, "new")

        assert fleet.dirty(0) == {"new": 77}
        again = Fleet(SPEC)
        again.restore(state)
        (outcome,) = again.receive([block(80, asset="new")])
        assert outcome.score.registered
        assert outcome.score.rows[0].reason == "warming up, 1 of 30 blocks"

    def test_a_record_is_folded_in_once(self) -> None:
        """The caller filters; the Fleet refuses rather than fold twice."""
        with pytest.raises(ValueError, match="folded in already"):
            fed(5).receive([block(4)])


class TestRestore:
    def test_what_is_held_is_replaced(self) -> None:
        """A rebalance can rewind: the captured state counts, whatever the Fleet has folded in since."""
        fleet = fed(20)
        state = fleet.capture(0, "pump-1")
        expected = fleet.receive([block(i) for i in range(20, 30)])
        fleet.restore(state)

        assert fleet.capture(0, "pump-1").digest() == state.digest()
        assert fleet.dirty(0) == {}
        assert fleet.receive([block(i) for i in range(20, 30)]) == expected

    def test_slots_are_given_back(self) -> None:
        """Restoring over and over, and being refused, takes no more memory."""
        fleet = fed(20)
        state = fleet.capture(0, "pump-1")
        broken = dataclasses.replace(state, tree={**state.tree, "points": [*state.tree["points"], {"layout": None}]})
        for _ in range(30):
            fleet.restore(state)
            with pytest.raises(StateRejected):
                fleet.restore(broken)

        assert not fleet._admission.lanes

    def test_layouts_that_are_gone_take_no_memory(self) -> None:
        """A producer that goes through rates and channel names without end leaves nothing behind."""
        fleet = Fleet(SPEC)
        for i in range(60):
            rate = 1600.0 + i // LAYOUT_BLOCKS
            fleet.receive([dataclasses.replace(block(i), sampling_rate_hz=rate, channels=(f"c{i}",))])
            fleet.receive([dataclasses.replace(block(i), asset="fan-1", sampling_rate_hz=rate)])
        lanes = fleet._admission.lanes
        assert len(lanes) == 1
        assert fleet.capture(0, "pump-1").tree["points"]

        fleet.release([0])
        assert not lanes

    def test_another_reference_of_its_class_starts_cold(self) -> None:
        """A baseline in the units of another reference would call the whole class abnormal; other classes go on."""

        def fleet(*classes: str) -> Fleet:
            reference = Reference("pump", 1, "none", (), (), (), "by hand") if "pump" in classes else None
            return Fleet(SPEC, reference=reference)

        pump, fan = fed(20), fed(20)
        pump.take_up(Asset(asset="pump-1", asset_class="pump"), 0, 20)
        fan.take_up(Asset(asset="pump-1", asset_class="fan"), 0, 20)

        with pytest.raises(StateRejected, match="shape"):
            fleet("pump").restore(pump.capture(0, "pump-1"))
        fleet("pump").restore(fan.capture(0, "pump-1"))
        fleet().restore(pump.capture(0, "pump-1"))

    def test_another_shape_starts_cold_and_says_so(self) -> None:
        """Another profile has other arrays: the asset warms up anew, keeps its master data, and its next outcome tells."""
        fleet = Fleet(dataclasses.replace(SPEC, profile="lean"))
        with pytest.raises(StateRejected) as caught:
            fleet.restore(fed(20).capture(0, "pump-1"))
        first, second = fleet.receive([block(20), block(21)])

        assert caught.value.code == "other_shape"
        assert first.score.rows[0].state is ScoreState.WARMING
        assert first.score.registered
        (told,) = first.quality
        assert (told.kind, told.cause, told.detail) == (QualityKind.COLD_START, "pipeline", caught.value.sentence)
        assert second.quality == ()

    def test_a_cold_start_is_told_once_even_across_a_capture(self) -> None:
        """The reason is part of the state until it was told."""
        fleet, again = Fleet(SPEC), Fleet(SPEC)
        fleet.adopt_cold(0, "pump-1", "its snapshot was damaged")
        again.restore(fleet.capture(0, "pump-1"))
        first, second = again.receive([block(1), block(2)])

        assert [q.detail for q in first.quality] == ["its snapshot was damaged"]
        assert second.quality == ()

    @pytest.mark.parametrize("change", [{"budget": 0.1}, {"hold_s": 5.0}, {"warmup_blocks": 30}])
    def test_rule_and_budget_go_on_with_the_state(self, change: dict[str, float]) -> None:
        """They are no part of the shape: the model stays warm."""
        fleet = Fleet(dataclasses.replace(SPEC, **change))
        fleet.restore(fed(20).capture(0, "pump-1"))
        (outcome,) = fleet.receive([block(20)])

        assert outcome.score.rows[0].state is ScoreState.SCORED

    def test_a_tree_that_does_not_fit_is_refused_whole(self) -> None:
        """Wherever it is wrong, the asset is cold, not half restored."""
        state = fed(20).capture(0, "pump-1")
        (point,) = state.tree["points"]
        wrong = [
            {"layout": {**point["layout"], "columns": 7}},
            {"newest_ns": "late"},
            {"quality": {**point["quality"], "surprise": 1}},
            {"arrays": {**point["arrays"], "model": {**point["arrays"]["model"], "stored": np.array(2**40)}}},
            {"arrays": {**point["arrays"], "level": {}}},
        ]
        for change in wrong:
            fleet = Fleet(SPEC)
            with pytest.raises(StateRejected) as caught:
                fleet.restore(dataclasses.replace(state, tree={**state.tree, "points": [{**point, **change}]}))
            assert caught.value.code == "malformed"
            (outcome,) = fleet.receive([block(20)])
            assert outcome.score.rows[0].reason == "warming up, 1 of 12 blocks"

    def test_a_river_detector_that_cannot_be_kept_is_refused_at_the_start(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the name of what cannot be written down, before anything runs."""
        from river import anomaly

        class Held(anomaly.GaussianScorer):
            def __init__(self) -> None:
                super().__init__()
                self.inside = object()

        monkeypatch.setattr(anomaly, "StandardAbsoluteDeviation", Held)
        with pytest.raises(ConfigurationError, match=r"StandardAbsoluteDeviation.*cannot be kept"):
            FleetSpec(river="StandardAbsoluteDeviation")


class TestDigest:
    @pytest.mark.slow
    def test_it_is_the_same_in_every_process(self) -> None:
        """Whatever the seed of its hashes is."""
        script = (
            "from tests.core.make_golden_states import states\n"
            "print(*(f'{name}={state.digest()}' for name, state in sorted(states().items())))"
        )
        runs = [
            subprocess.run(
                [sys.executable, "-c", script],
                cwd=ROOT,
                env={"PYTHONHASHSEED": seed},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("3", "99")
        ]

        assert runs[0] == runs[1]
        assert runs[0].count("=") == 5

    def test_it_sees_every_part(self) -> None:
        """The last bit of an array, an offset, an empty list of points."""
        state = fed(20).capture(0, "pump-1")
        (point,) = state.tree["points"]
        memory = point["arrays"]["model"]["memory"].copy()
        memory.view(np.uint8).flat[5] ^= 1
        model = {**point["arrays"]["model"], "memory": memory}
        others = [
            dataclasses.replace(state, offset=21),
            dataclasses.replace(state, tree={**state.tree, "points": []}),
            dataclasses.replace(
                state, tree={**state.tree, "points": [{**point, "arrays": {**point["arrays"], "model": model}}]}
            ),
        ]

        assert len({each.digest() for each in [state, *others]}) == 4


class TestSealed:
    def test_a_header_says_what_it_is_of(self) -> None:
        """Asset, partition, offset, shape, and the versions that wrote it."""
        keys = Keys(Key("k", b"s"))
        sealed = unseal(fed(3).capture(0, "pump-1").seal(keys), keys)

        assert sealed.kind == "snapshot"
        assert {k: sealed.header[k] for k in ("asset", "partition", "offset", "shape")} == {
            "asset": "pump-1", "partition": 0, "offset": 3, "shape": SPEC.shape
        }  # fmt: skip
        assert {"foreshock", "numpy", "python"} <= sealed.header.keys()

    @pytest.mark.parametrize("tree", [None, {}, {"asset": "a"}, [1]])
    def test_what_is_no_state_is_refused(self, tree: object) -> None:
        """Signed or not."""
        keys = Keys(Key("k", b"s"))
        for read in (lambda: AssetState.unseal(seal("snapshot", tree, header={}, keys=keys), keys),
                     lambda: AssetState.from_bytes(canonical(tree))):  # fmt: skip
            with pytest.raises(SnapshotRejected) as caught:
                read()
            assert caught.value.code == "malformed"

    def test_a_marker_is_no_snapshot(self) -> None:
        """Kinds are not mistaken for each other."""
        keys = Keys(Key("k", b"s"))
        with pytest.raises(SnapshotRejected, match="a marker where a snapshot belongs"):
            AssetState.unseal(seal("marker", {}, header={}, keys=keys), keys)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_snapshot_is_gone_on_with_or_refused_for_its_shape(file: Path) -> None:
    """What a release has written can be read by all after it: its records, its arrays, and its digest."""
    about = json.loads(file.with_suffix(".json").read_text())
    state = AssetState.unseal(file.read_bytes(), KEYS)
    fleet = Fleet(FleetSpec(warmup_blocks=16))

    assert (state.offset, state.shape) == (about["offset"], about["shape"])
    if state.shape == fleet.spec.shape:
        fleet.restore(state)
        assert fleet.folded(0, state.asset) == state.offset
        assert incident(fleet.capture(0, state.asset)) == incident(state)
    else:
        with pytest.raises(StateRejected, match="other_shape"):
            fleet.restore(state)
    assert {Layout(**{**p["layout"], "tags": tuple(p["layout"]["tags"])}).kind for p in state.tree["points"]} <= {
        "waveform", "telemetry"
    }  # fmt: skip


def incident(state: AssetState) -> str:
    """The alert of an asset, where one is open."""
    alarm = state.tree.get("alerts", {}).get("alarm", {})
    return alarm["incident"]["alert_id"] if alarm.get("incident") else ""


def test_there_are_golden_snapshots() -> None:
    """Of every asset of the plant, without alerts and with some."""
    states = [AssetState.unseal(file.read_bytes(), KEYS) for file in GOLDEN]

    assert len(states) >= 8
    assert {bool(incident(state)) for state in states} == {True, False}


def test_frames_of_an_asset_come_back_too() -> None:
    """Two points of different kinds on one asset."""
    rng = np.random.default_rng(1)
    fleet, again = Fleet(SPEC), Fleet(SPEC)
    for i in range(20):
        fleet.receive([block(2 * i, index=i), frame(2 * i + 1, rng.normal(0, 1, (2, 2)), index=2 * i)])
    again.restore(fleet.capture(0, "pump-1"))
    last = [block(40, index=20), frame(41, rng.normal(0, 1, (2, 2)), index=40)]

    assert again.receive(last) == fleet.receive(last)
    assert again.status("pump-1") == fleet.status("pump-1")
