"""Band powers and centroid against closed forms and scipy."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from foreshock.features import spectrum


def bands_of(x, mean_square=None):
    x = np.atleast_2d(np.asarray(x, np.float32))
    n = x.shape[1]
    plan = spectrum.plan(n)
    spectra = scipy.fft.rfft((x - x.mean(axis=1, keepdims=True)) * plan.window, axis=1).astype(np.complex64)
    bands, centroid = np.empty((len(x), spectrum.BANDS), np.float32), np.empty(len(x), np.float32)
    zero = np.zeros(len(x), np.int32)
    level = np.var(x.astype(float), axis=1) if mean_square is None else np.full(len(x), mean_square)
    spectrum.band_rows(
        spectra.view(np.float32), plan.edges, plan.frequencies, plan.density, zero, level, bands, centroid
    )
    return bands, centroid


def test_a_sine_is_in_one_band_only():
    """A sine in the middle of a band leaves its power there and nothing in the others."""
    n = 4096
    low, high = spectrum.plan(n).edges[8]
    k = int((low + high) // 2)
    bands, centroid = bands_of(np.sin(2 * np.pi * k * np.arange(n) / n))
    power = np.exp(bands[0].astype(float)) * (spectrum.plan(n).edges[:, 1] - spectrum.plan(n).edges[:, 0]) / n

    assert power[8] == pytest.approx(0.5, rel=1e-5)
    assert np.delete(power, 8).sum() < 1e-6
    assert centroid[0] == pytest.approx(k / n, rel=1e-5)


def test_white_noise_has_the_same_density_in_every_band_and_for_every_length():
    """The mean one-sided density of white noise of variance 4 is 8 per cycle per sample."""
    for n in (1024, 4096):
        x = np.random.default_rng(1).normal(0, 2, (400, n))
        density = np.exp(bands_of(x)[0].astype(float)).mean(axis=0)

        assert density == pytest.approx(8.0, rel=0.15)


def test_equals_scipys_periodogram():
    """Each band is the mean of scipy's one-sided Hann periodogram over its bins."""
    n = 2048
    x = np.random.default_rng(2).normal(size=n).astype(np.float32)
    _, density = scipy.signal.periodogram(x.astype(float), window="hann", scaling="density")
    expected = [np.log(density[a:b].mean()) for a, b in spectrum.plan(n).edges[:-1]]

    assert bands_of(x)[0][0, :-1] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("n", [1024, 2048, 2560, 4096, 16384])
def test_edges_are_the_logarithmic_ones(n):
    """Ordinary block lengths have the twelve bands of geometric edges, without gap or overlap."""
    edges = spectrum.plan(n).edges

    assert edges[0, 0] == 2
    assert edges[-1, 1] == n // 2 + 1
    assert (edges[1:, 0] == edges[:-1, 1]).all()
    assert edges[:, 0].tolist() == np.round(np.geomspace(2, n // 2 + 1, 13))[:-1].astype(int).tolist()


@pytest.mark.parametrize("n", range(16, 200))
def test_short_rows_have_every_band(n):
    """However short a row is, each band has at least one bin and none lies outside."""
    edges = spectrum.plan(n).edges

    assert len(edges) == spectrum.BANDS
    assert (edges[:, 1] > edges[:, 0]).all()
    assert edges.min() >= 2
    assert edges.max() <= n // 2 + 1


def test_an_empty_band_is_at_the_floor():
    """A band without power is at -120 dB of the row, a row without power at 1e-30."""
    silent, centroid = bands_of(np.zeros(256))
    beside = bands_of(np.zeros(256), mean_square=2.0)[0]

    assert silent[0] == pytest.approx(np.log(1e-30))
    assert beside[0] == pytest.approx(np.log(2e-12))
    assert centroid[0] == 0.0
