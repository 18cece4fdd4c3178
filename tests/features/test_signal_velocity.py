"""Velocity and displacement from acceleration against closed forms: physical units are right."""

import numpy as np
import pytest
import scipy.signal

from foreshock.features.signal import Given, lower_corner_hz, velocity_samples
from tests.features.signals import features, noise, reasons

G = 9.80665
RATE = 25_600.0


def tone(hz, amplitude, seconds=1.0, rate=RATE, phase=0.4):
    """A sine of so many Hz."""
    return amplitude * np.sin(2.0 * np.pi * hz * np.arange(round(seconds * rate)) / rate + phase)


def test_one_g_at_159_hz():
    """A 1 g peak sine at 159.155 Hz (1000 rad/s) is 9.80665 mm/s peak, 6.934 mm/s RMS and 6.934 um RMS."""
    found = features(tone(159.155, G), rate_hz=RATE, quantity="acceleration")

    assert found["velocity_peak"] == pytest.approx(9.80665e-3, rel=2e-3)
    assert found["velocity_rms"] == pytest.approx(6.934e-3, rel=2e-4)
    assert found["displacement_rms"] == pytest.approx(6.934e-6, rel=5e-4)
    assert found["velocity_from"] == 10.0


@pytest.mark.parametrize("hz", [12.0, 15.3, 24.7, 50.0, 333.3, 990.0])
@pytest.mark.parametrize("rate", [4096.0, 25_600.0, 48_000.0])
def test_a_sine_in_the_band_is_divided_by_its_angular_frequency(hz, rate):
    """At any rate, to 1 % (2 % below 20 Hz, where a bin is a large step)."""
    found = features(tone(hz, 2.0, rate=rate), rate_hz=rate, quantity="acceleration")
    omega, near = 2.0 * np.pi * hz, 0.02 if hz < 20.0 else 0.01

    assert found["velocity_rms"] == pytest.approx(2.0 / np.sqrt(2.0) / omega, rel=near)
    assert found["displacement_rms"] == pytest.approx(2.0 / np.sqrt(2.0) / omega**2, rel=2.0 * near)
    assert found["velocity_peak"] == pytest.approx(2.0 / omega, rel=2.0 * near)


@pytest.mark.parametrize("hz", [3.0, 5.0, 1100.0, 4000.0])
def test_what_is_outside_of_the_band_does_not_count(hz):
    """A tone outside adds less than 1 % to one inside that it equals in velocity."""
    inside = tone(100.0, 1.0)
    outside = tone(hz, hz / 100.0)
    alone = features(inside, rate_hz=RATE, quantity="acceleration")
    both = features(inside + outside, rate_hz=RATE, quantity="acceleration")

    assert both["velocity_rms"] == pytest.approx(alone["velocity_rms"], rel=0.01)


@pytest.mark.parametrize("speed", [None, 9.9])
def test_slow_machines_are_measured_from_2_hz(speed):
    """Rated at 600 rpm the lower corner is 2 Hz, and the window 5 s; so it is by the speed where nothing is rated."""
    rated = {"rated_speed_hz": 10.0} if speed is None else {"speed_hz": speed}
    x = tone(4.0, 1.0, seconds=5.0, rate=5120.0)
    found = features(x, rate_hz=5120.0, quantity="acceleration", **rated)

    assert found["velocity_from"] == 2.0
    assert found["velocity_rms"] == pytest.approx(1.0 / np.sqrt(2.0) / (2.0 * np.pi * 4.0), rel=0.02)


