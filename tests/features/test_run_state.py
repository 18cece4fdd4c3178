"""Run states of machines with and without a speed signal."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.contract import RunState
from foreshock.features.run_state import RunMemory, step

STOPPED, STARTING, RUNNING, STOPPING = RunState.STOPPED, RunState.STARTING, RunState.RUNNING, RunState.STOPPING


def by_speed(speeds, rated=None, elapsed=None):
    memory, states = RunMemory(), []
    for speed in speeds:
        memory = step(memory, speed_hz=speed, level=1.0, rated_speed_hz=rated, elapsed_s=elapsed)
        states.append(memory.state)
    return states


def by_level(levels, learn=True):
    memory, states = RunMemory(), []
    for level in levels:
        memory = step(memory, speed_hz=None, level=level, learn=learn)
        states.append(memory.state)
    return states


def test_a_day_of_a_pump():
    """Standing, run-up, running, coast-down, standing."""
    speeds = [0, 0, 5, 12, 20, 25, 25, 25, 25, 25, 20, 12, 5, 1, 0, 0]
    states = by_speed(speeds, rated=25.0)

    assert states[:2] == [STOPPED] * 2
    assert states[2:6] == [STARTING] * 4
    assert states[7:10] == [RUNNING] * 3
    assert states[10:13] == [STOPPING] * 3
    assert states[13:] == [STOPPED] * 3


def test_speed_that_varies_by_five_percent_is_running():
    """Load makes the speed of an induction motor wander."""
    speeds = 25 * (1 + np.random.default_rng(1).uniform(-0.05, 0.05, 500))

    assert set(by_speed(speeds, rated=25.0)) == {RUNNING}


@pytest.mark.parametrize("seconds", [3, 5, 8, 15])
def test_no_block_of_a_steady_ramp_is_taken_for_running_in_the_middle(seconds):
    """A linear coast-down over a number of blocks is stopping all the way, but for its first steps."""
    ramp = np.linspace(25, 0, seconds + 1)
    states = by_speed([*[25.0] * 5, *ramp], rated=25.0)

    assert RUNNING not in states[8:]


def test_a_snapshot_sensor_says_nothing_about_changes():
    """Ten minutes lie between two blocks: another speed is another operating point."""
    assert set(by_speed([25, 10, 25, 15], rated=25.0, elapsed=600.0)) == {RUNNING}


def test_without_a_rated_speed_the_largest_seen_is_the_reference():
    """A machine that came up to 50 Hz is not running at 2."""
    states = by_speed([50, 50, 50, 30, 10, 2, 2, 2])

    assert states[:3] == [RUNNING] * 3
    assert states[-3:] == [STOPPED] * 3


def test_direction_of_rotation_does_not_matter():
    """A reversing drive runs both ways."""
    assert set(by_speed([-25.0] * 5, rated=25.0)) == {RUNNING}


def test_recordings_without_context_are_running():
    """Nothing is known about the speed, and the level keeps its order of magnitude."""
    levels = np.exp(np.random.default_rng(2).normal(0, 0.3, 500))

    assert set(by_level(levels)) == {RUNNING}


def test_a_level_far_below_running_is_stopped():
    """A stopped machine leaves the noise of the sensor, 40 dB below."""
    states = by_level([*[1.0] * 40, *[0.01] * 10, *[1.0] * 10])

    assert states[:40] == [RUNNING] * 40
    assert states[40:50] == [STOPPED] * 10
    assert states[50] == STARTING
    assert states[51:] == [RUNNING] * 9


@pytest.mark.parametrize("factor", [0.1, 0.2, 0.5, 2, 10, 100])
def test_a_fault_that_changes_the_level_is_not_hidden(factor):
    """20 dB less or 40 dB more is still running, block after block."""
    states = by_level([*[1.0] * 40, *[factor] * 40])

    assert states[41:] == [RUNNING] * 39


def test_a_loud_fault_does_not_make_the_repaired_machine_look_stopped():
    """While an alarm stands, the running level is not learnt."""
    memory = RunMemory()
    for _ in range(40):
        memory = step(memory, speed_hz=None, level=1.0)
    for _ in range(5000):
        memory = step(memory, speed_hz=None, level=100.0, learn=False)

    assert step(memory, speed_hz=None, level=1.0).state is RUNNING


def test_too_little_evidence_is_running():
    """Before the level is learnt, quiet blocks are running blocks."""
    assert set(by_level([1.0] * 10 + [0.001] * 5)) == {RUNNING}


def test_a_dead_signal_is_stopped_once_the_level_is_known():
    """No variation at all is below any level."""
    assert by_level([1.0] * 30 + [0.0])[-1] is STOPPED
    assert by_level([0.0] * 3) == [RUNNING] * 3


def test_telemetry_without_speed_is_running():
    """Neither speed nor level: nothing says that it stands."""
    assert step(RunMemory(), speed_hz=None, level=None).state is RUNNING
    assert step(RunMemory(), speed_hz=math.nan, level=None).state is RUNNING


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=30), st.floats(0, 10))
def test_any_mix_of_known_and_unknown_speeds_has_a_state(speeds, level):
    """A context that comes and goes breaks nothing."""
    memory = RunMemory()
    for speed in speeds:
        memory = step(memory, speed_hz=speed, level=level)

        assert memory.state in RunState


def by_current(currents, load=None, elapsed=None):
    memory, states = RunMemory(), []
    for current in currents:
        memory = step(memory, speed_hz=None, level=None, current=current, load=load, elapsed_s=elapsed)
        states.append(memory.state)
    return states


def test_a_day_of_a_motor_by_its_current():
    """Off, inrush, load that comes and goes, off."""
    currents = [0.0, 0.0, 180.0, 60.0, 30.0, 30.0, 30.5, 30.0, 14.0, 28.0, 10.0, 30.0, 0.1, 0.1, 0.1]
    states = by_current(currents)

    assert states[1] is STOPPED
    assert states[2:5] == [STARTING] * 3
    assert states[6:12] == [RUNNING] * 6
    assert states[12] is STOPPING  # the last that is known of it: how it coasts, the current does not say
    assert states[13:] == [STOPPED] * 2


def test_an_inrush_is_no_measure_of_what_the_motor_draws():
    """After a start with six times the current, a third of the usual one is running still."""
    states = by_current([0.0, 180.0, 100.0, *[30.0] * 5, *[10.0] * 5])

    assert set(states[6:]) == {RUNNING}


def test_a_drive_that_ramps_down_is_stopping():
    """A converter takes the current down within some rows."""
    states = by_current([*[30.0] * 5, 12.0, 4.0, 3.0, 2.0, 0.5, 0.5])

    assert states[6:9] == [STOPPING] * 3
    assert states[-1] is STOPPED


def test_the_speed_decides_where_there_is_one():
    """A motor under voltage that stands."""
    memory = step(RunMemory(), speed_hz=0.0, level=None, rated_speed_hz=25.0, current=30.0, load=0.9)

    assert memory.state is STOPPED


def test_a_machine_under_load_is_running_however_quiet_it_is():
    """A load of nothing does not say that it stands."""
    memory = RunMemory(running_level=math.log(10.0), learnt=100)

    assert step(memory, speed_hz=None, level=0.1).state is STOPPED
    assert step(memory, speed_hz=None, level=0.1, load=0.0).state is STOPPED
    assert step(memory, speed_hz=None, level=0.1, load=0.3).state is RUNNING
    assert step(RunMemory(), speed_hz=None, level=None, load=0.0).state is RUNNING


@given(st.lists(st.floats(0.0, 1e4) | st.just(0.0), min_size=1, max_size=60))
def test_a_current_always_has_a_state(currents):
    """Any history; a current of nothing never counts as running."""
    states = by_current(currents)

    assert all(state in {STOPPED, STOPPING} for state, current in zip(states, currents, strict=True) if current == 0.0)
