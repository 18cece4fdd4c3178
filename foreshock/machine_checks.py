"""Which parts of a machine cannot be, or do not fit each other; by this master data and classes are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from foreshock.machines import Asset, Band, Bearing, Gear, Impeller, MeasuringPoint, Shaft, Zones

MOST = 64
"""Parts of one kind in one machine."""
SAME_MESH = 1e-3
"""Two gears that mesh have one mesh frequency; ratios are written with few digits."""
LONGEST = 255
HIGHEST_HZ = 1e12
BAND_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")


class Misfit(NamedTuple):
    """One thing that is wrong with a machine."""

    place: str  # "gears[0].mate"
    sentence: str
    fix: str


Part = Shaft | Bearing | Gear | Impeller | Band


def misfits(asset: Asset) -> Iterator[Misfit]:
    """Give all that is wrong with the parts of a machine, one by one and together."""
    shafts = {"", *(each.name for each in asset.shafts)}
    kinds: tuple[tuple[str, Sequence[Part]], ...] = (
        ("shafts", asset.shafts),
        ("bearings", asset.bearings),
        ("gears", asset.gears),
        ("impellers", asset.impellers),
    )
    for kind, parts in kinds:
        yield from _named_once(kind, parts)
        for number, part in enumerate(parts):
            yield from _part(f"{kind}[{number}]", part)
            if isinstance(part, Bearing | Gear | Impeller):
                yield from _known(f"{kind}[{number}].shaft", part.shaft, shafts, "shaft")
    yield from _meshes(asset)
    heard = {each.name for kind in (asset.bearings, asset.gears, asset.impellers) for each in kind}
    of_class = bool(asset.asset_class) and not has_geometry(asset)  # then the class may have what the points speak of
    for number, point in enumerate(asset.points):
        yield from _point(f"points[{number}]", point)
        if of_class:
            continue
        for position, name in enumerate(point.hears):
            yield from _known(f"points[{number}].hears[{position}]", name, heard, "bearing, gear or impeller")
        if point.tachometer is not None:
            yield from _known(f"points[{number}].tachometer.shaft", point.tachometer.shaft, shafts, "shaft")


def has_geometry(asset: Asset) -> bool:
    """Whether it says itself what turns in the machine."""
    return bool(asset.shafts or asset.bearings or asset.gears or asset.impellers)


def _part(place: str, part: Part) -> Iterator[Misfit]:
    if isinstance(part, Shaft) and not 0 < part.ratio < math.inf:
        yield Misfit(f"{place}.ratio", f"ratio is {part.ratio:g}, it must be above 0", "give a positive number")
    elif isinstance(part, Gear) and part.teeth < 1:
        yield Misfit(f"{place}.teeth", f"teeth is {part.teeth}", "give the number of teeth")
    elif isinstance(part, Impeller) and part.blades < 1:
        yield Misfit(f"{place}.blades", f"blades is {part.blades}", "give the number of blades, vanes or lobes")
    elif isinstance(part, Bearing):
        yield from _bearing(place, part)


def _bearing(place: str, part: Bearing) -> Iterator[Misfit]:
    if part.balls < 1:
        yield Misfit(f"{place}.balls", f"balls is {part.balls}", "give the number of rolling elements")
    if not 0 < part.ball_diameter_m < part.pitch_diameter_m < math.inf:
        sentence = (
            f"a rolling element of {part.ball_diameter_m} m does not fit on a circle of {part.pitch_diameter_m} m"
        )
        yield Misfit(f"{place}.ball_diameter_m", sentence, "give both diameters in metres")
    if not abs(part.contact_angle_rad) < math.pi / 2:
        sentence = f"the contact angle is {part.contact_angle_rad:g} rad"
        yield Misfit(f"{place}.contact_angle_rad", sentence, "give it in radians: 15 degrees are 0.262")


def _point(place: str, point: MeasuringPoint) -> Iterator[Misfit]:
    yield from _named_once(f"{place}.bands", point.bands)
    for number, band in enumerate(point.bands):
        yield from _band(f"{place}.bands[{number}]", band)
    if point.zones is not None:
        yield from _zones(f"{place}.zones", point.zones)
    tachometer = point.tachometer
    if tachometer is not None:
        yield from _name(f"{place}.tachometer.channel", tachometer.channel)
        if tachometer.pulses_per_revolution < 1:
            sentence = f"pulses_per_revolution is {tachometer.pulses_per_revolution}"
            yield Misfit(f"{place}.tachometer.pulses_per_revolution", sentence, "give the pulses in one turn")
    for number, name in enumerate(point.features):
        yield from _name(f"{place}.features[{number}]", name)


def _band(place: str, band: Band) -> Iterator[Misfit]:
    if not BAND_NAME.fullmatch(band.name):
        fix = "give lower case letters, digits and underscores, at most 40"
        yield Misfit(f"{place}.name", f"{band.name!r} cannot be part of a feature's name", fix)
    if not 0 <= band.low < band.high < HIGHEST_HZ:
        yield Misfit(f"{place}.low", f"the band goes from {band.low:g} to {band.high:g}", "give 0 <= low < high")


def _zones(place: str, zones: Zones) -> Iterator[Misfit]:
    if not 0 < zones.a_b < zones.b_c < zones.c_d < math.inf:
        sentence = f"the zones end at {zones.a_b:g}, {zones.b_c:g} and {zones.c_d:g} m/s"
        yield Misfit(f"{place}.a_b", sentence, "give 0 < a_b < b_c < c_d, in m/s: 4.5 mm/s is 0.0045")
    if not 0 <= zones.change_share < math.inf:
        sentence = f"change_share is {zones.change_share:g}, it must not be below 0"
        yield Misfit(f"{place}.change_share", sentence, "give a positive number")


def _meshes(asset: Asset) -> Iterator[Misfit]:
    gears = {each.name: each for each in asset.gears}
    for number, one in enumerate(asset.gears):
        other = gears.get(one.mate)
        if one.mate and other is None:
            yield from _known(f"gears[{number}].mate", one.mate, gears, "gear")
        elif other is not None:
            ours, theirs = (each.teeth * asset.shaft_ratio(each.shaft) for each in (one, other))
            if abs(ours - theirs) > SAME_MESH * max(ours, theirs):
                sentence = f"{one.name} meshes at {ours:g} and {other.name} at {theirs:g} times the reference speed"
                fix = f"their shafts turn as their teeth: {one.teeth} to {other.teeth}; mend ratio or teeth"
                yield Misfit(f"gears[{number}].mate", sentence, fix)


def _named_once(field: str, parts: Sequence[Part]) -> Iterator[Misfit]:
    if len(parts) > MOST:
        yield Misfit(field, f"{len(parts)} {field}, at most {MOST} are allowed", "give fewer")
    seen: set[str] = set()
    for number, one in enumerate(parts):
        if not isinstance(one, Bearing | Band):  # a bearing of the first release may have any name
            yield from _name(f"{field}[{number}].name", one.name)
        if one.name in seen and not isinstance(one, Bearing):
            yield Misfit(f"{field}[{number}].name", f"{one.name!r} is there twice", "give each its own name")
        seen.add(one.name)


def _name(place: str, name: str) -> Iterator[Misfit]:
    if not name.strip() or len(name) > LONGEST or not name.isprintable():
        yield Misfit(place, f"{name[:40]!r} is no name", f"give 1 to {LONGEST} printable characters")


def _known(field: str, name: str, known: Iterable[str], what: str) -> Iterator[Misfit]:
    if name not in known:
        names = ", ".join(repr(each) for each in sorted(known) if each)
        yield Misfit(field, f"there is no {what} {name!r}", f"known: {names}" if names else "there is none")
