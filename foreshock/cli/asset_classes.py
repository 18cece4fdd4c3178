"""`foreshock assets classes`, `check` and `show`: what classes there are, whether files are sound, what a machine has of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from foreshock.classes.completing import GEOMETRY, SINGLE, completed, missing
from foreshock.classes.model import AssetClass
from foreshock.classes.sources import shipped
from foreshock.cli.asset_files import checked, entries
from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.contract import Asset, Band, Limit, MeasuringPoint, Zones
from foreshock.errors import ConfigurationError
from foreshock.records import to_tree


def classes(
    name: Annotated[str, typer.Argument(help="One class, in full.")] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the classes of machines that hold: those that ship, and those of the settings."""
    found = settings_from(config).classes.read()
    if name and name not in found:
        raise ConfigurationError(f"there is no class {name!r}; known: {', '.join(found)}")
    chosen = [found[name]] if name else list(found.values())
    if as_json:
        for each in chosen:
            print(json.dumps({"id": each.id, "ships": shipped().get(each.name) == each, **to_tree(each)}))
    elif name:
        print("\n".join(_class_lines(found[name])))
    else:
        _table(chosen)


def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Files of assets: .toml or .json.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check files of assets and all classes, without a broker; say what each class adds and what a diagnosis lacks.

    Exit 2 with every problem, each with its file and line.
    """
    found, read = _both(files or [], config)
    for asset in read:
        full = completed(asset, found)
        lacks, unknown = missing(asset, found), _unknown(full)
        if as_json:
            told = {"asset": asset.asset, "class": full.class_record, "missing": lacks, "unknown_features": unknown}
            print(json.dumps({**told, "unknown_class": _classless(asset, found)}))
            continue
        of = f", {full.class_record}" if full.class_record else ""
        print(f"{asset.asset}: sound{of}")
        if _classless(asset, found):
            print(f"  there is no class {asset.asset_class!r}: nothing is added; known: {', '.join(found)}")
        if lacks:
            print(f"  a diagnosis would need: {', '.join(lacks)}")
        for name in unknown:
            print(f"  no feature is called {name!r}: foreshock features list")
    if not as_json:
        print(f"{len(read)} assets and {len(found)} classes are sound")


def show(
    asset: Annotated[str, typer.Argument(help="The asset's id.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="A file of assets, instead of what is registered.")
    ] = None,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the master data that a machine is judged by, completed by its class. Exit 1 if nobody registered it."""
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    found = settings.classes.read()
    if file is not None:
        known = [completed(each, found) for each in checked(file.name, entries(file))]
    else:
        from foreshock.streams.errands.registered import registered_assets

        known = registered_assets(settings)
    full = next((each for each in known if each.asset == asset), None)
    if full is None:
        typer.echo(f"{asset} is not registered: foreshock assets register", err=True)
        raise typer.Exit(1)
    if as_json:
        print(json.dumps({**to_tree(full), "missing": missing(full, found)}))
        return
    print("\n".join(_asset_lines(full, missing(full, found))))


def _both(files: list[Path], config: Path | None) -> tuple[Mapping[str, AssetClass], list[Asset]]:
    """Read classes and assets, and tell what is wrong in both at once."""
    problems: list[str] = []
    found: Mapping[str, AssetClass] = {}
    read: list[Asset] = []
    try:
        found = settings_from(config).classes.read()
    except ConfigurationError as exc:
        problems.append(str(exc))
    for file in files:
        try:
            read += checked(file.name, entries(file))
        except ConfigurationError as exc:
            problems.append(str(exc))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return found, read


def _classless(asset: Asset, found: Mapping[str, AssetClass]) -> bool:
    return bool(asset.asset_class) and asset.asset_class not in found


