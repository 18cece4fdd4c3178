"""The plan of a demonstration: random, fair, not gross; and the verdict on it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.contract import QualityKind
from foreshock.simulate.faults import SENSOR_KINDS, Kind
from foreshock.simulate.operation import Stage
from foreshock.simulate.plan import LEAST_S, demo_plan
from foreshock.simulate.verdict import ANOMALY, Event, event, verdict

seeds = st.integers(0, 2**32)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, duration=st.sampled_from([LEAST_S, 60.0, 90.0]))
def test_plans_are_fair_and_not_gross(seed, duration):
    """Three machine and two sensor faults on five assets begin after the warm-up, while the machine runs, in time."""
    plan = demo_plan(seed, duration)
    faults, plant = plan.plant.faults, plan.plant
    index = {machine.asset: i for i, machine in enumerate(plant.machines)}

    assert len({fault.asset for fault in faults}) == 5
    assert sum(fault.kind in SENSOR_KINDS for fault in faults) == 2
    assert any(fault.kind is Kind.OUTER_RACE for fault in faults)
    for fault in faults:
        operation = plant.operations[index[fault.asset]]
        assert plan.warmup_s < fault.start_s < plan.warmup_s + duration / 2
        assert operation.at(fault.start_s).stage is Stage.RUNNING
        assert operation.running_s(fault.start_s, plan.end_s) > fault.growth_s
        if not fault.kind.of_sensor and fault.kind not in {Kind.IMBALANCE, Kind.MISALIGNMENT}:
            assert fault.strength_db <= -10.0
        if fault.slip:
            assert 0.01 <= fault.slip <= 0.02


def test_the_same_seed_is_the_same_plan():
    """A plan is a function of its seed, another seed is another plan."""
    assert demo_plan(4).plant.truth() == demo_plan(4).plant.truth()
    assert demo_plan(4).plant.truth() != demo_plan(5).plant.truth()


def test_fewer_faults_on_request():
    """`sensor` leaves the faults of the sensors, `none` none."""
    assert all(fault.kind.of_sensor for fault in demo_plan(4, faults="sensor").plant.faults)
    assert len(demo_plan(4, faults="sensor").plant.faults) == 2
    assert demo_plan(4, faults="none").plant.faults == ()


def test_a_feed_that_is_too_short_is_refused():
    """Faults need time to begin, to grow and to be found."""
    with pytest.raises(ValueError, match="at least 40 s"):
        demo_plan(1, 20.0)


@pytest.fixture(scope="module")
def plan():
    """A plan with all kinds of faults."""
    return demo_plan(4)


def right(plan):
    """Events that name every fault rightly, a second after it begins."""
    return [
        Event(f.asset, str(f.kind) if f.kind.of_sensor else ANOMALY, f.start_s + 1.0, f"id-{f.asset}", "")
        for f in plan.plant.faults
    ]


def judge(plan, seen, **more):
    """The verdict when every asset had a score."""
    return verdict(plan, seen, scored=[m.asset for m in plan.plant.machines], **more)


def test_all_found_and_nothing_else_passes(plan):
    """Every fault has its event and its delay."""
    report = judge(plan, right(plan))

    assert report.passed
    assert all(1 <= finding.running_blocks <= finding.delay_blocks <= 3 for finding in report.findings)


def test_a_fault_that_was_missed_fails(plan):
    """One fault without an event is enough."""
    assert not judge(plan, right(plan)[1:]).passed


def test_a_sensor_fault_called_a_machine_fault_fails(plan):
    """An anomaly on an asset whose sensor is at fault is a false alarm, also beside the right event."""
    sensor = next(f for f in plan.plant.faults if f.kind.of_sensor)
    wrong = Event(sensor.asset, ANOMALY, sensor.start_s + 2.0, "id", "")
    report = judge(plan, [*right(plan), wrong])

    assert report.false_alarms == (wrong,)
    assert not report.passed


def test_an_event_before_its_fault_is_false(plan):
    """Early is not found, it is a false alarm."""
    machine = next(f for f in plan.plant.faults if not f.kind.of_sensor)
    early = Event(machine.asset, ANOMALY, machine.start_s - 0.1, "id", "")
    rest = [e for e in right(plan) if e.asset != machine.asset]
    report = judge(plan, [*rest, early])

    assert report.false_alarms == (early,)
    assert [f.fault for f in report.findings if f.event is None] == [machine]


def test_anything_on_a_sound_asset_fails(plan):
    """Sound machines with sound sensors have nothing to report, and no record is rejected."""
    sound = next(m.asset for m in plan.plant.machines if m.asset not in {f.asset for f in plan.plant.faults})
    for what in (ANOMALY, *QualityKind):
        assert not judge(plan, [*right(plan), Event(sound, str(what), plan.end_s - 1, "id", "")]).passed
    assert not judge(plan, right(plan), dead_letters=1).passed


def test_a_demonstration_that_did_not_look_fails(plan):
    """Without a score of a sound asset in the feed there is nothing to be proud of."""
    assert not verdict(plan, right(plan), scored=[]).passed


def test_an_event_with_a_wrong_clock_counts_at_its_arrival(plan):
    """A source time beyond the end cannot be: the time of arrival, less the block, takes its place."""
    plant = plan.plant
    arrival = plant.epoch_ns + 450 * 10**9
    found = event(
        plan, "pump-01", "clock", source_ns=arrival + 3600 * 10**9, ingest_ns=arrival, event_id="id", detail=""
    )

    assert found.plant_s == pytest.approx(450.0 - 0.16)
