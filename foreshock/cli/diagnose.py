"""`foreshock diagnose`: which layer is it, and what says so."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, RedisOption, settings_from

if TYPE_CHECKING:
    from foreshock.answers.diagnosis.finding import Diagnosis

PLAIN_WIDTH = 200  # where the output is no terminal
SHOWN = 6  # findings; JSON has all


def run(
    *,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    redis: RedisOption = None,
    prefix: PrefixOption = None,
    group: Annotated[str | None, typer.Option("--group", help="Consumer group of the workers.")] = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics", help="URL of a process' metrics, as often as needed (default: those of the settings)."
        ),
    ] = None,
    look: Annotated[str, typer.Option("--for", help="Time between the two looks.")] = "5s",
    since: Annotated[str, typer.Option(help="How far back scores, quality and dead letters are read.")] = "15m",
    as_json: JsonOption = False,
) -> None:
    """Name the layer that is in trouble (broker, partition, worker, gateway, sensor, feature pipeline, model, machine, sink)
    with its evidence, the likeliest first. Exit 1 if something is wrong.
    """
    from foreshock.answers.diagnosis.diagnose import diagnose
    from foreshock.cli.period import span_s
    from foreshock.streams.errands.vitals import gather

    settings = settings_from(config, bootstrap=bootstrap, redis=redis, prefix=prefix, worker__group=group)
    found = diagnose(gather(settings, urls=metrics or (), span_s=span_s(look), since_s=span_s(since)))
    if as_json:
        print(json.dumps({"layer": found.layer, **dataclasses.asdict(found)}))
    else:
        _show(found)
    if found.findings:
        raise typer.Exit(1)


def _show(found: Diagnosis) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:  # nobody looks at a screen: lines are not cut
        console.width = PLAIN_WIDTH
    if not found.findings:
        console.print("Nothing is wrong, as far as could be seen.")
    for number, each in enumerate(found.findings[:SHOWN]):
        console.print(f"{each.layer.value}: {each.sentence}", style="bold" if not number else "")
        for fact in each.evidence:
            console.print(f"    {fact}", style="dim")
        console.print(f"    -> {each.fix}")
    if len(found.findings) > SHOWN:
        console.print(f"and {len(found.findings) - SHOWN} lesser findings: --json has them")
    for what in found.unseen:
        console.print(f"not seen: {what}", style="dim")
