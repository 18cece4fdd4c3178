"""The one place where a class meets an asset: what the asset gives stands before what its class gives.

- A single field (support, power group, rated speed and power, warm-up) comes from the class where the asset has none.
- What turns in the machine (shafts, bearings, gears, impellers) comes from the class where the asset says nothing of it
  at all: the parts refer to each other, so they are never mixed.
- A measuring point gets the bands whose names it does not have, the limits on features that it does not limit, the
  zones of its machine's power group and support and the list of features where it has none.

A record that its class adds something to names the class by name and hash, and so does lineage. All others stay as they
were sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from foreshock.classes.model import AssetClass, PointDefaults
from foreshock.machine_checks import has_geometry
from foreshock.machines import Asset, MeasuringPoint

SINGLE = ("support", "power_group", "rated_speed_hz", "rated_power_w", "warmup_blocks", "warmup_s")
GEOMETRY = ("shafts", "bearings", "gears", "impellers")

Classes = Mapping[str, AssetClass]


def completed(asset: Asset, classes: Classes) -> Asset:
    """Give an asset with what its class adds to it; the asset itself where there is no such class, or it adds nothing."""
    kind = classes.get(asset.asset_class)
    if kind is None:
        return asset
    given: dict[str, Any] = {
        name: getattr(kind, name)
        for name in SINGLE
        if getattr(asset, name) in ("", None) and getattr(kind, name) not in ("", None)
    }
    if not has_geometry(asset):
        given |= {name: getattr(kind, name) for name in GEOMETRY}
    made = replace(asset, class_record="", **given)
    made = replace(made, points=tuple(_point(point, made, kind) for point in asset.points))
    return asset if made == asset else replace(made, class_record=kind.id)


def missing(asset: Asset, classes: Classes) -> tuple[str, ...]:
    """Give the fields that a diagnosis of such a machine rests on, and that neither it nor its class has."""
    kind = classes.get(asset.asset_class)
    full = completed(asset, classes)
    return tuple(name for name in (kind.needs if kind else ()) if not _has(full, name))


def _has(asset: Asset, name: str) -> bool:
    return bool(getattr(asset, name)) or (name == "gears" and bool(asset.gear_teeth))


def _point(point: MeasuringPoint, asset: Asset, kind: AssetClass) -> MeasuringPoint:
    for given in kind.points:
        if point.quantity in given.quantities:
            point = _with(point, asset, given)
    return point


def _with(point: MeasuringPoint, asset: Asset, given: PointDefaults) -> MeasuringPoint:
    named, limited = {band.name for band in point.bands}, {limit.feature for limit in point.limits}
    rows = (
        row.zones
        for row in given.zones
        if row.power_group in ("", asset.power_group) and row.support in ("", asset.support)
    )
    return replace(
        point,
        features=point.features or given.features,
        bands=(*point.bands, *(band for band in given.bands if band.name not in named)),
        limits=(*point.limits, *(limit for limit in given.limits if limit.feature not in limited)),
        zones=point.zones or next(rows, None),
    )
