"""Measurement windows: which blocks are joined to one, when, and what is read from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foreshock.contract import Acquisition, Asset, Band, Block, Gear, SensorBlock, Tachometer
from foreshock.core.windows import MOST_SAMPLES
from foreshock.fleet import Fleet, FleetSpec
from foreshock.signals import Ended, SpeedSource
from tests.core.builders import START_NS, origin, placed
from tests.core.window_builders import (
    BEARING,
    COUNT,
    ONE_AFTER_THE_OTHER,
    POINT,
    PUMP,
    RATE,
    G,
    reasons,
    run,
    values,
    vectors,
    wave,
)


class TestWhatIsJoined:
    """Blocks to a window."""

    def test_one_g_at_159_155_hz_is_6_934_mm_s(self) -> None:
        """A peak of 1 g where omega is 1000 is a velocity of 9.80665 mm/s peak and 6.934 mm/s RMS, through the Fleet."""
        blocks = [wave(i, amplitude=G, hz=159.155, noise=0.0) for i in range(8)]
        (first, *_) = vectors(run([PUMP, *blocks]))

        assert values(first)["velocity_rms[x]"] == pytest.approx(6.934e-3, rel=2e-3)
        assert values(first)["velocity_peak[x]"] == pytest.approx(G * 1e-3, rel=2e-3)
        assert dict(zip(first.names, first.units, strict=True))["velocity_rms[x]"] == "m/s"

    def test_a_window_is_as_long_as_its_velocity_asks_for(self) -> None:
        """One second of a fast machine, five of one rated at 600 rpm; it begins and ends with its blocks."""
        slow = replace(PUMP, rated_speed_hz=10.0)
        blocks = [wave(i, speed_hz=10.0) for i in range(24)]

        fast = vectors(run([PUMP, *(wave(i) for i in range(24))]))[0]
        (long,) = vectors(run([slow, *blocks]))

        assert (fast.samples, long.samples) == (4096, 5 * 4096)
        assert (fast.from_ns, fast.until_ns) == (START_NS, START_NS + 1_000_000_000)
        assert (fast.first_offset, fast.origin.offset) == (0, 3)
        assert fast.ended is Ended.COMPLETE

    def test_it_is_the_same_however_the_samples_come(self) -> None:
        """Joined blocks of 256, 512 or 1024 samples have the values of one block with all of them."""
        x = np.random.default_rng(3).normal(0, 1, 4096).astype(np.float32)

        def cut(count: int) -> list[SensorBlock]:
            return [wave(i, count=count, samples=x[None, i * count : (i + 1) * count]) for i in range(4096 // count)]

        found = [vectors(run([PUMP, *cut(count)]))[0].values for count in (256, 512, 1024, 4096)]

        assert found[1:] == found[:1] * 3

    def test_a_snapshot_is_a_window(self) -> None:
        """Each block of a snapshot sensor is read, at whatever interval it comes; one that is short says so."""
        spec = FleetSpec(features_every_s=60.0)
        hour_ns = 3600 * 10**9
        wide = [wave(i, count=8192, acquisition=Acquisition.SNAPSHOT, shift_ns=i * hour_ns) for i in range(3)]
        short = [wave(i, acquisition=Acquisition.SNAPSHOT, shift_ns=i * hour_ns) for i in range(3)]

        assert [(v.samples, v.ended) for v in vectors(run([PUMP, *wide], spec))] == [(8192, Ended.COMPLETE)] * 3
        assert [reasons(v)["velocity_rms[x]"] for v in vectors(run([PUMP, *short], spec))] == ["window_too_short"] * 3

    def test_windows_come_every_so_often(self) -> None:
        """With `every_s` of 3 s a continuous sensor of 10 s has a window in each of the intervals that it touches."""
        found = vectors(run([PUMP, *(wave(i) for i in range(40))], FleetSpec(features_every_s=3.0)))
        starts = [(vector.from_ns - START_NS) / 1e9 for vector in found]

        assert starts[0] == 0.0
        assert len(starts) in {4, 5}
        assert all(0.25 <= gap <= 6.0 for gap in np.diff(starts))

    def test_other_assets_begin_at_other_times(self) -> None:
        """The windows of fifty machines that send in step are spread over the interval."""
        names = [f"m{k}" for k in range(50)]
        items: list[Block | Asset] = [Asset(asset=name) for name in names]
        spec = FleetSpec(features_every_s=4.0)
        offset = 0
        for i in range(24):
            for name in names:
                items.append(wave(i, asset=name, count=64, rate=8.0, speed_hz=None, origin=origin(offset)))
                offset += 1
        second = {v.asset: v.from_ns for v in vectors(run(items, replace(spec, features_every_s=64.0)))}

        assert len(set(second.values())) >= 5

    def test_what_is_not_registered_has_none(self) -> None:
        """Without master data nothing is gathered, said or kept."""
        fleet = Fleet(ONE_AFTER_THE_OTHER)
        outcomes = fleet.receive([wave(i) for i in range(12)])
        (point,) = fleet.capture(0, "pump").tree["points"]

        assert vectors(outcomes) == []
        assert "windows" not in point

    def test_it_can_be_switched_off(self) -> None:
        """With `features.enabled` false a registered asset has no windows, and drops the one under way."""
        on, off = Fleet(FleetSpec()), replace(FleetSpec(), features=False)
        on.receive([PUMP, wave(0), wave(1)])
        state = on.capture(0, "pump")
        later = Fleet(off)
        later.restore(replace(state))
        found = later.receive([wave(i) for i in range(2, 12)])

        assert vectors(found) == vectors(run([PUMP, *(wave(i) for i in range(12))], off)) == []
        assert "window" not in later.capture(0, "pump").tree["points"][0].get("windows", {})

    def test_an_asset_gathers_no_more_than_a_snapshot_can_hold(self) -> None:
        """Of many points that are due at once no more gather at a time than 2**18 samples; the others come after them."""
        points = [f"p{k}" for k in range(8)]
        items: list[Block | Asset] = [PUMP]
        for i in range(12):
            items += [replace(wave(i, rate=65536.0, count=16384, speed_hz=None), point=name) for name in points]
        fleet, most = Fleet(FleetSpec(features_every_s=3600.0)), 0
        for item in placed(items):
            fleet.receive([item])
            if isinstance(item, SensorBlock):
                held = [p["windows"].get("window") for p in fleet.capture(0, "pump").tree["points"] if "windows" in p]
                most = max(most, sum(each["samples"].nbytes for each in held if each))
        found = vectors(run(placed(items), FleetSpec(features_every_s=3600.0)))

        assert 0 < most <= 4 * MOST_SAMPLES
        assert {vector.point for vector in found} == set(points)
        assert {vector.samples for vector in found} == {65536}

    def test_a_point_that_falls_silent_does_not_keep_the_others_waiting(self) -> None:
        """The window that it had under way is dropped when its next block is 32 s overdue; however the stream is cut."""
        slow = replace(PUMP, points=(POINT, replace(POINT, point="NDE")), rated_speed_hz=0.5, bearings=(BEARING,))
        spec = FleetSpec(warmup_blocks=14, features_every_s=2.0)
        silent: list[Block | Asset] = [wave(i, channels="abcd", count=8192, rate=32768.0) for i in range(3)]
        other = [replace(wave(i), point="NDE") for i in range(3, 240)]
        items = [
            slow,
            *silent,
            *(replace(each, origin=origin(each.origin.offset, 0, each.source_ns)) for each in other),
        ]
        whole, parts = run(items, spec), run(items, spec, [2, 5, 100, 137, 138])
        found = vectors(whole)

        assert {vector.point for vector in found} == {"NDE"}
        assert {vector.ended for vector in found} == {Ended.COMPLETE}
        assert 30e9 < found[0].from_ns - other[0].source_ns < 36e9
        assert vectors(parts) == found

    @pytest.mark.parametrize("rate", [1e-12, 1e-300])
    def test_a_recording_may_state_any_rate(self, rate: float) -> None:
        """A window whose end no clock will see ends within a century, in a number that fits."""
        blocks = [wave(i, samples=wave(i).samples) for i in range(3)]
        found = vectors(run([PUMP, *(replace(block, sampling_rate_hz=rate) for block in blocks)]))

        assert found
        assert all(vector.from_ns < vector.until_ns < 2**63 for vector in found)

    def test_a_tachometer_is_not_read_as_vibration(self) -> None:
        """Its channel gives the speed, and has no features."""
        known = replace(POINT, tachometer=Tachometer(channel="tacho"))
        t = np.arange(4096) / RATE
        pulses = ((t * 19.7) % 1.0 < 0.1).astype(float)
        x = np.vstack([np.sin(2 * np.pi * 50 * t) + np.random.default_rng(1).normal(0, 0.1, 4096), pulses])
        blocks = [
            wave(i, channels=("x", "tacho"), samples=x[:, i * COUNT : (i + 1) * COUNT], speed_hz=None) for i in range(4)
        ]
        (found,) = vectors(run([replace(PUMP, points=(known,)), *blocks]))

        assert found.channels == ("x",)
        assert found.speed_source is SpeedSource.TACHOMETER
        assert found.speed_hz == pytest.approx(19.7, rel=1e-2)

    def test_a_point_has_its_bands_its_gears_and_its_selection(self) -> None:
        """Bands and gears of the master data add columns; `features` keeps those that are named."""
        rich = replace(
            PUMP,
            points=(replace(POINT, bands=(Band(name="cavitation", low=800, high=1600),)),),
            gears=(Gear(name="g", teeth=7),),
        )
        few = replace(PUMP, points=(replace(POINT, features=("rms", "velocity_rms")),))
        blocks = [wave(i) for i in range(7)]
        (whole,), (selected,) = vectors(run([rich, *blocks])), vectors(run([few, *blocks]))

        assert values(whole)["rms_cavitation[x]"] is not None
        assert values(whole)["mesh[x]"] is not None
        assert selected.names == ("rms[x]", "velocity_rms[x]")
        assert selected.units == ("m/s2", "m/s")
        assert len(selected.values) == len(selected.masks) == 2


class TestDiagnosis:
    """When faults are looked for, and what is told."""

    PUMP = replace(PUMP, bearings=(BEARING,))

    def test_what_is_found_is_told_when_it_changes(self) -> None:
        """A machine without a fault says so once; each diagnosis names the vector of the same window."""
        outcomes = run([self.PUMP, *(wave(i) for i in range(40))])
        told = [(outcome, each) for outcome in outcomes for each in outcome.diagnoses]

        assert len(vectors(outcomes)) >= 4
        assert [each.fault for _, each in told] == [""]
        assert told[0][1].vector_id == told[0][0].vectors[0].vector_id
        assert told[0][1].method.startswith("diagnosis-v")

    def test_the_first_window_of_a_continuous_sensor_is_not_searched(self) -> None:
        """A worker that starts meets the first windows of all its machines at once: the second is early enough."""
        outcomes = run([self.PUMP, *(wave(i) for i in range(60))], FleetSpec(features_every_s=4.0))
        first = next(i for i, outcome in enumerate(outcomes) if outcome.vectors)
        searched = next(i for i, outcome in enumerate(outcomes) if outcome.diagnoses)

        assert searched > first
        assert outcomes[searched].vectors

    def test_without_a_speed_nothing_is_looked_for(self) -> None:
        """The diagnosis says so with the code of the masks."""
        (told,) = [each for o in run([self.PUMP, *(wave(i, speed_hz=None) for i in range(12))]) for each in o.diagnoses]

        assert (told.fault, told.mask) == ("", "no_speed")
