"""Evaluation zones A to D of vibration velocity, and what calls for a person.

A: as of a new machine. B: fit for long operation. C: not fit for long operation, to be repaired at the next occasion.
D: violent enough to do damage (ISO 20816-1:2016). Two criteria: the level itself, and its change from what is usual
for the machine: more than a quarter of the boundary B/C is worth a look even in a good zone.

Boundaries belong to a part of the standard, a power group and a support. They are stated by the user for a measuring
point, or follow from group and support of the machine where these are stated; nothing is assumed. The figures of
`PART_3` are the well-known ones of ISO 20816-3:2022 (unchanged from ISO 10816-3:2009); the standard itself says where
they hold and where not.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from foreshock.machines import Asset, MeasuringPoint, Zones

PART_3 = "ISO 20816-3"
CHANGE_SHARE = 0.25
"""Of the boundary B/C: a change above it is significant (ISO 20816-1:2016, criterion II)."""

GROUP_1_W = (300e3, 50e6)
"""Large machines: rated power above the first, up to the second."""
GROUP_2_W = (15e3, 300e3)

_MM = 1e-3
_PART_3: Final[dict[tuple[str, str], tuple[float, float, float]]] = {
    ("1", "rigid"): (2.3, 4.5, 7.1),
    ("1", "flexible"): (3.5, 7.1, 11.0),
    ("2", "rigid"): (1.4, 2.8, 4.5),
    ("2", "flexible"): (2.3, 4.5, 7.1),
}
"""Boundaries A/B, B/C, C/D in mm/s by group and support."""

EXEMPT: Final = frozenset({"moulding_machine", "injection_moulding_machine", "injection_moulding", "moulding"})
"""Classes without zones: their vibration is that of strokes and clamps, not of a rotor, and no part covers them."""

VIBRATION: Final = frozenset({"acceleration", "velocity"})
"""Quantities a velocity is made from."""


class Standing(NamedTuple):
    """How a velocity stands to the zones."""

    zone: str
    """`A` to `D`."""
    ratio: float
    """Above 1 it calls for a person: the larger of level over B/C, and change over the share of B/C."""
    limit: float
    """m/s; the level that was passed, or would have to be: a boundary, or the baseline and the share of B/C."""
    severity: str
    """`watch`, `warning`, `critical`; empty where nobody is called."""
    reason: str
    """For a person; empty where nobody is called."""


def _word(text: str) -> str:
    return text.strip().lower().replace(" ", "_").replace("-", "_")


def exempt(asset_class: str) -> bool:
    """Whether machines of a class have no zones."""
    return _word(asset_class) in EXEMPT


def boundaries(part: str, group: str, support: str) -> Zones | None:
    """Give the boundaries of a part of the standard for a power group and a support; None where it has none of them.

    Parameters
    ----------
    part : str
        `PART_3`, the only one whose figures ship; for others the user states them.
    group : str
        `1` (300 kW to 50 MW, or a shaft height of 315 mm and more) or `2` (15 to 300 kW, or 160 to 315 mm).
    support : str
        `rigid` or `flexible`.
    """
    found = _PART_3.get((_word(group).removeprefix("group_"), _word(support))) if part == PART_3 else None
    if found is None:
        return None
    a_b, b_c, c_d = (value * _MM for value in found)
    return Zones(a_b=a_b, b_c=b_c, c_d=c_d, part=part, change_share=CHANGE_SHARE)


def zones_of(asset: Asset, point: MeasuringPoint) -> Zones | None:
    """Give the zones that hold at a measuring point, or None.

    Those that the user states for the point come first; then those of ISO 20816-3 by the stated group and support of
    the machine. None for a class that is exempt, for a quantity other than acceleration and velocity, and where
    nothing is stated: a rated power alone does not say by which standard a machine is to be judged.
    """
    if exempt(asset.asset_class) or point.quantity not in VIBRATION:
        return None
    if point.zones is not None:
        return point.zones
    return boundaries(PART_3, asset.power_group, asset.support)


def zone_of(velocity_rms: float, zones: Zones) -> str:
    """Name the zone of a velocity RMS in m/s; a boundary belongs to the better zone."""
    if velocity_rms <= zones.a_b:
        return "A"
    if velocity_rms <= zones.b_c:
        return "B"
    return "C" if velocity_rms <= zones.c_d else "D"


def worst(names: tuple[str, ...]) -> str:
    """Give the worst of some zones; empty where there is none."""
    return max(names, default="")


def judge(velocity_rms: float, zones: Zones, baseline: float | None = None) -> Standing:
    """Judge a velocity by both criteria.

    Parameters
    ----------
    velocity_rms : float
        m/s, finite.
    zones : Zones
    baseline : float or None
        Usual velocity RMS of the machine at this place and in steady running, m/s; None while it is not known: then
        the level alone counts.

    Returns
    -------
    Standing
        Zone D is critical, C a warning. Inside A and B a change above the share of B/C counts: a rise within zone B is
        a warning, a rise within A or a fall is something to watch. A share of 0 switches the second criterion off.
    """
    zone = zone_of(velocity_rms, zones)
    level = velocity_rms / zones.b_c
    allowed = zones.change_share * zones.b_c
    change = 0.0 if baseline is None or not math.isfinite(baseline) else velocity_rms - baseline
    ratio = max(level, abs(change) / allowed if allowed > 0.0 else 0.0)
    after = f" of {zones.part}" if zones.part else ""
    if zone in "CD":
        limit, words = (zones.c_d, "C/D") if zone == "D" else (zones.b_c, "B/C")
        reason = f"velocity {velocity_rms / _MM:.3g} mm/s is above the boundary {words} {limit / _MM:.3g} mm/s{after}"
        return Standing(zone, ratio, limit, "critical" if zone == "D" else "warning", reason)
    if baseline is None or abs(change) <= allowed or allowed <= 0.0:
        return Standing(zone, min(ratio, 1.0), zones.b_c, "", "")
    rise = change > 0.0
    reason = (
        f"velocity {'rose' if rise else 'fell'} from {baseline / _MM:.3g} to {velocity_rms / _MM:.3g} mm/s, by more than "
        f"{zones.change_share:.0%} of the boundary B/C {zones.b_c / _MM:.3g} mm/s{after}"
    )
    limit = baseline + math.copysign(allowed, change)
    return Standing(zone, ratio, limit, "warning" if rise and zone == "B" else "watch", reason)
