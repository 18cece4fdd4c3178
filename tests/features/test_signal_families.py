"""Lines at the orders of the shaft, round gear mesh, in named bands, and the cepstrum, against closed forms and scipy."""

import numpy as np
import pytest
import scipy.signal

from foreshock.features.signal import Band, Gear
from tests.features.signals import bursts, chirp, features, mixture, noise, reasons, sine

RATE = 10_000.0
N = 20_000  # two seconds: bins of 0.5 Hz


def orders(speed, amplitudes):
    """Harmonics of a shaft speed in Hz, off the bins as machines are."""
    return sum(sine(N, k * speed * N / RATE, a, 0.7 * k) for k, a in enumerate(amplitudes, start=1))


@pytest.mark.parametrize("speed", [24.9, 25.13, 48.2])
@pytest.mark.parametrize("stated", [1.0, 0.9965, 1.004])
def test_orders_have_the_rms_of_their_lines(speed, stated):
    """Amplitudes 2, 1, 0.5, 0.2, 0.1: each over sqrt 2 to 2 %, wherever between two bins, with a speed 0.4 % off."""
    amplitudes = (2.0, 1.0, 0.5, 0.2, 0.1)
    found = features(orders(speed, amplitudes) + noise(N, 1, 0.01), rate_hz=RATE, speed_hz=speed * stated)

    assert [found[f"order_{k}"] for k in range(1, 6)] == pytest.approx(np.array(amplitudes) / np.sqrt(2.0), rel=0.02)
    assert found["comb_share"] == pytest.approx(1.0, abs=2e-3)
    assert found["comb_clarity"] > 10.0


@pytest.mark.parametrize("x", [noise(N, 2), chirp(N) + noise(N, 3, 0.1), mixture(N)])
def test_orders_equal_scipys_periodogram(x):
    """On any signal a line is the power that scipy's Hann periodogram has within two bins of its largest, to 1e-3."""
    found = features(x, rate_hz=RATE, speed_hz=25.0)
    f, power = scipy.signal.periodogram(np.asarray(x, np.float32).astype(float), RATE, "hann", scaling="density")
    total = power[2:].sum()

    lines = between = 0.0
    for k in range(1, 11):
        near = np.flatnonzero(np.abs(f - k * 25.0) <= max(0.005 * k * 25.0, 0.0) + 0.499)
        at = near[power[near].argmax()]
        lines += power[at - 2 : at + 3].sum()
        halfway = round((k + 0.5) * 25.0 / f[1])
        between += power[halfway - 2 : halfway + 3].sum()
        if k <= 5:
            assert found[f"order_{k}"] == pytest.approx(np.sqrt(power[at - 2 : at + 3].sum() * 0.5), rel=1e-3), k
    assert found["comb_share"] == pytest.approx(lines / total, rel=1e-3)
    assert found["comb_clarity"] == pytest.approx(np.log(lines / between), abs=1e-3)


def test_noise_has_no_comb():
    """The share is that of the bins that are looked at, the level at the orders that of the places between."""
    found = features(noise(N, 9), rate_hz=RATE, speed_hz=25.0)

    assert found["comb_share"] < 0.02
    assert abs(found["comb_clarity"]) < 1.0


def gearbox(teeth, shaft, mesh=1.0, depth=0.0):
    """Mesh of a gear whose load varies once a turn."""
    turn = sine(N, shaft * N / RATE)
    return mesh * (1.0 + depth * turn) * sine(N, teeth * shaft * N / RATE) + sine(N, 2 * teeth * shaft * N / RATE, 0.3)


@pytest.mark.parametrize(("depth", "ratio"), [(0.0, 0.0), (0.4, 0.4), (1.0, 1.0)])
@pytest.mark.parametrize(("teeth", "order"), [(23, 1.0), (61, 0.5), (17, 2.4)])
def test_sidebands_of_a_modulated_mesh(depth, ratio, teeth, order):
    """Modulation by m gives two sidebands of m / 2 each: a ratio of m, to 3 %."""
    x = gearbox(teeth, 25.0 * order, 2.0, depth) + noise(N, 4, 1e-3)
    found = features(x, rate_hz=RATE, speed_hz=25.0, gears=(Gear("pinion", teeth, order),))

    assert found["mesh"] == pytest.approx(2.0 / np.sqrt(2.0), rel=0.01)
    assert found["mesh_2"] == pytest.approx(0.3 / np.sqrt(2.0), rel=0.01)
    assert found["sideband"] == pytest.approx(ratio, rel=0.03, abs=0.01)


