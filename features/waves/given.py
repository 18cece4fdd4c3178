"""What is known of rows of samples besides the samples."""

from __future__ import annotations

import math
from typing import NamedTuple

SLOW_HZ = 10.0
"""Rated at or below 600 rpm, a machine is judged from 2 Hz up (ISO 20816-3, ISO 10816-3)."""
LOWER_HZ = 10.0
LOWER_SLOW_HZ = 2.0
UPPER_HZ = 1000.0
PERIODS = 10
"""A window holds at least so many periods of the lower corner."""
LEAST_SECONDS = 1.0


class Band(NamedTuple):
    """A band that a measuring point names: its rms is a feature."""

    name: str
    low: float
    high: float
    orders: bool = False
    """Whether the limits are multiples of the shaft speed; else Hz."""


class Gear(NamedTuple):
    """A gear wheel: the mesh frequency is teeth times the speed of its shaft."""

    name: str
    teeth: int
    order: float = 1.0
    """Speed of its shaft over the speed that is given."""


class Given(NamedTuple):
    """What holds for all rows of a call. What is None is not known; the features that need it are masked."""

    rate_hz: float | None = None
    speed_hz: float | None = None
    """Speed of the reference shaft while the window was taken."""
    rated_speed_hz: float | None = None
    """Rated speed: it decides the lower corner of velocity, so that the corner stays while the speed varies."""
    quantity: str = ""
    """`acceleration`, `velocity`, `displacement`; others have no velocity."""
    bands: tuple[Band, ...] = ()
    gears: tuple[Gear, ...] = ()
    envelope_band: tuple[float, float] | None = None
    """Band in Hz to demodulate; None: the most impulsive one of the row is taken."""


def usable(value: float | None) -> bool:
    """Whether a rate or speed is a positive finite number."""
    return value is not None and math.isfinite(value) and value > 0.0


def lower_corner_hz(rated_speed_hz: float | None, speed_hz: float | None = None) -> float:
    """Lower corner of the velocity band: 2 Hz at or below 600 rpm, else 10 Hz.

    The rated speed decides; without one the speed itself; without either 10 Hz.
    """
    speed = rated_speed_hz if usable(rated_speed_hz) else speed_hz
    if speed is not None and usable(speed) and speed <= SLOW_HZ:
        return LOWER_SLOW_HZ
    return LOWER_HZ


def velocity_samples(rate_hz: float, rated_speed_hz: float | None, speed_hz: float | None = None) -> int:
    """Samples a window needs for a velocity: 1 s and ten periods of the lower corner."""
    seconds = max(LEAST_SECONDS, PERIODS / lower_corner_hz(rated_speed_hz, speed_hz))
    return math.ceil(seconds * rate_hz)
