"""The speed of a window: pulses, blocks, the lines of a shaft; and resampling over its angle."""

from __future__ import annotations

import numpy as np
import pytest

from foreshock.contract import Tachometer
from foreshock.features.kinematics import speed
from foreshock.features.kinematics.lines import even_in_angle, spectra
from foreshock.features.kinematics.speed import Speed
from foreshock.features.kinematics.tachometer import course, pulse_times
from foreshock.signals import SpeedSource

RATE = 12_800.0


def machine(start_hz: float, end_hz: float, length_s: float = 2.0, noise: float = 0.5, seed: int = 0):
    """Shaft harmonics 1-4 of a speed that changes evenly, in noise; and the turns at each sample."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(length_s * RATE)) / RATE
    turns = start_hz * t + 0.5 * (end_hz - start_hz) / length_s * t * t
    x = noise * rng.standard_normal(t.size)
    for k, size in enumerate((1.0, 0.5, 0.4, 0.3), 1):
        x += size * np.cos(2 * np.pi * k * turns + k)
    return x.astype(np.float32)[None, :], turns


def furthest(found: Speed, turns: np.ndarray) -> float:
    """Largest error of the angle in turns."""
    times = np.arange(len(turns)) / RATE
    angle = np.interp(times, found.times_s, found.turns) if len(found.turns) else (found.hz or 0.0) * times
    return float(np.abs(angle - turns).max())


@pytest.mark.parametrize(("start", "end"), [(24.0, 24.0), (25.0, 24.3), (47.5, 49.0)])
@pytest.mark.parametrize("rated", [0.96, 1.0, 1.045])
def test_the_lines_of_a_shaft_give_its_speed_and_its_change(start: float, end: float, rated: float):
    """From a rated speed that is up to 5 % off: the mean to 1e-3, the angle to a tenth of a turn at every sample."""
    x, turns = machine(start, end)

    found = speed.of(x, RATE, [None], rated * 0.5 * (start + end))

    assert found.source is SpeedSource.SPECTRUM
    assert found.hz == pytest.approx(0.5 * (start + end), rel=1e-3)
    assert furthest(found, turns) < 0.1


def test_noise_has_no_speed():
    """Where no lines of a shaft stand out, a rated speed is not taken for the speed, and a stated one is."""
    x = np.random.default_rng(2).standard_normal((1, 25_600)).astype(np.float32)

    assert speed.of(x, RATE, [None], 24.0) == Speed(None)
    assert speed.of(x, RATE, [24.0], None)[:2] == (24.0, SpeedSource.CONTEXT)
    assert speed.of(x, RATE, [None], None).hz is None
    assert speed.of(x, None, [24.0], None).hz == 24.0


@pytest.mark.parametrize("spacing", [29.5, 50.0])
def test_mains_are_no_shaft(spacing: float):
    """Two lines at 1:2 near the rated speed, as mains make them, are not taken for a shaft."""
    t = np.arange(25_600) / RATE
    x = (
        np.random.default_rng(4).standard_normal(t.size)
        + np.sin(2 * np.pi * spacing * t)
        + np.sin(4 * np.pi * spacing * t)
    )

    assert speed.of(x.astype(np.float32)[None, :], RATE, [None], 29.0).hz is None


def test_measured_speeds_of_blocks_are_followed():
    """Ten joined blocks that each state their mean speed: the angle is within a twentieth of a turn in between."""
    x, turns = machine(24.0, 25.5)
    stated = [24.0 + 1.5 * (i + 0.5) / 10 for i in range(10)]

    found = speed.of(x, RATE, stated, None)

    assert found.source is SpeedSource.CONTEXT
    assert found.hz == pytest.approx(24.75, rel=1e-4)
    assert furthest(found, turns) < 0.05


def test_a_standing_machine_has_the_speed_zero():
    """Stated as 0 it is 0, and nothing is looked for."""
    x, _ = machine(24.0, 24.0)

    assert speed.of(x, RATE, [0.0, 0.0], 24.0)[:2] == (0.0, SpeedSource.CONTEXT)


@pytest.mark.parametrize("per_turn", [1, 4])
def test_pulses_of_a_tachometer_give_the_angle(per_turn: int):
    """A pulse channel beside the vibration: its pulses, not the stated speed, and the angle between them."""
    x, turns = machine(20.0, 30.0)
    pulses = 5.0 * (np.mod(turns * per_turn + 0.3, 1.0) < 0.2) + 0.05 * np.random.default_rng(1).standard_normal(
        turns.size
    )
    both = np.concatenate([x, pulses.astype(np.float32)[None, :]])
    tachometer = Tachometer(channel="tacho", pulses_per_revolution=per_turn)

    found = speed.of(both, RATE, [18.0], None, channels=("DE", "tacho"), tachometer=tachometer)

    assert found.source is SpeedSource.TACHOMETER
    assert found.hz == pytest.approx(25.0, rel=2e-3)
    assert furthest(found, turns) < 0.06


def test_a_tachometer_on_another_shaft_counts_by_its_ratio():
    """A mark on a shaft at half of the speed: twice the turns of what it counts."""
    _, turns = machine(24.0, 24.0)
    pulses = (np.mod(0.5 * turns, 1.0) < 0.1).astype(np.float32)[None, :]
    tachometer = Tachometer(channel="tacho", shaft="out")

    found = speed.of(pulses, RATE, [None], None, channels=("tacho",), tachometer=tachometer, ratio=0.5)

    assert found.hz == pytest.approx(24.0, rel=1e-3)


def test_a_broken_tachometer_is_not_believed():
    """A dead channel, one with a missing pulse and one of noise give no course; the spectrum does."""
    x, turns = machine(24.0, 24.5)
    dead = np.concatenate([x, np.zeros_like(x)])
    tachometer = Tachometer(channel="tacho")

    found = speed.of(dead, RATE, [None], 24.2, channels=("DE", "tacho"), tachometer=tachometer)

    assert found.source is SpeedSource.SPECTRUM
    assert furthest(found, turns) < 0.1
    whole = np.arange(1.0, 20.0) / 24.0
    assert course(np.delete(whole, [7, 8, 9]), 1.0, 1.0) is None
    assert course(whole[:2], 1.0, 1.0) is None


def test_pulse_times_are_between_samples():
    """A triangle that crosses half of its height a quarter of the way between two samples."""
    channel = np.tile(np.array([0.0, 0.0, 0.0, 0.45, 0.65, 1.0, 1.0, 0.0], np.float32), 4)

    found = pulse_times(channel, 8.0)

    assert found == pytest.approx((3.25 + 8.0 * np.arange(4)) / 8.0)


def test_a_chirp_is_one_line_over_the_angle():
    """A rhythm of 5.4 a turn, the speed rising by a fifth: smeared over time, one line of its amplitude over the angle."""
    length_s, rate = 4.0, 4000.0
    t = np.arange(int(length_s * rate)) / rate
    turns = 20.0 * t + 0.5 * t * t
    rows = (1.0 + 0.5 * np.cos(2 * np.pi * 5.4 * turns))[None, :]
    course_of = Speed(float(turns[-1] / t[-1]), SpeedSource.TACHOMETER, t, turns)

    even, per_turn = even_in_angle(rows, rate, course_of)
    followed = spectra(rows, rate, course_of, 100.0, 8.0)
    straight = spectra(rows, rate, Speed(course_of.hz), 100.0, 8.0)

    angle = np.arange(even.shape[1]) / per_turn
    assert np.abs(even[0] - (1.0 + 0.5 * np.cos(2 * np.pi * 5.4 * angle))).max() < 5e-3
    assert followed.amplitude[0, round(5.4 / followed.step)] == pytest.approx(0.5, rel=0.05)
    assert straight.amplitude[0].max() < 0.2
