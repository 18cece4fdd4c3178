"""The SIGNAL set of one block by scipy's own functions: what `bench.kernels_features` holds its figure against."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft
import scipy.integrate
import scipy.signal
import scipy.stats

from foreshock.features import spectrum
from foreshock.features.waves import welch

COMB = 10
LOW_HZ, HIGH_HZ = 10.0, 1000.0


def one_block(x: np.ndarray, rate_hz: float, speed_hz: float, teeth: int) -> list[float]:
    """Compute the same kinds of figures as the set, one scipy call after the other, in float32 where scipy keeps it."""
    return [*_statistics(x), *_form(x, rate_hz), *_envelope(x, rate_hz), *_lines(x, rate_hz, speed_hz, teeth)]


def _statistics(x: np.ndarray) -> list[float]:
    d = np.abs(x - x.mean())
    rms, peak, size = float(x.std()), float(d.max()), float(d.mean())
    shape = [float(scipy.stats.kurtosis(x)), float(scipy.stats.skew(x))]
    root = float(np.sqrt(d).mean())
    return [float(x.mean()), rms, peak, float(np.ptp(x)), peak / rms, *shape, peak / size, rms / size, peak / root**2]


def _form(x: np.ndarray, rate_hz: float) -> list[float]:
    f, density = scipy.signal.welch(x, rate_hz, nperseg=welch.SEGMENT)
    bands = [float(np.log(density[a:b].mean())) for a, b in spectrum.plan(welch.SEGMENT).edges]
    p = density / density.sum()
    m = float(np.dot(f, p))
    moments = [float(np.dot((f - m) ** k, p)) for k in (2, 3, 4)]
    return [*bands, m, *moments, float(scipy.stats.entropy(p)), float(scipy.stats.gmean(density) / density.mean())]


@cache
def _filter(order: int, low: float, high: float) -> np.ndarray:
    """Design a band pass once; limits are shares of half of the rate."""
    return scipy.signal.butter(order, (low, high), "bandpass", output="sos")


def _envelope(x: np.ndarray, rate_hz: float) -> list[float]:
    """Demodulate two levels of bands and keep the one of the largest kurtosis, by filters and Hilbert transforms."""
    best, found = -np.inf, x
    for bands in (4, 16):
        for band in range(bands):
            low, high = max(band / bands, 1e-3), min((band + 1) / bands, 1.0 - 1e-3)
            envelope = np.abs(scipy.signal.hilbert(scipy.signal.sosfilt(_filter(4, low, high), x)))
            kurtosis = float(scipy.stats.kurtosis(envelope))
            if kurtosis > best:
                best, found = kurtosis, envelope
    _, power = scipy.signal.periodogram(found, rate_hz, "hann")
    at = int(power[3:].argmax()) + 3
    return [best, float(found.mean()), float(found.std()), at * rate_hz / len(x), float(power[at] / np.median(power))]


def _lines(x: np.ndarray, rate_hz: float, speed_hz: float, teeth: int) -> list[float]:
    """Find orders, sidebands, the cepstrum, and velocity and displacement."""
    f, power = scipy.signal.periodogram(x, rate_hz, "hann", scaling="density")
    step = f[1]
    places = [k * speed_hz for k in range(1, COMB + 1)] + [teeth * speed_hz + j * speed_hz for j in range(-3, 4)]
    lines = [float(np.sqrt(power[max(0, round(at / step) - 2) : round(at / step) + 3].sum() * step)) for at in places]
    cepstrum = scipy.fft.irfft(np.log(power + 1e-30))
    at = int(np.abs(cepstrum[32 : len(x) // 4]).argmax()) + 32
    sections = _filter(2, LOW_HZ / (0.5 * rate_hz), HIGH_HZ / (0.5 * rate_hz))
    velocity = scipy.integrate.cumulative_trapezoid(scipy.signal.sosfilt(sections, x), dx=1.0 / rate_hz)
    moved = scipy.integrate.cumulative_trapezoid(velocity, dx=1.0 / rate_hz)
    levels = [float(velocity.std()), float(np.abs(velocity).max()), float(moved.std())]
    return [*lines, at / rate_hz, float(cepstrum[at]), *levels]