def test_each_gear_has_its_columns():
    """The second gear's bear its name."""
    x = gearbox(23, 25.0) + gearbox(40, 50.0, 0.5, 0.2)
    found = features(x, rate_hz=RATE, speed_hz=25.0, gears=(Gear("pinion", 23), Gear("wheel", 40, 2.0)))

    assert found["mesh"] == pytest.approx(np.sqrt(0.5), rel=0.01)
    assert found["mesh_wheel"] == pytest.approx(0.5 * np.sqrt(0.5), rel=0.01)
    assert found["sideband_wheel"] == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("x", [noise(N, 5), mixture(N), bursts(N, 190, 0.1, 15.0)])
def test_named_bands_equal_scipys_periodogram(x):
    """The rms of a band in Hz and of one in orders is the root of the summed density, to 1e-4."""
    bands = (Band("low", 2.0, 100.0), Band("high", 1000.0, 3000.0), Band("first", 0.5, 1.5, True))
    found = features(x, rate_hz=RATE, speed_hz=25.0, bands=bands)
    f, power = scipy.signal.periodogram(np.asarray(x, np.float32).astype(float), RATE, "hann", scaling="density")

    for name, low, high in (("low", 2.0, 100.0), ("high", 1000.0, 3000.0), ("first", 12.5, 37.5)):
        expected = np.sqrt(power[(f >= low) & (f < high)].sum() * 0.5)
        assert found[f"rms_{name}"] == pytest.approx(expected, rel=1e-4), name


def test_named_bands_stand_behind_the_set_and_may_be_missing_one_by_one():
    """A band above half of the rate, and one narrower than two bins, say so; the others have their values."""
    bands = (Band("far", 4000.0, 6000.0), Band("thin", 100.0, 100.4), Band("fine", 100.0, 200.0), Band("o", 1, 2, True))
    found = reasons(noise(N), rate_hz=RATE, bands=bands)

    assert list(found)[-4:] == ["rms_far", "rms_thin", "rms_fine", "rms_o"]
    assert list(found.values())[-4:] == ["rate_too_low", "window_too_short", "", "no_speed"]


@pytest.mark.parametrize(("delay", "echo"), [(100, 0.5), (250, 0.3), (602, 0.7)])
def test_an_echo_is_a_peak_of_its_height_in_the_cepstrum(delay, echo):
    """Noise with an echo of a after d samples: quefrency d, height a, to 2 samples and 15 %."""
    x = noise(2**15, 6)
    echoed = x[1000:].copy()
    echoed += echo * x[1000 - delay : -delay]
    found = features(echoed, rate_hz=RATE)

    assert found["quefrency"] == pytest.approx(delay / RATE, abs=2.0 / RATE)
    assert found["cepstrum_height"] == pytest.approx(echo, rel=0.15)


@pytest.mark.parametrize("x", [noise(4096, 8), mixture(5001), bursts(9000, 500, 0.2, 10.0)])
def test_cepstrum_equals_its_definition_in_float64(x):
    """The highest peak lies where a transform of the tapered log spectrum in float64 has it, and is as high to 1 %."""
    found = features(x, rate_hz=RATE)
    x = np.asarray(x, np.float32).astype(float)
    n, bins = len(x), len(x) // 2
    power = np.abs(np.fft.rfft((x - x.mean()) * scipy.signal.get_window("hann", n))) ** 2
    logs = 0.5 * np.log(power[:bins] + 1e-12 * power[2:].sum() / bins)
    taper = scipy.signal.get_window("hann", bins)
    cepstrum = 2.0 * np.abs(np.fft.rfft((logs - logs.mean()) * taper)) / taper.sum()
    at = 16 + int(cepstrum[16 : bins // 4 + 1].argmax())

    assert found["quefrency"] * RATE == pytest.approx(2.0 * at, abs=1.001)
    assert found["cepstrum_height"] == pytest.approx(cepstrum[at], rel=0.15)
    assert found["cepstrum_height"] >= cepstrum[at] * 0.999


def test_sidebands_are_a_family_for_the_cepstrum():
    """Impulses every 40 ms on a resonance: the quefrency is their period, or a multiple."""
    x = bursts(2**15, 400, 0.15, 8.0, background=0.005)
    found = features(x, rate_hz=RATE)
    turns = found["quefrency"] * RATE / 400.0

    assert turns == pytest.approx(round(turns), abs=0.01)
    assert found["cepstrum_height"] > 3.0 * features(noise(2**15, 1), rate_hz=RATE)["cepstrum_height"]
