"""Measurement windows: what is joined, when, what breaks it, and that all of it is a function of the records alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foreshock.contract import (
    Acquisition,
    Asset,
    Band,
    Bearing,
    Block,
    Context,
    Gear,
    MeasuringPoint,
    SensorBlock,
    Tachometer,
    Zones,
)
from foreshock.core.windows import MOST_SAMPLES
from foreshock.detectors.constants import LAYOUT_BLOCKS
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from foreshock.signals import Ended, FeatureVector, SpeedSource
from tests.core.builders import START_NS, origin, placed

RATE, COUNT = 4096.0, 1024
G = 9.80665
ONE_AFTER_THE_OTHER = FleetSpec(warmup_blocks=14, features_every_s=0.0)
POINT = MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2")
PUMP = Asset(asset="pump", points=(POINT,))
BEARING = Bearing(name="6205", balls=9, ball_diameter_m=7.94e-3, pitch_diameter_m=39.04e-3)


def wave(
    index: int,
    *,
    asset: str = "pump",
    amplitude: float = 1.0,
    hz: float = 50.0,
    rate: float | None = RATE,
    count: int = COUNT,
    channels: Sequence[str] = ("x",),
    shift_ns: int = 0,
    noise: float = 0.1,
    samples: np.ndarray | None = None,
    speed_hz: float | None = 25.0,
    **fields,
) -> SensorBlock:
    """Block `index` of a sine in noise that goes on without a gap; offsets are those of the index."""
    t = (index * count + np.arange(count)) / (rate or RATE)
    at_ns = START_NS + round(index * count * 1e9 / (rate or RATE)) + shift_ns
    if samples is None:
        spread = np.random.default_rng(index).normal(0, noise, (len(channels), count))
        samples = amplitude * np.sin(2 * np.pi * hz * t) + spread
    return SensorBlock(
        origin=fields.pop("origin", origin(index, 0, at_ns + 50_000_000)),
        asset=asset,
        point="DE",
        channels=tuple(channels),
        source_ns=at_ns,
        sampling_rate_hz=rate,
        quantity="acceleration",
        unit="m/s2",
        samples=np.asarray(samples, np.float32),
        sequence=index,
        context=Context(speed_hz=speed_hz),
        **fields,
    )


def run(
    items: Sequence[Block | Asset], spec: FleetSpec = ONE_AFTER_THE_OTHER, cuts: Sequence[int] = ()
) -> list[Outcome]:
    fleet, found = Fleet(spec), []
    for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
        found += fleet.receive(items[first:last])
    return found


def vectors(outcomes: Sequence[Outcome]) -> list[FeatureVector]:
    return [vector for outcome in outcomes for vector in outcome.vectors]


def values(vector: FeatureVector) -> dict[str, float | None]:
    return dict(zip(vector.names, vector.values, strict=True))


def reasons(vector: FeatureVector) -> dict[str, str]:
    """Masks that say something, by name."""
    return {name: mask for name, mask in zip(vector.names, vector.masks, strict=True) if mask}


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


class TestBadInput:
    """Each has its stated reason; nothing raises, and no number that is none goes on."""

    @staticmethod
    def ended_with(*more: SensorBlock, asset: Asset = PUMP, first: int = 2) -> FeatureVector:
        """The vector of a window of `first` blocks that the others broke."""
        (found, *_) = vectors(run([asset, *(wave(i) for i in range(first)), *more]))
        return found

    def test_a_gap_leaves_it_too_short(self) -> None:
        """A block that does not follow on within a sample ends the window; a block that does is part of it."""
        sample_ns = round(1e9 / RATE)
        near = vectors(run([PUMP, *(wave(i, shift_ns=(i > 1) * sample_ns // 2) for i in range(4))]))
        found = self.ended_with(*(wave(i, shift_ns=2 * sample_ns) for i in range(2, 6)))

        assert [vector.ended for vector in near] == [Ended.COMPLETE]
        assert (found.ended, found.samples) == (Ended.GAP, 2 * COUNT)
        assert reasons(found)["velocity_rms[x]"] == "window_too_short"
        assert values(found)["rms[x]"] == pytest.approx(0.71, abs=0.05)

    def test_a_rate_that_changes(self) -> None:
        """The window before it is read as far as it goes; while the new rate is not trusted a vector says so."""
        found = vectors(run([PUMP, wave(0), wave(1), *(wave(i, rate=2 * RATE) for i in range(6, 9))]))

        assert [vector.ended for vector in found] == [Ended.RATE_CHANGED] * 4
        assert reasons(found[0])["velocity_rms[x]"] == "rate_changed"
        assert values(found[0])["rms[x]"] is not None
        assert set(found[1].masks) == {"rate_changed"}
        assert set(found[1].values) == {None}

    def test_a_channel_that_goes_and_comes(self) -> None:
        """The window ends; the next ones say which channel is absent, and when it is back its values are."""
        both, one = ("x", "y"), ("x",)
        blocks = [wave(i, channels=both) for i in range(2)]
        blocks += [wave(i, channels=one) for i in range(2, 3 + LAYOUT_BLOCKS + 4)]
        after = blocks[-1].sequence or 0
        blocks += [wave(i, channels=both) for i in range(after + 1, after + 3 + LAYOUT_BLOCKS + 4)]
        found = vectors(run([PUMP, *blocks]))
        complete = [vector for vector in found if vector.ended is Ended.COMPLETE]

        assert found[0].ended is Ended.CHANNEL_ABSENT
        assert reasons(found[0])["velocity_rms[y]"] == "channel_absent"
        assert complete[0].channels == ("x", "y")
        assert {mask for name, mask in reasons(complete[0]).items() if name.endswith("[y]")} == {"channel_absent"}
        assert values(complete[-1])["velocity_rms[y]"] is not None

    def test_another_channel_under_the_same_number(self) -> None:
        """Two channels of which one has another name are another window."""
        found = self.ended_with(*(wave(i, channels=("z",)) for i in range(2, 6)))

        assert found.ended is Ended.CHANNEL_ABSENT

    def test_a_machine_that_stops(self) -> None:
        """The window ends where the shaft does; while it stands each window that is due says so."""
        found = vectors(run([PUMP, wave(0), wave(1), *(wave(i, speed_hz=0.0) for i in range(2, 5))]))

        assert [vector.ended for vector in found] == [Ended.NOT_RUNNING] * 4
        assert found[1].run_state != "running"
        assert set(found[1].masks) == {"not_running"}

    def test_a_signal_that_is_constant(self) -> None:
        """What asks for variation has none; a frozen sensor is no reading of the machine."""
        found = vectors(run([PUMP, *(wave(i, samples=np.full((1, COUNT), 3.0)) for i in range(5))]))

        assert found
        assert {mask for vector in found for mask in reasons(vector).values()} <= {"constant", "quality", "no_geometry"}
        assert all(value is None or np.isfinite(value) for vector in found for value in vector.values)

    def test_samples_that_are_no_numbers(self) -> None:
        """Infinite samples are refused at the door; the window before them ends there."""
        bad = wave(2, samples=np.full((1, COUNT), np.inf))
        found = self.ended_with(bad)

        assert found.ended is Ended.QUALITY
        assert reasons(found)["velocity_rms[x]"] == "quality"

    def test_a_speed_that_nobody_knows(self) -> None:
        """Orders are masked with `no_speed`, gear mesh without gears with `no_geometry`."""
        (found,) = vectors(run([PUMP, *(wave(i, speed_hz=None) for i in range(4))]))

        assert reasons(found)["order_1[x]"] == "no_speed"
        assert reasons(found)["mesh[x]"] == "no_geometry"
        assert (found.speed_hz, found.speed_source) == (None, SpeedSource.UNKNOWN)

    def test_a_rate_that_nobody_knows(self) -> None:
        """A block without a rate is a window without what is in Hz."""
        found = vectors(run([PUMP, *(wave(i, rate=None) for i in range(2))]))

        assert len(found) == 2
        assert reasons(found[0])["velocity_rms[x]"] == "no_rate"

    def test_a_block_that_came_late_changes_nothing(self) -> None:
        """A repeated block neither ends nor joins a window."""
        blocks = [
            wave(0),
            wave(1),
            replace(wave(0), origin=origin(2)),
            wave(2, origin=origin(3)),
            wave(3, origin=origin(4)),
        ]
        (found,) = vectors(run([PUMP, *blocks]))

        assert (found.ended, found.samples) == (Ended.COMPLETE, 4096)


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
