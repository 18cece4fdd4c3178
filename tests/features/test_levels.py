"""Units that change and a noise floor that goes, told from machines that start, stop and grow loud."""

import numpy as np
import pytest

from foreshock.contract import QualityKind
from foreshock.features import levels
from foreshock.features.levels import Levels, Look, leaps, step

RUNNING, STANDING = 2.0, 0.01
G = 9.80665


def play(course, quantity="acceleration", seed=0):
    """Go through blocks as (level, speed) with the scatter of a real machine; gives the kinds found on each."""
    rng = np.random.default_rng(seed)
    known, last, was_hz, found = Levels(), (), None, []
    for i, (level, speed) in enumerate(course):
        now = (level * float(1.0 + 0.02 * rng.standard_normal()),)
        told = ()
        if leaps(known, last, now):
            known, told = step(known, Look(last, now, was_hz, speed, ("x",), quantity, min(i, levels.LEARNT)))
        found.append([str(f.kind) for f in told])
        last, was_hz = now, speed
    return found


def cycles(speed_hz):
    """Two duty cycles: running, coasting down, standing, running up."""
    down = [(RUNNING * s, s * speed_hz if speed_hz else None) for s in (0.7, 0.4, 0.2, 0.08, 0.03)]
    one = [(RUNNING, speed_hz)] * 40 + down + [(STANDING, 0.0 if speed_hz else None)] * 12 + down[::-1]
    return one * 2 + [(RUNNING, speed_hz)] * 10


@pytest.mark.parametrize("speed_hz", [25.0, None])
@pytest.mark.parametrize("seed", range(5))
def test_starts_and_stops_are_no_fault(speed_hz, seed):
    """With and without a tachometer, the first standstill of its life included."""
    assert not any(play(cycles(speed_hz), seed=seed))


@pytest.mark.parametrize("factor", [G, 1.0 / G, 1000.0, 0.001])
def test_a_level_that_leaps_by_the_factor_of_two_units_at_one_speed_is_a_unit(factor):
    """It is named by the first block, holds while it lasts, and ends with the leap back."""
    changed = [(RUNNING * factor, 25.0)] * 20
    found = play([*cycles(25.0), *changed, *[(RUNNING, 25.0)] * 5])
    start = len(cycles(25.0))

    assert found[start : start + 20] == [["unit_changed"]] * 20
    assert not any(found[:start] + found[start + 20 :])


def test_a_changed_unit_holds_over_a_standstill_and_is_ended_by_the_old_level():
    """It is mended while the machine stands: the level at the speed of then says so."""
    stopped = [(STANDING * G, 0.0)] * 5
    course = [*cycles(25.0), *[(RUNNING * G, 25.0)] * 5, *stopped, *[(RUNNING * G, 25.0)] * 3]
    found = play([*course, *[(STANDING, 0.0)] * 3, *[(RUNNING, 25.0)] * 5])
    start, end = len(cycles(25.0)), len(course)

    assert found[start:end] == [["unit_changed"]] * 13
    assert not any(found[end + 3 :])


@pytest.mark.parametrize(("factor", "usable"), [(G, True), (1.0 / G, False)])
def test_only_a_fall_is_surely_no_machine(factor, usable):
    """A level that leaps upwards like a unit may be a machine that broke: it is told and scored."""
    known = Levels((1.0,), (1.0,), (0.0,), (0,), (1.0,))
    _, (found,) = step(known, Look((1.0,), (factor,), 25.0, 25.0, ("x",), "acceleration", 40))

    assert (found.kind, found.usable) == (QualityKind.UNIT_CHANGED, usable)
    assert ("it is scored" in found.detail) is usable


@pytest.mark.parametrize("factor", [1.5, 3.0, 5.0, 15.0])
def test_a_machine_that_grows_loud_at_once_is_no_unit(factor):
    """Breakage is for the models to tell: what is no factor of units stays usable."""
    assert not any(play([*cycles(25.0), *[(RUNNING * factor, 25.0)] * 20]))


def test_a_changed_unit_is_found_without_a_speed():
    """What is louder than ever before by the factor of two units, from one block to the next."""
    found = play([*cycles(None), *[(RUNNING * G, None)] * 6])

    assert found[-6:] == [["unit_changed"]] * 6


@pytest.mark.parametrize("speed_hz", [25.0, None])
def test_a_channel_quieter_than_its_own_noise_is_dead(speed_hz):
    """While the machine runs and while it stands; it lives again when it is louder."""
    dead = [(1e-4, speed_hz)] * 10 + [(1e-4, 0.0 if speed_hz else None)] * 10
    found = play([*cycles(speed_hz), *dead, *[(RUNNING, speed_hz)] * 5])
    start = len(cycles(speed_hz))

    assert found[start : start + 20] == [["noise_floor_gone"]] * 20
    assert not any(found[:start] + found[start + 20 :])


def test_a_channel_that_dies_while_the_machine_stands_is_dead():
    """The level at standstill is that of the sensor itself."""
    found = play([*cycles(25.0), *[(STANDING, 0.0)] * 10, *[(5e-4, 0.0)] * 4, *[(5e-4, 25.0)] * 4])

    assert found[-8:] == [["noise_floor_gone"]] * 8


def test_nothing_is_known_of_the_first_blocks():
    """Before levels are learnt no leap means anything."""
    assert not any(play([(RUNNING, 25.0)] * 10 + [(RUNNING * G, 25.0)] * 10))


def test_a_constant_channel_keeps_what_was_found_and_says_nothing():
    """Frozen is another finding; a dead channel that is frozen for a while is still dead."""
    known, _ = step(Levels((1.0,), (1.0,), (0.0,), (0,), (1.0,)), Look((1.0,), (1e-3,), 20.0, 20.0, ("x",), "", 40))
    after, found = step(known, Look((1e-3,), (0.0,), 20.0, 20.0, ("x",), "", 41))

    assert found == ()
    assert after == known


def test_each_channel_is_looked_at_alone():
    """One that dies does not make the other one strange."""
    known = Levels((1.0, 1.0), (2.0, 2.0), (0.0, 0.0), (0, 0), (1.0, 1.0))
    _, found = step(known, Look((1.5, 1.5), (1.5, 1e-5), 20.0, 20.0, ("x", "y"), "velocity", 40))

    assert [(f.kind, f.channel, f.usable) for f in found] == [(QualityKind.NOISE_FLOOR_GONE, "y", False)]
