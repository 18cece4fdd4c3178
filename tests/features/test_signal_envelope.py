"""The envelope of the most impulsive band against closed forms and scipy.signal.hilbert."""

import numpy as np
import pytest
import scipy.signal
import scipy.stats

from tests.features.signals import bursts, features, noise, sine

RATE = 25600.0
SIGNALS = {
    "bursts": bursts(25600, 256.4, 0.17, 20.0, background=0.3),
    "modulated": (1.0 + 0.5 * sine(16384, 77.0)) * sine(16384, 4000.0) + noise(16384, 1, 0.2),
    "noise": noise(8000, 2),
}


def by_hilbert(x, low_hz, high_hz):
    """Compute the same figures at every sample with scipy's analytic signal of the filtered windowed row."""
    n = len(x)
    h = scipy.signal.get_window("hann", n)
    spectrum = np.fft.fft(h * (x - x.mean()))
    f = np.arange(n) * RATE / n
    kept = ((f >= low_hz) & (f < high_hz)) | ((RATE - f >= low_hz) & (RATE - f < high_hz))
    envelope = np.abs(scipy.signal.hilbert(np.fft.ifft(np.where(kept, spectrum, 0.0)).real))
    mean = envelope.sum() / h.sum()
    relative = envelope / mean - h
    width = round((high_hz - low_hz) * n / RATE)
    lines = np.abs(np.fft.rfft(relative))[3:width]
    best = int(lines.argmax())
    power = lines**2
    family = sum(
        power[max(0, at - 2) : at + 3].sum() for at in (j * (best + 3) - 3 for j in range(1, 5)) if at < len(lines)
    )
    fourth = np.mean(envelope**4) / np.mean(envelope**2) ** 2
    return {
        "impulsiveness": fourth / (np.mean(h**4) / np.mean(h**2) ** 2) - 2.0,
        "env_mean": mean,
        "env_depth": np.sqrt(np.sum(relative**2) / np.sum(h**2)),
        "env_line_hz": (best + 3) * RATE / n,
        "env_line": lines[best] / scipy.stats.gmean(lines),
        "env_line_share": min(1.0, family / power.sum()),
    }


@pytest.mark.parametrize("given", [None, (3000.0, 6000.0)])
@pytest.mark.parametrize("name", SIGNALS)
def test_equals_scipys_hilbert_transform(name, given):
    """In a chosen and in a given band: the line is the same one, its height and share agree to 4 %, the others to 2 %.

    The envelope is sampled twice per period of the band's width: little of its spectrum folds over, but some does.
    """
    x = np.asarray(SIGNALS[name], np.float32)
    found = features(x, rate_hz=RATE, envelope_band=given)
    expected = by_hilbert(x.astype(float), found["env_low"], found["env_high"])

    assert found["env_line_hz"] == pytest.approx(expected.pop("env_line_hz"))
    assert found["impulsiveness"] == pytest.approx(expected.pop("impulsiveness"), rel=0.02, abs=0.02)
    for feature, value in expected.items():
        assert found[feature] == pytest.approx(value, rel=0.04 if "line" in feature else 0.02), feature


def test_a_modulated_sine():
    """(1 + m sin) with m = 0.5: mean 1, depth m / sqrt 2, and its line is at the modulation's 100 Hz."""
    n = 25600
    x = 2.0 * (1.0 + 0.5 * sine(n, 100.0)) * sine(n, 4400.0)
    found = features(x, rate_hz=RATE, envelope_band=(4000.0, 4800.0))

    assert found["env_mean"] == pytest.approx(2.0, rel=1e-3)
    assert found["env_depth"] == pytest.approx(0.5 / np.sqrt(2.0), rel=5e-3)
    assert found["env_line_hz"] == 100.0
    assert found["env_line_share"] == pytest.approx(1.0, abs=1e-3)
    assert found["impulsiveness"] < 0.0


def test_gaussian_noise():
    """Its envelope is a Rayleigh variate: depth sqrt(4 / pi - 1), and no band is impulsive."""
    found = features(noise(2**18, 7), rate_hz=RATE)

    assert found["env_depth"] == pytest.approx(np.sqrt(4.0 / np.pi - 1.0), rel=0.02)
    assert abs(found["impulsiveness"]) < 0.1
    assert found["env_line"] < 8.0


@pytest.mark.parametrize("carrier", [0.08, 0.17, 0.30, 0.44])
def test_bursts_are_found_in_their_band_with_their_rhythm(carrier):
    """A resonance struck 100 times a second under noise of three times its power: band and rhythm are found."""
    struck = bursts(25600, 256.0, carrier, 12.0, background=0.0)
    x = struck + noise(25600, 3, float(np.sqrt(3.0) * struck.std()))
    found = features(x, rate_hz=RATE)

    assert found["env_low"] <= carrier * RATE * 1.05
    assert found["env_high"] >= carrier * RATE * 0.95
    assert found["impulsiveness"] > 0.3
    assert found["env_line_hz"] == pytest.approx(100.0, abs=1.0)
    assert found["env_line"] > 10.0
