"""`foreshock assets`: register machines on assets.v1, list what is registered, and see what their classes add."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from foreshock.cli import asset_classes
from foreshock.cli.asset_files import Entry, checked, read_assets
from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError

app = typer.Typer(help="Register machines, check them, and see what is registered.", no_args_is_help=True)

for _command in (asset_classes.classes, asset_classes.check, asset_classes.show):
    app.command()(_command)


@app.command()
def register(
    file: Annotated[
        Path | None, typer.Argument(help="A .toml or .json file: one asset, or a list named `assets`.")
    ] = None,
    asset: Annotated[str | None, typer.Option(help="Asset id, for one asset without a file.")] = None,
    asset_class: Annotated[str, typer.Option("--class", help="What it is: pump, fan, gearbox, ...")] = "",
    path: Annotated[str, typer.Option(help="Where it stands: enterprise/site/area/line/cell.")] = "",
    criticality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    owner: Annotated[str, typer.Option(help="Who looks after it.")] = "",
    rated_speed: Annotated[float | None, typer.Option(help="Rated speed in Hz.")] = None,
    warmup_blocks: Annotated[int | None, typer.Option(help="Blocks before it is scored.")] = None,
    warmup_s: Annotated[float | None, typer.Option(help="Seconds before it is scored, gaps not counted.")] = None,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register machines, by file or by options. A later record of an asset takes the place of the one before."""
    from foreshock.streams.errands.sender import Sender
    from foreshock.streams.topics import ensure

    if (file is None) == (asset is None):
        raise ConfigurationError("give either a FILE or --asset")
    given: dict[str, Any] = {
        "asset": asset,
        "path": [part for part in path.split("/") if part],
        "asset_class": asset_class,
        "criticality": criticality,
        "owner": owner,
        "rated_speed_hz": rated_speed,
        "warmup_blocks": warmup_blocks,
        "warmup_s": warmup_s,
    }
    assets = checked("--asset", [Entry("--asset", given)]) if file is None else read_assets(file)
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    ensure(settings)
    with Sender(settings) as sender:
        for each in assets:
            sender.send(each)
    for each in assets:
        print(json.dumps(asdict(each)) if as_json else f"registered {each.asset}")


@app.command("list")
def list_(
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the registered machines."""
    from foreshock.streams.errands.registered import registered_assets

    found = registered_assets(settings_from(config, bootstrap=bootstrap, prefix=prefix))
    if as_json:
        for each in found:
            print(json.dumps(asdict(each)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("asset", "class", "where", "criticality", "owner", "measuring points")
    for each in found:
        points = ", ".join(point.point for point in each.points)
        table.add_row(each.asset, each.asset_class, "/".join(each.path), each.criticality, each.owner, points)
    Console().print(table)
