"""`foreshock features`: which features there are, what each is, a picture of a recording, and features of files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foreshock.cli import extract, plot
from foreshock.cli.options import ConfigOption, JsonOption, settings_from
from foreshock.errors import ConfigurationError

if TYPE_CHECKING:
    from foreshock.features.declared import Declared
    from foreshock.features.inventory import Listing

app = typer.Typer(help="List, explain, draw and extract features.", no_args_is_help=True)
app.command("plot")(plot.run)
app.command("extract")(extract.run)


@app.command("list")
def list_(
    name: Annotated[str | None, typer.Option("--set", help="One set alone: lean, full, signal, scalar.")] = None,
    asset_class: Annotated[
        str | None, typer.Option("--class", help="What points of a class carry: pump, fan, gearbox, ...")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List all features, set by set, with unit and meaning."""
    from foreshock.features.inventory import inventory

    chosen = None if asset_class is None else _of_class(asset_class, config)
    found = [each for each in inventory() if name in (None, each.name)]
    if not found:
        raise ConfigurationError(f"there is no set {name!r}; known: {', '.join(each.name for each in inventory())}")
    for listing in found if chosen is None else [each for each in found if each.name == "signal"]:
        features = [each for each in listing.features if chosen is None or each.name in chosen]
        if as_json:
            for each in features:
                print(json.dumps({"set": listing.id, **_fields(each)}))
        else:
            _table(listing, features)


@app.command()
def explain(
    name: Annotated[str, typer.Argument(help="Its name, as it stands in a score or vector: `crest`, `rms[DE]`.")],
    as_json: JsonOption = False,
) -> None:
    """Say what a feature is, what it is made from, and what makes it worthless. Exit 1 if there is none of that name."""
    from foreshock.features.inventory import find, inventory

    found = find(name)
    if as_json:
        for listing, each in found:
            print(json.dumps({"set": listing.id, **_fields(each)}))
    else:
        print("\n\n".join("\n".join(lines(listing, each)) for listing, each in found))
    if not found:
        from foreshock.alerts.fields import hint

        known = sorted({each.name for listing in inventory() for each in listing.features})
        typer.echo(f"there is no feature {name!r}: {hint(name, known)}", err=True)
        raise typer.Exit(1)


def lines(listing: Listing, each: Declared) -> list[str]:
    """Explain a feature for people."""
    said = {
        "unit": each.unit or "none: it is a ratio or a count",
        "scale": "natural logarithm" if each.scale == "log" else "",
        "made from": ", ".join(each.inputs),
        "made of": listing.made_of,
        "goes to": listing.goes_to,
        "made by": each.function,
        "worthless when": ", ".join(each.voided_by),
        "formula": each.source,
        "version": f"{each.version}, owner {each.owner}",
        "deprecated": each.deprecated,
        "set": listing.id,
    }
    return [f"{each.name}: {each.meaning}", *(f"  {key:<15}{value}" for key, value in said.items() if value)]


def _fields(each: Declared) -> dict[str, Any]:
    return asdict(each)


def _of_class(name: str, config: Path | None) -> frozenset[str]:
    classes = settings_from(config).classes.read()
    if name not in classes:
        raise ConfigurationError(f"there is no class {name!r}; known: {', '.join(classes)}")
    return frozenset(each for point in classes[name].points for each in point.features)


def _table(listing: Listing, features: list[Declared]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("feature", "unit", "meaning", title=f"{listing.id}: of {listing.made_of}", title_justify="left")
    for each in features:
        log = " (logarithm)" if each.scale == "log" else ""
        gone = f" Deprecated: {each.deprecated}" if each.deprecated else ""
        table.add_row(each.name, each.unit, f"{each.meaning}{log}{gone}")
    Console().print(table)
