"""What the sensor and its gateway make of the vibration: units, digits, and their own faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foreshock.simulate.faults import Fault, Kind

F32 = npt.NDArray[np.float32]

NS = 1_000_000_000
TWICE = 0.25
OVERTAKEN = 2.5


@dataclass(frozen=True, slots=True)
class Sent:
    """A block as the gateway sends it."""

    samples: F32
    """In m/s2 [n]."""
    rate_hz: float


def lost(fault: Fault | None, rng: np.random.Generator) -> bool:
    """Whether the link loses this block."""
    return fault is not None and fault.kind is Kind.GAP and bool(rng.random() < fault.amount)


def lacking(fault: Fault | None, rng: np.random.Generator) -> bool:
    """Whether the last channel of this block is missing."""
    return fault is not None and fault.kind is Kind.MISSING and bool(rng.random() < fault.amount)


def copies(fault: Fault | None, rng: np.random.Generator) -> tuple[float, ...]:
    """When each copy of a block arrives, in intervals after its time: once at once, twice, or overtaken by two others."""
    if fault is None or fault.kind not in {Kind.DUPLICATE, Kind.OUT_OF_ORDER} or rng.random() >= fault.amount:
        return (0.0,)
    return (0.0, TWICE) if fault.kind is Kind.DUPLICATE else (OVERTAKEN,)


def clock_ns(fault: Fault | None, t_s: float, interval_s: float, rng: np.random.Generator) -> int:
    """Error of the clock at a plant time."""
    if fault is None:
        return 0
    if fault.kind is Kind.CLOCK:
        return round(fault.amount * NS)
    if fault.kind is Kind.CLOCK_DRIFT:
        return round(fault.amount * (t_s - fault.start_s) * NS)
    if fault.kind is Kind.JITTER:
        return round(fault.amount * interval_s * float(rng.uniform(-1.0, 1.0)) * NS)
    return 0


def send(samples: F32, rate_hz: float, quiet: float, fault: Fault | None, rng: np.random.Generator) -> Sent:
    """Pass a waveform through the sensor, with the fault that it has at the time.

    Parameters
    ----------
    samples : float32 [n]
        True acceleration in m/s2, at the true rate.
    rate_hz : float
    quiet : float
        Level of the machine where it runs most quietly (m/s2 rms): a stop is set relative to it.
    fault : Fault or None
        None: the sensor is well.
    rng : numpy.random.Generator
    """
    kind = fault.kind if fault is not None else None
    amount = fault.amount if fault is not None else 0.0
    if kind is Kind.FROZEN:
        samples = np.full_like(samples, np.float32(amount))
    elif kind is Kind.CLIPPED:
        stop = np.float32(amount * quiet)
        samples = np.clip(samples, -stop, stop)
    elif kind is Kind.SPIKE:
        samples = _spiked(samples, amount, rng)
    elif kind is Kind.UNIT_CHANGED:
        samples = samples * np.float32(amount)
    elif kind is Kind.NOISE_FLOOR_GONE:
        samples = (amount * rng.standard_normal(len(samples))).astype(np.float32)
    return Sent(samples, rate_hz=rate_hz * amount if kind is Kind.WRONG_RATE else rate_hz)


def _spiked(samples: F32, size: float, rng: np.random.Generator) -> F32:
    """One or two samples of a loose contact: far outside, alone, without the ringing of a real impact."""
    out = samples.copy()
    count = int(rng.integers(1, 3))
    at = rng.integers(64, len(samples) - 64, count)
    sign = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    out[at] = (sign * size * samples.std() * (1.0 + 0.3 * rng.random(count))).astype(np.float32)
    return out
