"""Time statistics against closed forms and scipy."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from foreshock.features.waves import statistics
from tests.features.signals import bursts, chirp, features, mixture, noise, sine

SIGNALS = {
    "sine": sine(4096, 50.0),
    "noise": noise(4096),
    "bursts": bursts(4096, 300, 0.17, 20.0),
    "mixture": mixture(5000),
    "long": np.concatenate([chirp(30000), mixture(33123, seed=4)]),
    "tiny": 1e-12 * noise(777) + 1e-11,
    "huge": 1e30 * bursts(2000, 111, 0.3, 9.0),
}


def by_scipy(x):
    """Compute the same statistics in float64."""
    x = np.asarray(x, np.float32).astype(float)
    d = x - x.mean()
    rms, peak, size = np.sqrt(np.mean(d * d)), np.abs(d).max(), np.abs(d).mean()
    return {
        "mean": x.mean(),
        "rms": rms,
        "peak": peak,
        "peak_to_peak": np.ptp(x),
        "crest": peak / rms,
        "kurtosis": scipy.stats.kurtosis(x, fisher=False),
        "skewness": scipy.stats.skew(x),
        "impulse": peak / size,
        "shape": rms / size,
        "clearance": peak / np.mean(np.sqrt(np.abs(d))) ** 2,
    }


@pytest.mark.parametrize("name", SIGNALS)
def test_equals_scipy(name):
    """Every statistic agrees with float64 to 2e-5, the skewness of a symmetric signal to 2e-5 absolute."""
    found, expected = features(SIGNALS[name]), by_scipy(SIGNALS[name])

    for feature, value in expected.items():
        near = 2e-5 * expected["rms"] if feature == "mean" else 2e-5
        scale = near if feature in {"mean", "skewness"} else 0.0
        assert found[feature] == pytest.approx(value, rel=2e-5, abs=scale), feature


def test_a_sine():
    """A sine of amplitude 2: 1.414 rms, crest sqrt 2, kurtosis 1.5, impulse pi / 2, shape pi / sqrt 8."""
    found = features(sine(8000, 20.0, 2.0))

    assert found["rms"] == pytest.approx(np.sqrt(2.0), rel=1e-5)
    assert found["peak"] == pytest.approx(2.0, rel=1e-4)
    assert found["peak_to_peak"] == pytest.approx(4.0, rel=1e-4)
    assert found["crest"] == pytest.approx(np.sqrt(2.0), rel=1e-4)
    assert found["kurtosis"] == pytest.approx(1.5, rel=1e-4)
    assert found["skewness"] == pytest.approx(0.0, abs=1e-4)
    assert found["impulse"] == pytest.approx(np.pi / 2.0, rel=1e-4)
    assert found["shape"] == pytest.approx(np.pi / np.sqrt(8.0), rel=1e-4)
    root = scipy.special.beta(0.75, 0.5) / np.pi  # mean of sqrt(abs(sin))
    assert found["clearance"] == pytest.approx(1.0 / root**2, rel=1e-3)


def test_a_square_wave():
    """All of its ratios are 1: whatever mean is taken of a constant size, it is that size."""
    found = features(np.resize([5.0] * 8 + [3.0] * 8, 4096))

    assert (found["mean"], found["rms"], found["peak"], found["peak_to_peak"]) == (4.0, 1.0, 1.0, 2.0)
    for feature in ("crest", "kurtosis", "impulse", "shape", "clearance"):
        assert found[feature] == pytest.approx(1.0, rel=1e-5), feature


def test_gaussian_and_uniform_noise():
    """Kurtosis 3 and 1.8, shape sqrt(pi / 2) and 2 / sqrt 3, within what chance allows for 200000 samples."""
    gaussian = features(noise(200_000, 3))
    uniform = features(np.random.default_rng(4).uniform(-1, 1, 200_000))

    assert gaussian["kurtosis"] == pytest.approx(3.0, abs=0.05)
    assert gaussian["shape"] == pytest.approx(np.sqrt(np.pi / 2.0), rel=5e-3)
    assert uniform["kurtosis"] == pytest.approx(1.8, abs=0.02)
    assert uniform["shape"] == pytest.approx(2.0 / np.sqrt(3.0), rel=5e-3)
    assert uniform["clearance"] == pytest.approx(2.25, rel=1e-2)  # 1 / (2/3)**2


def test_an_offset_costs_no_digits_that_the_samples_have():
    """A vibration of 1 on an offset of 1000 has the statistics that float64 finds in these very samples."""
    x = np.asarray(1000.0 + mixture(4096) - 3.0, np.float32)
    found, expected = features(x), by_scipy(x)

    assert found["rms"] == pytest.approx(expected["rms"], rel=1e-5)
    assert found["kurtosis"] == pytest.approx(expected["kurtosis"], rel=1e-4)


def test_centred_rows_fill_their_range():
    """What goes on to the transforms has its largest value between 1/2 and 1, in any unit."""
    for x in SIGNALS.values():
        row = np.asarray(x, np.float32)[None]
        centred = statistics.statistics_rows(row, np.zeros((1, 10)))

        assert 0.5 <= np.abs(centred.rows).max() <= 1.0
        back = np.ldexp(centred.rows.astype(float), centred.exponents[0])
        assert back == pytest.approx(row - row.astype(float).mean(), abs=1e-6 * float(np.abs(row).max()))
