"""Stops and spikes are found, and honest signals that look like them are left alone."""

import numpy as np
import pytest
import scipy.signal

from foreshock.features.inspection import inspect

N = 4096


def one(x):
    found = inspect(np.asarray(x, np.float32).reshape(1, 1, -1))
    return {name: value.item() for name, value in found._asdict().items()}


def noise(seed=0, n=N):
    return np.random.default_rng(seed).normal(size=n)


def healthy(found):
    return found["finite"] and not found["clipped"] and not found["spikes"] and found["constant"] < 0.25


def impacts(frequency, damping, amplitude, seed=0):
    """Repeated impacts that excite a damped resonance, in unit noise: a bearing fault, an honest signal."""
    k = np.arange(80)
    ring = np.exp(-2 * np.pi * frequency * damping * k) * np.cos(2 * np.pi * frequency * k)
    hits = np.zeros(N)
    hits[137::331] = amplitude
    return noise(seed) + scipy.signal.lfilter(ring, 1, hits)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_healthy(seed):
    """Gaussian noise has nothing wrong."""
    assert healthy(one(noise(seed)))


@pytest.mark.parametrize("frequency", [0.03, 0.1, 0.2, 0.3, 0.42])
@pytest.mark.parametrize("damping", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("amplitude", [10.0, 30.0, 100.0])
def test_ringing_impacts_are_healthy(frequency, damping, amplitude):
    """Impacts of a bearing ring, however large: they are the machine, not the sensor."""
    assert healthy(one(impacts(frequency, damping, amplitude)))


@pytest.mark.parametrize("period", [8, 32, 51.3, 512, 4096])
@pytest.mark.parametrize("levels", [0, 100, 1000, 32000])
def test_sines_are_healthy_at_any_resolution(period, levels):
    """A clean tone, digitised or not, in step with the sampling or not, rests at its crests but is not cut off."""
    x = np.sin(2 * np.pi * (np.arange(N) + 0.5) / period)

    assert healthy(one(np.round(x * levels) / levels if levels else x))


@pytest.mark.parametrize("lsb", [0.5, 1, 2, 10, 100])
def test_coarsely_digitised_noise_is_healthy(lsb):
    """A quiet machine moves the converter by a few steps only."""
    assert healthy(one(np.round(noise() * lsb)))


@pytest.mark.parametrize("limit", [1.0, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("side", ["both", "top"])
def test_noise_cut_off_is_clipped(limit, side):
    """Samples pile up at the stop, and the stop is named."""
    found = one(np.clip(noise(), -limit if side == "both" else -np.inf, limit))

    assert found["clipped"] >= 6
    assert abs(found["stop"]) == pytest.approx(limit)


def test_a_tone_cut_off_is_clipped():
    """A tone with flat crests is clipped, one without is not."""
    tone = np.sin(2 * np.pi * np.arange(N) / 51.3)

    assert one(np.clip(tone, -0.8, 0.8))["clipped"] > 1000


@pytest.mark.parametrize("size", [20.0, 50.0, 1000.0])
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("at", [0, 1, 2000, N - 2])
def test_a_lone_sample_far_outside_is_a_spike(size, width, at):
    """One or two samples that nothing leads up to or rings after."""
    x = noise(3)
    x[at : at + width] = size

    assert one(x)["spikes"] >= 1


def test_a_wide_pulse_is_no_spike():
    """Four samples in a row have duration: something moved."""
    x = noise(3)
    x[100:104] = 50.0

    assert one(x)["spikes"] == 0


def test_a_dropout_in_an_offset_signal_is_a_spike():
    """A single zero in a pressure of 100 is a lost sample."""
    x = 100 + noise(4)
    x[1234] = 0.0

    assert one(x)["spikes"] == 1


def test_noise_that_is_cut_off_for_half_of_its_time_is_clipped_in_every_block():
    """However the samples fall that the rule probes: one block in some hundred had none of them between the stops."""
    x = np.random.default_rng(0).normal(size=(4000, 1, 1024)).astype(np.float32)

    assert (inspect(np.clip(x, -0.8, 0.8)).clipped > 0).all()
