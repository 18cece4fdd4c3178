"""What turns in a machine and how a point listens to it: the parts of an asset record, checked one by one and together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from foreshock.contract import Asset, Band, Bearing, Gear, Impeller, Reason, Shaft, Tachometer, Zones
from foreshock.errors import InputRejected
from foreshock.streams.codec import checks
from foreshock.streams.codec.checks import reject

MOST = 64
"""Of one kind in one machine."""
SAME_MESH = 1e-3
"""Two gears that mesh have one mesh frequency; ratios are written with few digits."""
_BAND = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_T = TypeVar("_T")


def each(field: str, found: Sequence[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], _T]) -> tuple[_T, ...]:
    """Check the records of a list; a refusal names the place."""
    return tuple(inside(f"{field}[{number}]", make, one) for number, one in enumerate(found))


def inside(place: str, make: Callable[[Mapping[str, Any]], _T], found: Mapping[str, Any]) -> _T:
    """Check a record within another."""
    try:
        return make(found)
    except InputRejected as exc:
        exc.field = f"{place}.{exc.field}"
        raise


def optional(field: str, found: Mapping[str, Any] | None, make: Callable[[Mapping[str, Any]], _T]) -> _T | None:
    """Check a record that may be null."""
    return None if found is None else inside(field, make, found)


def bearing(found: Mapping[str, Any]) -> Bearing:
    """Check a rolling bearing."""
    ball = checks.check_positive("ball_diameter_m", found["ball_diameter_m"])
    pitch = checks.check_positive("pitch_diameter_m", found["pitch_diameter_m"])
    angle = checks.check_finite("contact_angle_rad", found["contact_angle_rad"])
    if ball is None or pitch is None or angle is None or ball >= pitch:
        sentence = f"a rolling element of {ball} m does not fit on a circle of {pitch} m"
        reject(Reason.MALFORMED, "ball_diameter_m", sentence, "send both diameters in metres")
    return Bearing(
        name=found["name"],
        balls=_count("balls", found["balls"], "send the number of rolling elements"),
        ball_diameter_m=ball,
        pitch_diameter_m=pitch,
        contact_angle_rad=angle,
        shaft=found["shaft"],
    )


def shaft(found: Mapping[str, Any]) -> Shaft:
    """Check a shaft."""
    ratio = _positive("ratio", found["ratio"])
    return Shaft(name=checks.check_id("name", found["name"]), ratio=ratio)


def gear(found: Mapping[str, Any]) -> Gear:
    """Check a toothed wheel."""
    teeth = _count("teeth", found["teeth"], "send the number of teeth")
    return Gear(name=checks.check_id("name", found["name"]), teeth=teeth, shaft=found["shaft"], mate=found["mate"])


def impeller(found: Mapping[str, Any]) -> Impeller:
    """Check a row of blades."""
    blades = _count("blades", found["blades"], "send the number of blades, vanes or lobes")
    return Impeller(name=checks.check_id("name", found["name"]), blades=blades, shaft=found["shaft"])


def band(found: Mapping[str, Any]) -> Band:
    """Check a named frequency band."""
    name, low, high = found["name"], found["low"], found["high"]
    if not _BAND.fullmatch(name):
        fix = "send lower case letters, digits and underscores, at most 40"
        reject(Reason.MALFORMED, "name", f"{name!r} cannot be part of a feature's name", fix)
    if not 0 <= low < high < checks.FASTEST_HZ:
        reject(Reason.MALFORMED, "low", f"the band goes from {low:g} to {high:g}", "send 0 <= low < high")
    return Band(name=name, low=low, high=high, orders=found["orders"])


def zones(found: Mapping[str, Any]) -> Zones:
    """Check the boundaries of the evaluation zones."""
    a_b, b_c, c_d = found["a_b"], found["b_c"], found["c_d"]
    if not 0 < a_b < b_c < c_d < float("inf"):
        sentence = f"the zones end at {a_b:g}, {b_c:g} and {c_d:g} m/s"
        reject(Reason.MALFORMED, "a_b", sentence, "send 0 < a_b < b_c < c_d, in m/s: 4.5 mm/s is 0.0045")
    share = _positive("change_share", found["change_share"])
    return Zones(a_b=a_b, b_c=b_c, c_d=c_d, part=checks.check_label("part", found["part"]), change_share=share)


def tachometer(found: Mapping[str, Any]) -> Tachometer:
    """Check a tachometer channel."""
    pulses = _count("pulses_per_revolution", found["pulses_per_revolution"], "send the pulses in one turn")
    channel = checks.check_id("channel", found["channel"])
    return Tachometer(channel=channel, pulses_per_revolution=pulses, shaft=found["shaft"])


def check(asset: Asset) -> Asset:
    """Check what the parts of a machine say of each other.

    Raises
    ------
    InputRejected
        A part sits on a shaft that is not there, a name is given twice, gears that mesh do not fit each other, or a
        point hears what the machine does not have.
    """
    _named_once("shafts", asset.shafts)
    _named_once("gears", asset.gears)
    _named_once("impellers", asset.impellers)
    shafts = {"", *(one.name for one in asset.shafts)}
    for kind, parts in (("bearings", asset.bearings), ("gears", asset.gears), ("impellers", asset.impellers)):
        for number, part in enumerate(parts):
            _known(f"{kind}[{number}].shaft", part.shaft, shafts, "shaft")
    _check_meshes(asset)
    parts = {one.name for one in (*asset.bearings, *asset.gears, *asset.impellers)}
    for number, point in enumerate(asset.points):
        _named_once(f"points[{number}].bands", point.bands)
        for place, name in enumerate(point.hears):
            _known(f"points[{number}].hears[{place}]", name, parts, "bearing, gear or impeller")
        if point.tachometer is not None:
            _known(f"points[{number}].tachometer.shaft", point.tachometer.shaft, shafts, "shaft")
    return asset


def _check_meshes(asset: Asset) -> None:
    gears = {one.name: one for one in asset.gears}
    for number, one in enumerate(asset.gears):
        if not one.mate:
            continue
        _known(f"gears[{number}].mate", one.mate, gears, "gear")
        other = gears[one.mate]
        ours, theirs = (it.teeth * asset.shaft_ratio(it.shaft) for it in (one, other))
        if abs(ours - theirs) > SAME_MESH * max(ours, theirs):
            sentence = f"{one.name} meshes at {ours:g} and {other.name} at {theirs:g} times the reference speed"
            fix = f"their shafts turn as their teeth: {one.teeth} to {other.teeth}; mend ratio or teeth"
            reject(Reason.MALFORMED, f"gears[{number}].mate", sentence, fix)


def _named_once(field: str, parts: Sequence[Shaft | Gear | Impeller | Band]) -> None:
    if len(parts) > MOST:
        reject(Reason.MALFORMED, field, f"{len(parts)} {field}, at most {MOST} are allowed", "send fewer")
    seen: set[str] = set()
    for number, one in enumerate(parts):
        if one.name in seen:
            reject(
                Reason.MALFORMED, f"{field}[{number}].name", f"{one.name!r} is there twice", "give each its own name"
            )
        seen.add(one.name)


def _known(field: str, name: str, known: Iterable[str], what: str) -> None:
    if name not in known:
        names = ", ".join(repr(one) for one in known if one)
        reject(Reason.MALFORMED, field, f"there is no {what} {name!r}", f"known: {names}" if names else "there is none")


def _count(field: str, value: int, fix: str) -> int:
    if value < 1:
        reject(Reason.MALFORMED, field, f"{field} is {value}", fix)
    return value


def _positive(field: str, value: float) -> float:
    if not 0 < value < float("inf"):
        reject(Reason.MALFORMED, field, f"{field} is {value:g}, it must be above 0", "send a positive number")
    return value
