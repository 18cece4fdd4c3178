"""Envelopes of overlapping frequency bands of a whitened signal.

A slice of a one-sided spectrum, transformed back, is the analytic signal of that band, shifted to zero frequency and
decimated; its magnitude is the envelope. The bands are those of a kurtogram (Antoni 2007, "Fast computation of the
kurtogram for the detection of transient faults", Mechanical Systems and Signal Processing 21, 108-124), as exact slices
that overlap by half. A kurtogram takes the most impulsive band, whatever makes the impulses; the search takes the
band in which the lines of a fault stand out most, and pays for all that it tried: one loud knock does not mislead it, and
weak impulses need not show in a kurtosis. (The feature set has the kurtogram: `foreshock/features/waves/demodulated.py`.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.fft

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
C128 = npt.NDArray[np.complex128]

LEVELS = 8
"""The narrowest bands are 2**-8 of half of the rate."""
LEAST_POINTS = 64
"""Points of an envelope below which there is nothing to search."""

TONE = 3.0
"""A line this many times the median magnitude around it is a tone: `whitened` takes it down to that."""
TONE_LINES = 64
"""Lines of a stretch whose median is the magnitude around; fewer in a short window, whose lines are wide."""
TONE_HZ_SHARE = 1 / 256
"""Share of half of the rate that a stretch may span, as long as it has half of `TONE_LINES`."""


class Level(NamedTuple):
    """Envelopes of all bands of one width."""

    low_hz: F64
    """Lower edges [bands]."""
    width_hz: float
    rate_hz: float
    """Of the envelopes: at least twice the width, so that their spectra do not fold."""
    envelopes: F64
    """[bands, points], in the unit of the signal."""


def spectrum(x: F32) -> C128:
    """One-sided spectrum of a channel [n] without its mean, as amplitudes of an analytic signal [n // 2 + 1]."""
    centred = x.astype(np.float64) - float(np.mean(x, dtype=np.float64))
    found: C128 = scipy.fft.rfft(centred) * (2.0 / len(x))
    return found


class White(NamedTuple):
    """A spectrum without tones and resonances."""

    one_sided: C128
    """Lines over the magnitude around them, at most `TONE` [n // 2 + 1]."""
    around: F64
    """Median magnitude around, which they were divided by [n // 2 + 1]."""


def whitened(one_sided: C128) -> White:
    """Divide lines by the median magnitude around them, and take those that stand out of it down to `TONE`.

    Shafts, blades, teeth and mains make tones, and the beats of two tones are lines in the spectrum of an envelope.
    Impulses of a bearing slip, and spread over the lines. Resonances make a noise whose envelope falls off in their own
    bandwidth; without them it is flat, as the odds of lines take it to be. A mild form of the whitening of Sawalhi and
    Randall (Smith and Randall 2015, Mechanical Systems and Signal Processing 64-65, 100-131).
    """
    magnitude = np.abs(one_sided)
    size = int(np.clip(len(magnitude) * TONE_HZ_SHARE, TONE_LINES // 2, TONE_LINES))
    count = max(1, len(magnitude) // size)
    middles = np.median(magnitude[: count * size].reshape(count, -1), axis=1)
    around = np.interp(np.arange(len(magnitude)), (np.arange(count) + 0.5) * size, middles)
    around = np.maximum(around, np.finfo(np.float64).tiny)
    found: C128 = one_sided / around
    found *= np.minimum(1.0, TONE / np.maximum(magnitude / around, 1e-9))
    return White(found, around)


def level(one_sided: C128, n: int, rate_hz: float, halvings: int) -> Level:
    """Envelopes of all bands of a width of `2**-halvings` of the Nyquist band, each half over the next.

    Parameters
    ----------
    one_sided : complex128 [n // 2 + 1]
        From `spectrum`.
    n : int
        Samples it is of.
    rate_hz : float
    halvings : int
        The lowest band begins half a band above zero: what lies below is the machine's own motion.
    """
    width, starts = _slices(n, halvings)
    length = int(scipy.fft.next_fast_len(2 * width))
    slices = np.zeros((len(starts), length), np.complex128)
    slices[:, :width] = one_sided[starts[:, None] + np.arange(width)]
    envelopes: F64 = np.abs(scipy.fft.ifft(slices, axis=1, norm="forward"))
    step = rate_hz / n
    return Level(starts.astype(np.float64) * step, width * step, length * step, envelopes)


def rms(around: F64, n: int, halvings: int) -> F64:
    """Root mean square over each band of `level` of a magnitude per line [n // 2 + 1]: [bands]."""
    width, starts = _slices(n, halvings)
    return np.asarray(np.sqrt(np.square(around[starts[:, None] + np.arange(width)]).mean(axis=1)))


def _slices(n: int, halvings: int) -> tuple[int, npt.NDArray[np.int64]]:
    """Lines of a band, and where each band starts."""
    width = (n // 2) >> halvings
    starts = np.arange(width // 2, n // 2 - width + 1, max(1, width // 2), dtype=np.int64)
    return width, starts if halvings and len(starts) else np.zeros(1, np.int64)


def single(one_sided: C128, n: int, rate_hz: float, octave: int) -> tuple[F64, float]:
    """Envelope [1, points] of one octave below half of the rate, from 0 down, and the rate of its points."""
    width = (n // 2) >> (octave + 1)
    length = int(scipy.fft.next_fast_len(2 * width))
    part = np.zeros((1, length), np.complex128)
    part[0, :width] = one_sided[width : 2 * width]
    return np.abs(scipy.fft.ifft(part, axis=1, norm="forward")), length * rate_hz / n
