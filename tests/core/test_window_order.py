"""Measurement windows are a function of the records in their order: not of batches, and of no restart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.alerts.vocabulary import WorkKind
from foreshock.contract import Asset, Block, Zones
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.alerting import work
from tests.core.builders import placed
from tests.core.window_builders import BEARING, COUNT, ONE_AFTER_THE_OTHER, POINT, PUMP, RATE, run, vectors, wave


def eventful(seed: int, length: int = 40) -> list[Block | Asset]:
    """Two registered machines and one that is not; gaps, stops, strange rates and channels, and zones that are left."""
    rng = np.random.default_rng(seed)
    point = replace(POINT, zones=Zones(a_b=1e-3, b_c=2e-3, c_d=4e-3))
    items: list[Block | Asset] = [
        Asset(asset="pump", points=(point,), bearings=(BEARING,)),
        Asset(asset="fan", points=(POINT,)),
    ]
    shift = {"pump": 0, "fan": 0, "other": 0}
    for i in range(length):
        for name, before in shift.items():
            dice = rng.random()
            shift[name] = before + (int(3e9) if dice < 0.05 else 0)
            fields: dict[str, object] = {}
            if dice > 0.95:
                fields = {"channels": ("x", "y")}
            elif dice > 0.9:
                fields = {"speed_hz": 0.0}
            elif dice > 0.87:
                fields = {"rate": 2 * RATE}
            items.append(wave(i, asset=name, shift_ns=shift[name], amplitude=0.2 + 3.0 * (i > length // 2), **fields))
    return placed(items)


def flat(outcome: Outcome) -> tuple[object, ...]:
    """What can be compared of an outcome."""
    return outcome.score, outcome.anomalies, outcome.vectors, outcome.diagnoses, outcome.evidence, outcome.alerts


class TestOneOrder:
    """Nothing but the records and their order counts."""

    SPEC = FleetSpec(warmup_blocks=14, features_every_s=2.0)

    @given(seed=st.integers(0, 3), cuts=st.sets(st.integers(1, 121), max_size=12))
    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_batches_do_not_matter(self, seed: int, cuts: set[int]) -> None:
        """However the stream is cut, the same vectors, diagnoses, events and state come of it."""
        items = eventful(seed)
        whole, parts = run(items, self.SPEC), run(items, self.SPEC, sorted(cuts))

        assert list(map(flat, parts)) == list(map(flat, whole))
        assert vectors(whole)

    def test_a_repair_counts_from_the_record_that_it_begins_anew_with(self) -> None:
        """Another point of the machine, heard just before it, still finds the window of the old baseline beside it."""
        slow = replace(PUMP, points=(POINT, replace(POINT, point="NDE")), rated_speed_hz=0.5, bearings=(BEARING,))
        first = [wave(i, channels="abcd", count=8192, rate=32768.0) for i in range(4)]
        states = []
        for cuts in ([], [1]):
            fleet = Fleet(self.SPEC, assets=[slow])
            fleet.receive(first[:3])
            fleet.take_up(work(0, WorkKind.REPAIR, 3, asset="pump"), 0, 3)
            tail = placed([*first[:3], replace(wave(3), point="NDE"), first[3]])[3:]
            for start, end in zip([0, *cuts], [*cuts, 2], strict=True):
                fleet.receive(tail[start:end])
            states.append(fleet.capture(0, "pump"))
        gathering = {point["point"]: "window" in point.get("windows", {}) for point in states[0].tree["points"]}

        assert states[0].digest() == states[1].digest()
        assert gathering == {"DE": True, "NDE": False}

    def test_a_restart_after_any_record_does_not_matter(self) -> None:
        """Captured and restored after each record, in the middle of windows too, all goes on to the bit."""
        items = eventful(1, 20)
        whole = Fleet(self.SPEC)
        wanted = [flat(outcome) for item in items for outcome in whole.receive([item])]
        assets = {item.asset: item for item in items if isinstance(item, Asset)}
        fleet, found = Fleet(self.SPEC, assets=assets.values()), []
        for item in items:
            if isinstance(item, Asset):
                continue
            found += map(flat, fleet.receive([item]))
            state = AssetState.from_bytes(fleet.capture(0, item.asset).to_bytes())
            fleet.restore(state)

        assert found == wanted
        for name in ("pump", "fan", "other"):
            assert fleet.capture(0, name).tree["points"][0].get("windows") is not None or name == "other"
            assert fleet.capture(0, name).digest() == whole.capture(0, name).digest()

    def test_a_state_from_before_there_were_windows_goes_on(self) -> None:
        """A snapshot without them restores, and the next block begins the first window."""
        fleet = Fleet(ONE_AFTER_THE_OTHER)
        fleet.receive([PUMP, wave(0), wave(1)])
        state = fleet.capture(0, "pump")
        points = [{name: each for name, each in point.items() if name != "windows"} for point in state.tree["points"]]
        later = Fleet(ONE_AFTER_THE_OTHER)
        later.restore(replace(state, tree={**state.tree, "points": points}))

        assert [v.first_offset for v in vectors(later.receive([wave(i) for i in range(2, 6)]))] == [2]

    def test_a_state_holds_no_samples_between_windows(self) -> None:
        """Some hundred bytes more than without; while a window is gathered its samples come on top."""
        fleet = Fleet(FleetSpec(features_every_s=3600.0))
        fleet.receive([PUMP, wave(0), wave(1), wave(2)])
        during = len(fleet.capture(0, "pump").to_bytes())
        fleet.receive([wave(3)])
        after = len(fleet.capture(0, "pump").to_bytes())

        assert 3 * 4 * COUNT <= during - after <= 4 * 4 * COUNT
        assert "window" not in fleet.capture(0, "pump").tree["points"][0]["windows"]
