"""Simulated sensors that fail and that do not: found, named, not confused, and never the machine's fault."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.simulate.faults import SENSOR_KINDS, Kind
from foreshock.simulate.plant import Plant
from tests.sensors.trials import FEED_S, Trial, blocks, drawn, healthy, judged, plant_of, run, said

EVERY = tuple(sorted(SENSOR_KINDS))
QUICK = tuple(kind for kind in EVERY if kind is not Kind.CLOCK_DRIFT)
BEFORE_S = 60.0


def test_each_fault_is_found_and_called_by_its_name():
    """Nothing is said before it begins, it is named, and what comes along is what such a fault rightly shows as."""
    for trial in judged(1, QUICK, BEFORE_S):
        assert trial.found_s is not None, trial
        assert not trial.early, trial
        assert not trial.strange, trial


def test_a_clock_that_drifts_is_found_within_some_minutes():
    """0.1 to 0.4 % too fast or too slow: as soon as eight windows have moved alike."""
    (trial,) = judged(3, (Kind.CLOCK_DRIFT,), BEFORE_S)

    assert trial.found_s is not None, trial
    assert not trial.early, trial
    assert not trial.strange, trial


def test_sound_sensors_are_left_in_peace():
    """Twelve machines that start and stop for two minutes, the wireless one with them."""
    lived, raised = healthy(4, 120.0)

    assert lived > 0.016
    assert [(told.asset, str(told.kind), told.detail) for told in raised] == []


@pytest.fixture(scope="module")
def troubled():
    """A plant with every quick fault, and its records."""
    plant = plant_of(5, QUICK, 40.0)
    trials = {f.asset: trial_of(f) for f in plant.faults}
    return plant, list(blocks(plant, trials, 40.0))[:1000]


def trial_of(fault):
    """What `blocks` needs of a trial."""
    return Trial(fault.kind, fault.asset, fault.start_s, fault.amount)


@settings(max_examples=4, deadline=None)
@given(size=st.integers(1, 300))
def test_what_is_said_of_sensors_does_not_depend_on_the_batch(troubled, size):
    """The same records in batches of any size: the same events with the same ids, figures and health."""
    plant, records = troubled

    assert said(plant, records, size) == said(plant, records, 64)


def test_the_health_of_a_sensor_falls_and_rises_with_its_conditions(troubled):
    """After each event it is that of what stands: below 1 while something does, 1 and good when the last is cleared."""
    plant, records = troubled
    standing = {}
    for told in said(plant, records, 64):
        held = standing.setdefault(told.asset, set())
        (held.add if told.raised else held.discard)((told.kind, told.channel))
        assert told.layer in {"sensor", "feature_pipeline"}
        assert told.why
    last = {}
    for told in said(plant, records, 64):
        last[told.asset] = told
    for asset, told in last.items():
        assert (told.health == 1.0) == (not standing[asset]) == (told.status == "good"), told


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_sensor_fault_raises_an_alarm_of_its_machine():
    """Eight seeds with models that are warm; `python -m tests.sensors` runs two hundred."""
    for seed in range(8):
        for trial in run(seed, drawn(seed, 4)):
            assert trial.found_s is not None, (seed, trial)
            assert trial.alarms == [], (seed, trial)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_most_one_false_event_a_sensor_day():
    """Twelve sensors for forty minutes, a third of a day: none at all; `python -m tests.sensors` runs whole days."""
    lived, raised = healthy(6, 2400.0)

    assert lived > 0.33
    assert [(told.asset, str(told.kind), told.detail) for told in raised] == []


@pytest.mark.parametrize("kind", [Kind.DUPLICATE, Kind.OUT_OF_ORDER])
def test_records_that_are_sent_twice_or_overtaken_leave_the_rest_as_it_was(kind):
    """The simulator's delivery changes no block, only when it comes."""
    plant = plant_of(7, (kind,), 20.0)
    sound = Plant(plant.seed, plant.machines, horizon_s=20.0 + FEED_S, epoch_ns=plant.epoch_ns)
    trial = trial_of(plant.faults[0])
    found = list(blocks(plant, {trial.asset: trial}, 20.0))
    numbers = [block.sequence for block in found]

    assert sorted(set(numbers)) == list(range(max(numbers) + 1))
    assert (len(numbers) > len(set(numbers))) == (kind is Kind.DUPLICATE)
    assert (numbers != sorted(numbers)) == (kind is Kind.OUT_OF_ORDER)
    for block in found[::7]:
        assert block.samples.tobytes() == sound.block(0, block.sequence).samples.tobytes()
