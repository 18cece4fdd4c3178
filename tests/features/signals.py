"""Signals with known answers, and one row of the SIGNAL set by name."""

import numpy as np

from foreshock.features import signal
from foreshock.features.masks import CODES


def sine(n, cycles, amplitude=1.0, phase=0.3):
    """A sine with so many cycles in `n` samples."""
    return amplitude * np.sin(2.0 * np.pi * cycles * np.arange(n) / n + phase)


def noise(n, seed=0, scale=1.0):
    """White Gaussian noise."""
    return np.random.default_rng(seed).normal(0.0, scale, n)


def bursts(n, period, carrier, decay, seed=0, background=0.02):
    """A resonance at `carrier` cycles per sample, struck every `period` samples, in some noise."""
    ring = np.exp(-np.arange(n) / decay) * np.sin(2.0 * np.pi * carrier * np.arange(n))
    struck = np.zeros(n)
    struck[(np.arange(0.0, n, period)).astype(int)] = 1.0
    return np.convolve(struck, ring)[:n] + noise(n, seed, background)


def chirp(n):
    """A sine whose frequency rises from 0.02 to 0.2 of the rate."""
    t = np.arange(n)
    return np.sin(2.0 * np.pi * (0.02 * t + 0.09 * t * t / n))


def mixture(n, seed=1):
    """Two sines, an offset and noise."""
    return 3.0 + sine(n, 31.4, 2.0) + sine(n, 200.2, 0.5, 1.0) + noise(n, seed, 0.3)


def features(x, **given):
    """The values of one row by name; None where there is none."""
    stated = signal.Given(**given)
    row = np.asarray(x, np.float32)[None]
    found = signal.extract(row, stated)
    names = [each.name for each in signal.set_of(stated).features]
    return {
        name: None if code else float(value)
        for name, value, code in zip(names, found.values[0], found.masks[0], strict=True)
    }


def reasons(x, **given):
    """The mask of each feature of one row, as a word; empty where there is a value."""
    stated = signal.Given(**given)
    found = signal.extract(np.asarray(x, np.float32)[None], stated)
    names = [each.name for each in signal.set_of(stated).features]
    return {name: CODES[code].value for name, code in zip(names, found.masks[0], strict=True)}