def _unknown(asset: Asset) -> list[str]:
    """Give the features that a point is to carry, and that neither a window nor telemetry has; its bands come anyway."""
    from foreshock.features.scalar.declared import SCALAR
    from foreshock.features.signal import SIGNAL

    known = {*SIGNAL.index, *SCALAR.index}
    listed = [
        name
        for point in asset.points
        for name in point.features
        if name not in known and name not in {f"rms_{band.name}" for band in point.bands}
    ]
    return list(dict.fromkeys(listed))


def _table(chosen: list[AssetClass]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("class", "from", "what it is", "a diagnosis needs")
    for each in chosen:
        origin = "ships" if shipped().get(each.name) == each else "settings"
        table.add_row(each.name, origin, each.meaning, ", ".join(each.needs))
    Console().print(table)


def _class_lines(kind: AssetClass) -> Iterator[str]:
    yield f"{kind.id}: {kind.meaning}".removesuffix(": ")
    yield from _stated(kind)
    if kind.needs:
        yield f"  a diagnosis needs: {', '.join(kind.needs)}"
    for point in kind.points:
        yield f"  points of {', '.join(point.quantities)}"
        yield from _point_lines(point.features, point.bands, point.limits)
        for row in point.zones:
            where = " ".join(filter(None, (f"group {row.power_group}" if row.power_group else "", row.support)))
            yield f"    {_zones(row.zones)}{f' ({where})' if where else ''}"


def _asset_lines(asset: Asset, lacks: tuple[str, ...]) -> Iterator[str]:
    yield f"{asset.asset}{f', {asset.asset_class}' if asset.asset_class else ''}"
    yield (
        f"  completed by {asset.class_record}" if asset.class_record else "  as it was registered: no class adds to it"
    )
    yield from _stated(asset)
    for point in asset.points:
        yield f"  point {point.point}: {point.quantity} in {point.unit}"
        yield from _point_lines(point.features, point.bands, point.limits)
        yield from _further(asset, point)
    if lacks:
        yield f"  a diagnosis would need: {', '.join(lacks)}"


def _stated(record: AssetClass | Asset) -> Iterator[str]:
    for name in SINGLE:
        value = getattr(record, name)
        if value not in ("", None):
            yield f"  {name} {value}"
    for name in GEOMETRY:
        for part in getattr(record, name):
            yield f"  {name.removesuffix('s')} {_part(part)}"


def _part(part: Any) -> str:
    told = [(each.name, getattr(part, each.name)) for each in fields(part) if each.name != "name"]
    return ", ".join([part.name, *(f"{name} {value}" for name, value in told if value != "")])


def _point_lines(features: tuple[str, ...], bands: tuple[Band, ...], limits: tuple[Limit, ...]) -> Iterator[str]:
    if features:
        yield f"    features: {', '.join(features)}"
    for band in bands:
        yield f"    band {band.name}: {band.low:g} to {band.high:g} {'x the speed' if band.orders else 'Hz'}"
    for limit in limits:
        sides = [("above", limit.above), ("below", limit.below)]
        said = " or ".join(f"{word} {value:g}" for word, value in sides if value is not None)
        yield f"    limit: {limit.feature} {said} (SI) is {limit.severity}"


def _further(asset: Asset, point: MeasuringPoint) -> Iterator[str]:
    from foreshock.features.zones import zones_of

    zones = zones_of(asset, point)  # its own, or those of its power group and support
    if zones is not None:
        yield f"    {_zones(zones)}"
    if point.tachometer is not None:
        yield f"    tachometer on {_part_of(point)}"
    if point.hears:
        yield f"    hears {', '.join(point.hears)}"


def _part_of(point: MeasuringPoint) -> str:
    given = point.tachometer
    return f"{given.channel}, {given.pulses_per_revolution} pulses a turn" if given else ""


def _zones(zones: Zones) -> str:
    ends = "/".join(f"{1e3 * each:g}" for each in (zones.a_b, zones.b_c, zones.c_d))
    return f"zones A/B/C/D end at {ends} mm/s RMS{f', {zones.part}' if zones.part else ''}"
