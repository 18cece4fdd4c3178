"""The averaged spectrum, its bands and its form against closed forms and scipy."""

import numpy as np
import pytest
import scipy.signal
import scipy.stats

from foreshock.features import spectrum
from foreshock.features.waves import welch
from foreshock.features.waves.logarithm import log_into
from tests.features.signals import bursts, chirp, features, mixture, noise, sine

SIGNALS = {
    "noise": noise(4096),
    "bursts": bursts(4096, 300, 0.17, 20.0),
    "mixture": mixture(5000),
    "chirp": chirp(30000) + noise(30000, 2, 0.01),
    "short": noise(64, 5),
    "large unit": 1e20 * mixture(3333),
}
RATE = 1000.0


def density_of(x):
    """One-sided density per cycle per sample by scipy; the Nyquist bin doubled like the others."""
    d = np.asarray(x, np.float32).astype(float)
    d -= d.mean()
    length = welch.plan(len(d)).length
    f, density = scipy.signal.welch(d, window="hann", nperseg=length, noverlap=length // 2, detrend=False)
    density[-1] *= 2.0
    return f[2:], density[2:] + welch.FLOOR * np.mean(d * d), length


@pytest.mark.parametrize("name", SIGNALS)
def test_bands_equal_scipys_welch(name):
    """Each band is the logarithm of the mean of scipy's density over its bins, to 1e-4."""
    found = features(SIGNALS[name])
    _, density, length = density_of(SIGNALS[name])
    expected = [np.log(density[a - 2 : b - 2].mean()) for a, b in spectrum.plan(length).edges]

    assert [found[f"band_{i:02d}"] for i in range(1, 13)] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", SIGNALS)
def test_form_equals_its_definition_on_scipys_welch(name):
    """Centroid, spread, skewness, kurtosis, entropy (scipy.stats) and flatness agree to 1e-4."""
    found = features(SIGNALS[name], rate_hz=RATE)
    f, density, _ = density_of(SIGNALS[name])
    p = density / density.sum()
    m = np.sum(f * p)
    s = np.sqrt(np.sum((f - m) ** 2 * p))

    assert found["centroid"] == pytest.approx(m * RATE, rel=1e-4)
    assert found["spread"] == pytest.approx(s * RATE, rel=1e-4)
    assert found["spectral_skewness"] == pytest.approx(np.sum(((f - m) / s) ** 3 * p), rel=1e-3, abs=1e-3)
    assert found["spectral_kurtosis"] == pytest.approx(np.sum(((f - m) / s) ** 4 * p), rel=1e-3)
    assert found["entropy"] == pytest.approx(scipy.stats.entropy(p) / np.log(len(p)), rel=1e-4)
    assert found["flatness"] == pytest.approx(scipy.stats.gmean(density) / density.mean(), rel=1e-4)


def test_a_sine_is_narrow():
    """Its centroid is its frequency; spread is that of the window's main lobe, entropy and flatness are near 0."""
    found = features(sine(25600, 3200.0), rate_hz=25600.0)

    assert found["centroid"] == pytest.approx(3200.0, rel=1e-4)
    assert found["spread"] == pytest.approx(25600 / 1024 / np.sqrt(3.0), rel=1e-2)  # Hann: powers 1/4, 1, 1/4
    assert found["entropy"] < 0.15
    assert found["flatness"] < 1e-6


def test_white_noise_is_wide():
    """Centroid a quarter of the rate, spread rate / sqrt 48, kurtosis 1.8, entropy and flatness near 1."""
    found = features(noise(200_000), rate_hz=RATE)

    assert found["centroid"] == pytest.approx(250.0, rel=1e-2)
    assert found["spread"] == pytest.approx(RATE / np.sqrt(48.0), rel=1e-2)
    assert found["spectral_skewness"] == pytest.approx(0.0, abs=0.02)
    assert found["spectral_kurtosis"] == pytest.approx(1.8, rel=1e-2)
    assert found["entropy"] == pytest.approx(1.0, abs=2e-3)
    assert found["flatness"] == pytest.approx(1.0, abs=1e-2)
    assert found["band_12"] == pytest.approx(np.log(2.0), abs=0.05)  # density of variance 1 over 0..1/2


def test_two_equal_sines_are_symmetric_about_their_middle():
    """Lines at 100 and 300 Hz: centroid 200, spread 100, skewness 0, kurtosis 1."""
    x = sine(16000, 1600.0) + sine(16000, 4800.0, phase=1.0)
    found = features(x, rate_hz=RATE)

    assert found["centroid"] == pytest.approx(200.0, rel=1e-3)
    assert found["spread"] == pytest.approx(100.0, rel=1e-3)
    assert found["spectral_skewness"] == pytest.approx(0.0, abs=1e-2)
    assert found["spectral_kurtosis"] == pytest.approx(1.0, rel=1e-2)


@pytest.mark.parametrize(("n", "length", "count"), [(64, 16, 7), (4096, 1024, 7), (4095, 512, 14), (2**18, 1024, 511)])
def test_segments_overlap_by_half(n, length, count):
    """At least seven segments of at most 1024 samples."""
    assert welch.plan(n)[:2] == (length, count)


def test_what_happens_at_the_border_of_two_blocks_is_in_the_spectrum():
    """A burst across the border of joined blocks counts as much as one in the middle of a block."""
    burst = np.hanning(200) * np.sin(np.arange(200) * 0.7)
    across, within = 1e-3 * noise(8192), 1e-3 * noise(8192)
    across[4096 - 100 : 4096 + 100] += burst
    within[2048 - 100 : 2048 + 100] += burst

    assert features(across)["band_11"] == pytest.approx(features(within)["band_11"], abs=1e-2)


def test_the_logarithm_is_within_its_bounds():
    """ln of float32 over its whole normal range: within 2e-7 of its value, or 2e-7."""
    x = np.concatenate(
        [
            np.geomspace(np.finfo(np.float32).tiny, np.finfo(np.float32).max, 400_001),
            1.0 + np.linspace(-1e-3, 1e-3, 20_001),
        ]
    ).astype(np.float32)
    out = np.empty_like(x)
    log_into(x, out)
    exact = np.log(x.astype(float))

    assert (np.abs(out - exact) <= np.maximum(2e-7 * np.abs(exact), 2e-7)).all()
