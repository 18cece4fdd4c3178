"""The waveform: lines, sidebands, impulses and noise where and as strong as they are meant to be."""

from dataclasses import replace

import numpy as np
import pytest

from foreshock.simulate import Fault, Kind, machines
from foreshock.simulate.catalogue import B6205
from foreshock.simulate.plan import STRENGTHS_DB
from foreshock.simulate.seeding import Purpose, generator
from foreshock.simulate.structure import structure
from foreshock.simulate.vibration import Damage, Motion, waveform

RATE = 25_600.0
IMPULSIVE = [Kind.OUTER_RACE, Kind.INNER_RACE, Kind.BALL, Kind.GEAR_TOOTH]


def blocks(machine, damages=(), speed=1.0, load=0.9, count=40):
    """Blocks of a machine at a steady speed [count, n]."""
    motion = Motion(speed * machine.rated_speed_hz, speed * machine.rated_speed_hz, load)
    paths = structure(machine)
    return np.array(
        [waveform(machine, paths, motion, damages, generator(9, 0, Purpose.BLOCK, i)) for i in range(count)]
    )


def line(x, frequency_hz):
    """Amplitude of a line by projection on it, averaged over blocks."""
    t = np.arange(x.shape[-1]) / RATE
    window = np.hanning(x.shape[-1])
    return np.abs((x * window * np.exp(-2j * np.pi * frequency_hz * t)).sum(-1) / window.sum() * 2).mean()


def kurtosis(x):
    """Fourth moment over squared variance of each block."""
    d = x - x.mean(-1, keepdims=True)
    return (d**4).mean(-1) / (d**2).mean(-1) ** 2


def quiet(machine):
    """The same machine without noise."""
    return replace(machine, noise=1e-9)


def final(kind, strength_db):
    """A fault of full size."""
    return [Damage(Fault(asset="x", kind=kind, start_s=0.0, strength_db=strength_db, slip=0.015), 1.0)]


def test_imbalance_raises_1x_by_its_decibels_and_with_the_square_of_speed():
    """1x alone grows by the strength of the fault, and goes with the speed squared."""
    fan = machines(4)[1]
    sound, worn = blocks(fan), blocks(fan, final(Kind.IMBALANCE, 10.0))
    f = fan.rated_speed_hz

    assert 20 * np.log10(line(worn, f) / line(sound, f)) == pytest.approx(10.0, abs=0.5)
    assert line(worn, 3 * f) == pytest.approx(line(sound, 3 * f), rel=0.1)
    half = blocks(quiet(fan), speed=0.5)
    assert line(blocks(quiet(fan)), f) / line(half, f / 2) == pytest.approx(4.0, rel=0.05)


def test_misalignment_raises_2x_and_3x():
    """2x and 3x grow, 1x does not."""
    fan = machines(4)[1]
    sound, worn = blocks(quiet(fan)), blocks(quiet(fan), final(Kind.MISALIGNMENT, 9.0))
    f = fan.rated_speed_hz

    for order in (2, 3):
        assert 20 * np.log10(line(worn, order * f) / line(sound, order * f)) == pytest.approx(9.0, abs=0.5)
    assert line(worn, f) == pytest.approx(line(sound, f), rel=0.05)


def test_gear_mesh_has_sidebands_of_both_shafts():
    """Lines stand at the meshing frequency and beside it at the distance of the pinion's speed."""
    gearbox = quiet(next(m for m in machines(4) if m.gears))
    mesh = gearbox.gears.pinion_teeth * gearbox.rated_speed_hz
    x = blocks(gearbox, load=1.0)

    carrier, side = line(x, mesh), line(x, mesh + gearbox.rated_speed_hz)
    beyond = line(x, mesh + 2.5 * gearbox.rated_speed_hz)
    assert carrier == pytest.approx(gearbox.gears.mesh[0], rel=0.1)
    assert side == pytest.approx(carrier * gearbox.gears.modulation / 2, rel=0.25)
    assert beyond < side / 10


@pytest.mark.parametrize("kind", IMPULSIVE)
@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_impulses_are_not_gross(kind, number):
    """At their final strength impulses have at most -10 dB of the broadband power, and no block a kurtosis above 4."""
    machine = machines(4)[2 if kind is Kind.GEAR_TOOTH else number]
    strength = STRENGTHS_DB[kind][1]
    worst = final(kind, strength)
    bare = replace(machine, shaft=(0.0,), blade_pass=0.0, gears=None)
    for speed, load in ((1.0, 1.0), (0.7, 0.4)):
        sound = blocks(bare, speed=speed, load=load, count=60)
        worn = blocks(bare, worst, speed=speed, load=load, count=60)
        added = 10 * np.log10(np.square(worn).mean() / np.square(sound).mean() - 1.0)
        assert strength <= -10.0
        assert added == pytest.approx(strength, abs=1.5)  # the difference of two noisy powers
        assert kurtosis(blocks(machine, worst, speed=speed, load=load)).max() <= 4.0


@pytest.mark.parametrize("kind", IMPULSIVE)
def test_impulse_power_is_what_the_strength_says(kind):
    """Without anything else the mean power of the train is the stated share of the broadband power."""
    from foreshock.simulate.vibration import _impacts

    machine = replace(machines(4)[0], bearing=B6205)
    motion, paths = Motion(24.0, 24.0, 1.0), structure(machine)
    (damage,) = final(kind, -12.0)
    power = []
    for i in range(400):
        spectrum = paths.impact * np.fft.rfft(_impacts(machine, motion, damage, 1.0, generator(1, 0, Purpose.BLOCK, i)))
        power.append(np.square(np.fft.irfft(spectrum)).mean())

    assert 10 * np.log10(np.mean(power)) == pytest.approx(-12.0, abs=0.8)


def test_envelope_has_the_ball_pass_frequency():
    """Demodulated at the resonance, the outer race fault is a line at BPFO with the speed's harmonic family absent."""
    machine = replace(machines(4)[0], bearing=B6205, shaft=(0.0,), blade_pass=0.0)
    f = machine.rated_speed_hz
    x = blocks(machine, final(Kind.OUTER_RACE, -10.5), count=200)
    mode = machine.resonances[-1].frequency_hz
    spectrum = np.fft.rfft(x)
    keep = np.abs(np.fft.rfftfreq(4096, 1 / RATE) - mode) < 400
    analytic = np.fft.ifft(np.where(keep, spectrum, 0), n=4096)
    envelope = np.abs(analytic)
    envelope -= envelope.mean(-1, keepdims=True)

    assert line(envelope, 3.585 * f) > 1.5 * line(envelope, 2.9 * f)


def test_broadband_level_is_that_of_the_machine():
    """At rated speed and load the noise has the stated level."""
    machine = replace(machines(4)[0], shaft=(0.0,), blade_pass=0.0)

    assert blocks(machine, load=1.0).std() == pytest.approx(machine.noise, rel=0.02)


def test_imbalance_is_not_gross():
    """At the final strength an imbalance is within what ISO 20816-3 calls just tolerable: under 7.1 mm/s."""
    for machine in machines(4):
        peak = machine.shaft[0] * 10 ** (STRENGTHS_DB[Kind.IMBALANCE][1] / 20)
        assert 1000 * peak / np.sqrt(2) / (2 * np.pi * machine.rated_speed_hz) < 7.1
