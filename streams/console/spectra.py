"""Pictures of one channel of a block: waveform, spectrum, spectrum of the envelope, and the marks of faults. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from foreshock.contract import Asset
from foreshock.features.kinematics import bands
from foreshock.features.kinematics.geometry import GEAR, families
from foreshock.streams.console.machine import numbers

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
ENVELOPE_SHARE = 0.1  # of the sampling rate: up to there the spectrum of the envelope is shown
HALVINGS = 2  # bands of an eighth of the sampling rate, each half over the next
HARMONICS = 3
_PARTS = {"BPFO": "outer race", "BPFI": "inner race", "2xBSF": "rolling element"}
FLOOR = 1e-12  # of an amplitude, so that it has a logarithm


def channel(x: F32, rate_hz: float | None, width: int) -> dict[str, Any]:
    """Give the pictures and figures of one channel.

    Parameters
    ----------
    x
        Samples in SI.
    rate_hz
        None: not stated; frequencies are then in cycles per sample.
    width
        Points of a picture at most.
    """
    rate = rate_hz or 1.0
    centred = x.astype(np.float64) - float(np.mean(x, dtype=np.float64))
    rms = float(np.sqrt(np.mean(np.square(centred))))
    peak = float(np.abs(centred).max())
    fourth = float(np.mean(centred**4))
    return {
        "min": float(x.min()),
        "max": float(x.max()),
        "rms": rms,
        "peak": peak,
        "crest": peak / rms if rms > 0 else None,
        "kurtosis": fourth / rms**4 if rms > 0 else None,
        "waveform": waveform(x, rate, width),
        "spectrum": lines(amplitudes(centred), rate / len(x), width),
        "envelope": _envelope(x, rate, width),
    }


def waveform(x: F32, rate: float, width: int) -> dict[str, F32]:
    """Give the smallest and largest sample of each stretch, so that no peak is lost."""
    starts = np.linspace(0, len(x), min(width, len(x)), endpoint=False).astype(np.int64)
    return {
        "t_s": numbers(starts / rate),
        "min": numbers(np.minimum.reduceat(x, starts)),
        "max": numbers(np.maximum.reduceat(x, starts)),
    }


def amplitudes(centred: F64) -> F64:
    """Give the one-sided amplitude spectrum under a Hann window: a sine of amplitude A on a line has A there."""
    n = len(centred)
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)
    found: F64 = np.abs(scipy.fft.rfft(centred * window)) * (2.0 / window.sum())
    return found


def lines(amplitude: F64, step_hz: float, width: int) -> dict[str, F32]:
    """Give at most `width` lines: of each stretch the largest, at its own frequency."""
    starts = np.linspace(0, len(amplitude), min(width, len(amplitude)), endpoint=False).astype(np.int64)
    ends = np.append(starts[1:], len(amplitude))
    top = np.array([a + int(np.argmax(amplitude[a:b])) for a, b in zip(starts, ends, strict=True)], np.int64)
    return {"hz": numbers(top * step_hz), "amplitude": numbers(amplitude[top])}


def _envelope(x: F32, rate: float, width: int) -> dict[str, Any]:
    """Give the spectrum of the envelope in the band whose lines stand out most."""
    if len(x) < 64:
        return {"hz": [], "amplitude": [], "band_hz": []}
    found = bands.level(bands.spectrum(x), len(x), rate, HALVINGS)
    envelopes = found.envelopes - found.envelopes.mean(axis=1, keepdims=True)
    spectra = np.array([amplitudes(row) for row in envelopes])
    step = found.rate_hz / envelopes.shape[1]
    upper = max(8, int(ENVELOPE_SHARE * rate / step))
    clear = spectra[:, 2:upper].max(axis=1) / np.maximum(np.median(spectra[:, 2:upper], axis=1), FLOOR)
    best = int(np.argmax(clear))
    low = float(found.low_hz[best])
    return {**lines(spectra[best][:upper], step, width), "band_hz": [low, low + found.width_hz]}


def markers(master: Asset | None, speed_hz: float | None) -> tuple[list[dict[str, Any]], str]:
    """Give the frequencies at which faults of this machine would show, and what the speed rests on.

    Returns
    -------
    tuple
        Markers, and "stated" (the block says it), "rated" (the master data do) or "" (it is not known: there are none).
    """
    rated = master.rated_speed_hz if master else None
    speed = speed_hz or rated
    if not speed:
        return [], ""
    return list(_markers(master, speed)), "stated" if speed_hz else "rated"


def _markers(master: Asset | None, speed: float) -> Iterator[dict[str, Any]]:
    for harmonic in (1, 2):
        yield _marker(f"{harmonic}x", "", speed * harmonic, harmonic, "shaft speed")
    meshes = set()
    for family in families(master) if master else ():
        if family.fault != GEAR:
            for harmonic in range(1, HARMONICS + 1):
                hz = family.order * speed * harmonic
                yield _marker(family.name, family.component, hz, harmonic, _PARTS[family.name])
        elif (mesh := round(family.order * family.teeth, 6)) not in meshes:
            meshes.add(mesh)
            yield _marker("GMF", "", speed * family.order * family.teeth, 1, f"mesh of {family.component}")


def _marker(name: str, bearing: str, hz: float, harmonic: int, what: str) -> dict[str, Any]:
    return {"name": name, "bearing": bearing, "hz": hz, "harmonic": harmonic, "what": what}


def column(x: F32, bins: int) -> F32:
    """Give the logarithm (base 10) of the amplitude spectrum in so many equal bands: of each the largest line."""
    amplitude = amplitudes(x.astype(np.float64) - float(np.mean(x, dtype=np.float64)))[1:]
    starts = np.linspace(0, len(amplitude), min(bins, len(amplitude)), endpoint=False).astype(np.int64)
    top = np.maximum.reduceat(amplitude, starts)
    return np.asarray(np.log10(np.maximum(np.resize(top, bins) if len(top) < bins else top, FLOOR)), np.float32)
