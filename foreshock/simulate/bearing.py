"""Rolling bearings: how often a defect is struck, how hard, and how irregularly.

Sources: fault frequencies and the slip of 1-2 % from Randall and Antoni 2011, "Rolling element bearing diagnostics - a
tutorial", Mechanical Systems and Signal Processing 25, 485-520; load distribution (Stribeck) and its modulation of the
impulses from McFadden and Smith 1984, "Model for the vibration produced by a single point defect in a rolling element
bearing", Journal of Sound and Vibration 96, 69-82.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from foreshock.contract import Bearing

F64 = npt.NDArray[np.float64]

LOAD_ZONE = 0.45
"""Load distribution factor epsilon: below 0.5 for a bearing with clearance, the load zone then spans less than 180 deg."""
DEFLECTION = 1.5
"""Load-deflection exponent of ball bearings (10/9 for rollers)."""
SCATTER = 0.1
"""Relative scatter from one impulse to the next."""


class Element(StrEnum):
    """The part that is damaged."""

    OUTER_RACE = "outer_race"
    INNER_RACE = "inner_race"
    BALL = "ball"


@dataclass(frozen=True, slots=True)
class Orders:
    """Fault frequencies in orders of the shaft speed (Hz per Hz)."""

    cage: float
    outer_race: float
    inner_race: float
    ball_spin: float


def orders(bearing: Bearing) -> Orders:
    """Fault orders from geometry, inner race turning, no slip.

    With n balls of diameter d on the pitch diameter D and the contact angle a: FTF = (1 - r)/2, BPFO = n (1 - r)/2,
    BPFI = n (1 + r)/2, BSF = D/(2d) (1 - r^2), where r = d/D cos a (Randall and Antoni 2011, eq. 1-4).
    """
    ratio = bearing.ball_diameter_m / bearing.pitch_diameter_m
    r = ratio * math.cos(bearing.contact_angle_rad)
    return Orders(
        cage=(1.0 - r) / 2.0,
        outer_race=bearing.balls * (1.0 - r) / 2.0,
        inner_race=bearing.balls * (1.0 + r) / 2.0,
        ball_spin=(1.0 - r * r) / (2.0 * ratio),
    )


def impact_order(bearing: Bearing, element: Element) -> float:
    """Impacts per shaft turn. A damaged ball strikes each race once per own turn, so twice in all."""
    found = orders(bearing)
    return {
        Element.OUTER_RACE: found.outer_race,
        Element.INNER_RACE: found.inner_race,
        Element.BALL: 2.0 * found.ball_spin,
    }[element]


def load(angle_turns: F64) -> F64:
    """Load on a rolling element at an angle from the load line: (1 - (1 - cos a)/(2 e))^n, 0 outside the load zone.

    Parameters
    ----------
    angle_turns : float64 [k]
        Angle in turns.
    """
    inside = 1.0 - (1.0 - np.cos(2.0 * np.pi * angle_turns)) / (2.0 * LOAD_ZONE)
    return np.asarray(np.maximum(inside, 0.0) ** DEFLECTION)


MEAN_SQUARE_LOAD = float(np.square(load(np.arange(4096) / 4096.0)).mean())
"""Mean of the squared load over a turn: what a defect that travels through the load zone keeps of its power."""


@dataclass(frozen=True, slots=True)
class Impulses:
    """Impulses of one block."""

    turns: F64
    """Shaft turns since the start of the block at which they occur [k]."""
    size: F64
    """Sizes, root mean square 1 over many turns [k]."""


def impulses(bearing: Bearing, element: Element, turns: float, slip: float, rng: np.random.Generator) -> Impulses:
    """Impulses of a localised defect during some shaft turns.

    The angle between impulses scatters by `slip` and adds up (Randall and Antoni 2011, section 3.2: the slip of the
    cage makes a pseudo-cyclostationary train, not a jitter about a perfect clock). The outer race stands still in the
    load zone; a defect of the inner race passes through it with the shaft, one of a ball with the cage.

    Parameters
    ----------
    bearing : Bearing
    element : Element
    turns : float
        Length of the block in shaft turns.
    slip : float
        Standard deviation of the angle between impulses, relative to its mean: 0.01 to 0.02.
    rng : numpy.random.Generator
    """
    rate = impact_order(bearing, element)
    count = int(turns * rate * 1.2) + 8
    steps = 1.0 + slip * rng.standard_normal(count)
    at = (rng.random() - 1.0 + np.cumsum(steps)) / rate
    size = 1.0 + SCATTER * rng.standard_normal(count)
    if element is not Element.OUTER_RACE:
        pace = 1.0 if element is Element.INNER_RACE else orders(bearing).cage
        size = size * load(at * pace + rng.random()) / math.sqrt(MEAN_SQUARE_LOAD)
    inside = (at >= 0.0) & (at < turns)
    return Impulses(at[inside], size[inside])
