"""`foreshock why ASSET`: why there is, or is not, a score or an alert."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, RedisOption, settings_from

if TYPE_CHECKING:
    from foreshock.answers.facts import Answer

GroupOption = Annotated[str | None, typer.Option("--group", help="Consumer group of the workers.")]
PLAIN_WIDTH = 200  # where the output is no terminal


def run(
    asset: Annotated[str, typer.Argument(help="The asset's id: the key of its records.")],
    *,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
    group: GroupOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say in one sentence why an asset has a score or an alert, or why not; then the facts. Exit 1 if nobody knows it."""
    from foreshock.answers.answer import answer
    from foreshock.streams.errands.inquiry import inquire

    settings = settings_from(config, bootstrap=bootstrap, redis=redis, prefix=prefix, worker__group=group)
    facts = inquire(settings, asset)
    found = answer(facts)
    if as_json:
        print(json.dumps({"asset": asset, **dataclasses.asdict(found)}))
    else:
        _show(found, facts.now_ns)
    if not found.known:
        raise typer.Exit(1)


def _show(found: Answer, now_ns: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from foreshock.answers.facts import ago

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:  # nobody looks at a screen: lines are not cut
        console.width = PLAIN_WIDTH
    console.print(found.sentence)
    if found.fix:
        console.print(f"  -> {found.fix}")
    console.print()
    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("", "", "dim", "dim"):
        table.add_column(style=style)
    for line in found.lines:
        age = "now" if line.at_ns is None else f"{ago(now_ns - line.at_ns)} ago"
        table.add_row(line.what, line.value, line.source, age)
    console.print(table)