def test_velocity_and_displacement_signals():
    """Velocity passes through the band; displacement is differentiated; a velocity gives displacement."""
    x = tone(100.0, 1e-3) + tone(5000.0, 1e-3)
    omega = 2.0 * np.pi * 100.0
    velocity = features(x, rate_hz=RATE, quantity="velocity")
    displacement = features(tone(100.0, 1e-3), rate_hz=RATE, quantity="displacement")

    assert velocity["velocity_rms"] == pytest.approx(1e-3 / np.sqrt(2.0), rel=1e-4)
    assert velocity["velocity_peak"] == pytest.approx(1e-3, rel=2e-3)
    assert velocity["displacement_rms"] == pytest.approx(1e-3 / np.sqrt(2.0) / omega, rel=1e-3)
    assert displacement["velocity_rms"] == pytest.approx(1e-3 / np.sqrt(2.0) * omega, rel=1e-3)
    assert displacement["displacement_rms"] == pytest.approx(1e-3 / np.sqrt(2.0), rel=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_equals_the_sum_over_scipys_periodogram(seed):
    """On broadband noise the velocity is that of scipy's density divided by (2 pi f)**2, to 1e-4."""
    x = noise(30_000, seed)
    found = features(x, rate_hz=RATE, quantity="acceleration")
    f, density = scipy.signal.periodogram(np.asarray(x, np.float32).astype(float), RATE, "hann", scaling="density")
    band = (f >= 10.0) & (f <= 1000.0)
    omega = 2.0 * np.pi * f[band]

    assert found["velocity_rms"] == pytest.approx(np.sqrt(np.sum(density[band] / omega**2) * f[1]), rel=1e-4)
    assert found["displacement_rms"] == pytest.approx(np.sqrt(np.sum(density[band] / omega**4) * f[1]), rel=1e-4)


def test_velocity_peak_equals_an_integration_in_time():
    """Three tones: the largest value of the sum of their integrals in the middle half, to 2 %."""
    tones = ((25.0, 1.0, 0.1), (75.0, 2.0, 1.3), (412.0, 9.0, 2.2))
    t = np.arange(25_600) / RATE
    x = sum(a * np.sin(2.0 * np.pi * hz * t + phase) for hz, a, phase in tones)
    v = sum(-a / (2.0 * np.pi * hz) * np.cos(2.0 * np.pi * hz * t + phase) for hz, a, phase in tones)

    found = features(x, rate_hz=RATE, quantity="acceleration")
    assert found["velocity_peak"] == pytest.approx(np.abs(v[6400:19_200]).max(), rel=0.02)


@pytest.mark.parametrize(
    ("samples", "given", "reason"),
    [
        (25_599, {"rate_hz": RATE, "quantity": "acceleration"}, "window_too_short"),
        (25_600, {"rate_hz": RATE, "quantity": "acceleration"}, ""),
        (127_999, {"rate_hz": RATE, "quantity": "acceleration", "rated_speed_hz": 5.0}, "window_too_short"),
        (128_000, {"rate_hz": RATE, "quantity": "acceleration", "rated_speed_hz": 5.0}, ""),
        (25_600, {"quantity": "acceleration"}, "no_rate"),
        (25_600, {"rate_hz": 1999.0, "quantity": "acceleration"}, "rate_too_low"),
        (25_600, {"rate_hz": RATE, "quantity": "current"}, "other_quantity"),
        (25_600, {"rate_hz": RATE}, "other_quantity"),
    ],
)
def test_what_a_velocity_needs(samples, given, reason):
    """A second, ten periods of the lower corner, a rate of twice 1000 Hz, and a vibration."""
    found = reasons(noise(samples), **given)

    for feature in ("velocity_rms", "velocity_peak", "displacement_rms", "velocity_from"):
        assert found[feature] == reason


def test_the_window_that_a_velocity_needs():
    """1 s from 10 Hz, 5 s from 2 Hz; the rated speed decides, not the speed of the moment."""
    assert velocity_samples(RATE, 25.0) == 25_600
    assert velocity_samples(RATE, 10.0) == 128_000
    assert lower_corner_hz(25.0, 5.0) == 10.0
    assert lower_corner_hz(None, 5.0) == 2.0
    assert lower_corner_hz(None, None) == 10.0
    assert Given().rate_hz is None
