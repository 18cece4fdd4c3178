"""Fault frequencies from geometry, in orders: multiples of the speed of the reference shaft.

Bearings: Randall and Antoni 2011, "Rolling element bearing diagnostics - a tutorial", Mechanical Systems and Signal
Processing 25, 485-520, eq. 1-4. Gears: Randall 1982, "A new method of modeling gear faults", Journal of Mechanical
Design 104, 259-267: a damaged tooth meshes once a turn of its shaft.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from foreshock.machines import Asset, Bearing

OUTER, INNER, ROLLING, GEAR = "outer_race", "inner_race", "rolling_element", "gear"
"""Names of faults, as a diagnosis says them."""


class Orders(NamedTuple):
    """Fault frequencies of a bearing in orders of the shaft that turns its inner race, without slip."""

    ftf: float
    """Cage."""
    bpfo: float
    bpfi: float
    bsf: float
    """A rolling element about itself; a damaged one strikes a race twice as often."""


def orders(bearing: Bearing) -> Orders:
    """Give the fault orders of a bearing whose outer race stands still.

    With n balls of diameter d on the pitch diameter D, contact angle a, and r = d/D cos a: FTF = (1 - r)/2,
    BPFO = n (1 - r)/2, BPFI = n (1 + r)/2, BSF = D/(2 d) (1 - r^2).
    """
    ratio = bearing.ball_diameter_m / bearing.pitch_diameter_m
    r = ratio * math.cos(bearing.contact_angle_rad)
    cage = (1.0 - r) / 2.0
    return Orders(cage, bearing.balls * cage, bearing.balls * (1.0 + r) / 2.0, (1.0 - r * r) / (2.0 * ratio))


class Family(NamedTuple):
    """Lines that a fault of one part puts into the spectrum of an envelope."""

    fault: str
    component: str
    name: str
    """Of the fundamental: "BPFO", "BPFI", "2xBSF"; "gear shaft" for a damaged tooth."""
    order: float
    """Of the fundamental, in orders of the reference shaft."""
    side: float
    """Distance of the sidebands: the shaft that carries an inner race, the cage that carries a ball; 0 for none."""
    shaft: float
    """Speed of the shaft of the part over that of the reference shaft."""
    teeth: int = 0

    @property
    def key(self) -> str:
        """Name of the family among those of an asset."""
        return f"{self.component}/{self.name}"


def families(asset: Asset, hears: tuple[str, ...] = ()) -> tuple[Family, ...]:
    """Give the families of the bearings and gears of an asset.

    Parameters
    ----------
    asset : Asset
    hears : tuple of str
        Names of the parts that a measuring point can hear; empty: all.
    """
    found: list[Family] = []
    for bearing in asset.bearings:
        if not hears or bearing.name in hears:
            turns = asset.shaft_ratio(bearing.shaft)
            at = Orders(*(turns * each for each in orders(bearing)))
            if min(at) <= 0.0:
                continue  # balls as large as the bearing
            found.append(Family(OUTER, bearing.name, "BPFO", at.bpfo, 0.0, turns))
            found.append(Family(INNER, bearing.name, "BPFI", at.bpfi, turns, turns))
            found.append(Family(ROLLING, bearing.name, "2xBSF", 2.0 * at.bsf, at.ftf, turns))
    for name, teeth, turns in _gears(asset):
        if not hears or name in hears:
            found.append(Family(GEAR, name, "gear shaft", turns, 0.0, turns, teeth))
    return tuple(found)


def _gears(asset: Asset) -> list[tuple[str, int, float]]:
    """Name, teeth and speed of each gear. Of `gear_teeth`, the first is on the reference shaft and drives the second."""
    if asset.gears:
        return [(each.name, each.teeth, asset.shaft_ratio(each.shaft)) for each in asset.gears]
    turns, found = 1.0, []
    for i, teeth in enumerate(asset.gear_teeth):
        if i % 2:
            turns *= asset.gear_teeth[i - 1] / teeth
        found.append((f"gear of {teeth} teeth", teeth, turns))
    return found
