"""Where a fault lies: the event says machine, sensor, feature pipeline or model, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foreshock.contract import Asset, Tick
from foreshock.features.health import LOUD_WHY
from foreshock.fleet import Fleet, FleetSpec
from tests.core.builders import START_NS, STEP_NS, block, frame, machine

SPEC = FleetSpec(warmup_blocks=20)


def told(fleet, blocks):
    """Quality events of some blocks."""
    return [event for outcome in fleet.receive(blocks) for event in outcome.quality]


def clipped(i, fault=0.0):
    """A block that is cut off at its 70th percentile."""
    x = machine(i, fault=fault)
    stop = float(np.quantile(np.abs(x), 0.7))
    return block(i, samples=np.clip(x, -stop, stop))


@pytest.mark.parametrize("batch", [1, 64])
def test_a_signal_that_is_cut_off_is_the_machine_where_that_is_in_alarm(batch):
    """Alone it is the sensor; after an alarm the machine is louder than its sensor can measure. However it is cut up."""
    sound, loud = (Fleet(SPEC, assets=[Asset(asset="pump-1")]) for _ in range(2))
    healthy = [block(i) for i in range(40)]
    stories = {
        sound: [*healthy, *[block(40 + i) for i in range(10)], clipped(50)],
        loud: [*healthy, *[block(40 + i, fault=1.5) for i in range(10)], clipped(50, fault=1.5)],
    }
    found = {
        fleet: [e for at in range(0, len(story), batch) for e in told(fleet, story[at : at + batch])]
        for fleet, story in stories.items()
    }

    assert [(e.kind, e.layer) for e in found[sound]] == [("clipped", "sensor")]
    assert [(e.kind, e.layer, e.why) for e in found[loud]] == [("clipped", "machine", LOUD_WHY)]


def test_records_that_come_twice_are_the_pipelines():
    """The sensor is as it was, its health falls a little."""
    fleet = Fleet(SPEC)
    (event,) = told(fleet, [*[block(i) for i in range(5)], block(5, index=4)])

    assert (event.kind, event.layer, event.cause, event.ne107) == (
        "duplicate",
        "feature_pipeline",
        "pipeline",
        "maintenance_required",
    )
    assert (event.health, event.status) == (pytest.approx(0.9), "maintenance_required")


def test_a_cold_start_is_the_models():
    """It says nothing against the sensor."""
    fleet = Fleet(SPEC)
    fleet.adopt_cold(0, "pump-1", "its snapshot has a bad signature")
    (event,) = told(fleet, [block(0)])

    assert (event.kind, event.layer, event.health, event.status) == ("cold_start", "model", 1.0, "good")


def test_health_is_of_all_that_stands_and_comes_back():
    """Frozen: failure and 0; good again with the last condition."""
    fleet = Fleet(SPEC)
    stuck = block(10, samples=np.full((1, 1024), 0.5, np.float32))
    found = told(fleet, [*[block(i) for i in range(10)], stuck, *[block(11 + i) for i in range(5)]])
    outcomes = Fleet(SPEC).receive([*[block(i) for i in range(10)], stuck, block(11)])

    assert [(e.raised, e.health, e.status) for e in found] == [(True, 0.0, "failure"), (False, 1.0, "good")]
    assert [o.health for o in outcomes] == [1.0] * 10 + [0.0, 0.0]


def test_a_silent_sensor_is_in_failure():
    """A tick tells it with the health that it leaves."""
    fleet = Fleet(SPEC)
    fleet.receive([block(i) for i in range(70)])
    (event,) = fleet.tick(Tick(partition=0, offset=70, at_ns=START_NS + 200 * STEP_NS))

    assert (event.kind, event.layer, event.health, event.status) == ("silent", "sensor", 0.0, "failure")


def test_a_tag_that_leaves_the_frame_is_missing_until_it_is_no_longer_expected():
    """It is named, its values are not, and after twenty frames the others are what should be there."""
    fleet = Fleet(SPEC)
    rng = np.random.default_rng(0)
    frames = [frame(i, rng.normal(300.0, 1.0, (1, 3))) for i in range(10)]
    fewer = [frame(10 + i, rng.normal(300.0, 1.0, (1, 2))) for i in range(30)]
    found = told(fleet, [*frames, *fewer])

    assert [(str(e.kind), e.channel, e.raised) for e in found] == [("missing", "t2", True), ("missing", "t2", False)]


def test_a_unit_that_is_declared_otherwise_is_told_and_scored_all_the_same():
    """m/s2 to g with the samples to it: the values in SI are what they were."""
    fleet = Fleet(SPEC)
    g = 9.80665
    other = [
        replace(block(40 + i), unit="[g]", gain=g, samples=(machine(40 + i) / g).astype(np.float32)) for i in range(5)
    ]
    outcomes = fleet.receive([*[block(i) for i in range(40)], *other])
    found = [e for o in outcomes for e in o.quality]

    assert [(str(e.kind), e.raised) for e in found] == [("unit_changed", True), ("unit_changed", False)]
    assert {str(o.score.rows[0].state) for o in outcomes[40:]} == {"scored"}


def test_a_machine_that_breaks_by_the_factor_of_a_unit_is_scored_and_alarms():
    """Ten times the vibration from one block to the next at one speed: a changed unit for the sensor, an anomaly of the machine."""
    fleet = Fleet(SPEC)
    sound = [block(i, speed_hz=25.0) for i in range(40)]
    broken = [block(40 + i, speed_hz=25.0, samples=9.8 * machine(40 + i)) for i in range(20)]
    outcomes = fleet.receive([*sound, *broken])[40:]

    assert [str(e.kind) for o in outcomes for e in o.quality] == ["unit_changed"]
    assert {str(o.score.rows[0].state) for o in outcomes} == {"scored"}
    assert [str(each.phase) for o in outcomes for each in o.anomalies][:1] == ["opened"]


@pytest.mark.parametrize("batch", [1, 64])
def test_a_machine_that_stops_behind_a_bad_sensor_is_stopping(batch):
    """Blocks that are refused have a speed: the first that can be used again, at half of it, is no running machine."""
    fleet = Fleet(SPEC, assets=[Asset(asset="pump-1", rated_speed_hz=25.0)])
    start = [block(0, speed_hz=6.0), block(1, speed_hz=6.0)]
    stuck = np.full((1, 1024), 0.5, np.float32)
    bad = [block(2 + i, speed_hz=25.0 if i < 8 else 14.0, samples=stuck + np.float32(i)) for i in range(9)]
    story = [*start, *bad, block(11, speed_hz=7.0), block(12, speed_hz=6.9)]
    outcomes = [o for at in range(0, len(story), batch) for o in fleet.receive(story[at : at + batch])]

    assert [str(o.score.rows[0].run_state) for o in outcomes[-2:]] == ["stopping", "stopping"]
