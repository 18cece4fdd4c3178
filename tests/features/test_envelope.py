"""Envelopes against closed forms and against the Hilbert transform of the whole row."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from foreshock.features import envelope, spectrum


def envelopes_of(x):
    x = np.atleast_2d(np.asarray(x, np.float32))
    n = x.shape[1]
    spectra = scipy.fft.rfft((x - x.mean(axis=1, keepdims=True)) * spectrum.plan(n).window, axis=1)
    out = np.empty((len(x), 3 * len(envelope.BANDS)), np.float32)
    rms = x.std(axis=1).astype(np.float32)
    envelope.envelope_rows(spectra.astype(np.complex64), n, np.zeros(len(x), np.int32), rms, out)
    return out.reshape(len(x), len(envelope.BANDS), 3)


def modulated(depth, n=4096, carrier=0.25, cycles=40, amplitude=2.0):
    t = np.arange(n)
    return amplitude * (1 + depth * np.cos(2 * np.pi * cycles * t / n)) * np.sin(2 * np.pi * carrier * t)


@pytest.mark.parametrize("depth", [0.05, 0.3, 0.9])
def test_amplitude_modulation_gives_its_depth(depth):
    """An envelope A (1 + m cos) has mean A and squared coefficient of variation m**2 / 2."""
    level, variation, _ = envelopes_of(modulated(depth))[0, 3]

    assert np.exp(level) == pytest.approx(2.0, rel=1e-3)
    assert np.exp(variation) == pytest.approx(depth**2 / 2, rel=0.01)


def test_a_steady_tone_has_no_depth():
    """An unmodulated tone is at the floor of the depth."""
    assert envelopes_of(modulated(0.0))[0, 3, 1] == pytest.approx(np.log(envelope.DEPTH_FLOOR), abs=0.1)


def test_gaussian_noise_has_the_variation_of_rayleigh():
    """The envelope of Gaussian noise is Rayleigh distributed: squared coefficient of variation 4/pi - 1."""
    x = np.random.default_rng(1).normal(size=(300, 4096))
    depth = np.exp(envelopes_of(x)[:, :, 1].astype(float)).mean(axis=0)

    assert depth == pytest.approx(4 / np.pi - 1, rel=0.05)


def test_a_rhythm_in_noise_is_a_line():
    """Noise that is modulated by a rhythm has a clearer line than noise that is not, in its own band only."""
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(20, 4096))
    t = np.arange(4096)
    rhythm = 1 + 0.8 * np.cos(2 * np.pi * 100 * t / 4096)
    sos = scipy.signal.butter(4, (0.22, 0.28), "bandpass", output="sos", fs=1.0)
    plain = envelopes_of(noise)
    beating = envelopes_of(noise + 5 * rhythm * scipy.signal.sosfilt(sos, rng.normal(size=(20, 4096))))

    assert (beating[:, 3, 2] > plain[:, 3, 2].max()).all()
    assert beating[:, 0, 2].mean() == pytest.approx(plain[:, 0, 2].mean(), abs=0.3)


def test_equals_the_hilbert_envelope_of_the_whole_row():
    """Short inverse transforms of slices give the mean envelope of a full-length analytic signal."""
    n = 4096
    x = np.random.default_rng(3).normal(size=n)
    window = spectrum.plan(n).window.astype(float)
    full = np.fft.fft((x - x.mean()) * window)
    for band, (low, high) in enumerate(envelope.BANDS):
        kept = np.zeros(n, complex)
        kept[int(low * n) : int(high * n)] = 2 * full[int(low * n) : int(high * n)]
        mean = np.abs(np.fft.ifft(kept)).sum() / window.sum()

        assert envelopes_of(x)[0, band, 0] == pytest.approx(np.log(mean), abs=0.02)


@pytest.mark.parametrize("n", [16, 17, 31, 100, 999])
def test_short_and_odd_rows_are_finite(n):
    """Any length from 16 on gives finite values, noise or nothing."""
    x = np.stack([np.zeros(n), np.random.default_rng(4).normal(size=n)])

    assert np.isfinite(envelopes_of(x)).all()


def test_the_length_covers_every_band():
    """No band is wider than the inverse transform that takes it."""
    for n in range(16, 5000, 7):
        plan = envelope.plan(n)

        assert (plan.slices[:, 1] - plan.slices[:, 0]).max() <= plan.length
        assert plan.slices.max() <= n // 2 + 1


@given(st.lists(st.floats(0, 2.0**100, width=32), min_size=1, max_size=300))
def test_the_median_by_bit_patterns_is_the_median(values):
    """Halving between bit patterns finds the upper median to 2**-13 of its value, equal values and zeros included."""
    x = np.array(values, np.float32)
    bits = x.view(np.int32)
    found = np.array([envelope._median_bits(bits, bits.min(), bits.max())], np.int32).view(np.float32)[0]

    assert found == pytest.approx(np.sort(x)[len(x) // 2], rel=2**-13, abs=1e-41)


def test_prominence_equals_numpys_maximum_over_median():
    """A beating tone: the line is read from the spectrum of the windowed, relative envelope."""
    x = modulated(0.5) + 0.1 * np.random.default_rng(5).normal(size=4096)
    plan = envelope.plan(4096)
    spectra = np.fft.rfft((x - x.mean()) * spectrum.plan(4096).window)
    padded = np.zeros(plan.length, complex)
    low, high = plan.slices[3]
    padded[: high - low] = spectra[low:high]
    e = np.abs(np.fft.ifft(padded))
    lines = np.abs(np.fft.rfft(e / (e.sum() / plan.sum_window) - plan.window))[2:-1]
    expected = np.log(lines.max() / np.sort(lines)[len(lines) // 2])

    assert envelopes_of(x)[0, 3, 2] == pytest.approx(expected, abs=1e-3)
