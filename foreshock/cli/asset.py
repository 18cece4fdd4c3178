"""`foreshock asset`: is it drifting, how fast, which failure mode, what to do; with its history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.cli.period import span_s

if TYPE_CHECKING:
    from foreshock.answers.dossier import Dossier

SHOWN = 15  # lines of history


def run(
    asset: Annotated[str, typer.Argument(help="The asset's id: the key of its records.")],
    *,
    over: Annotated[str, typer.Option(help="How far back its scores are looked at.")] = "7d",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say where an asset is heading, what is wrong with it and what to do. Exit 1 if nothing is known of it."""
    from foreshock.answers.dossier import dossier
    from foreshock.records import to_tree
    from foreshock.streams.errands.dossiers import gather

    seconds = span_s(over)
    found = dossier(gather(settings_from(config, bootstrap=bootstrap, prefix=prefix), asset, seconds))
    known = bool(found.headings or found.history)
    if as_json:
        print(json.dumps({"known": known, **to_tree(found)}))
    else:
        for line in lines(found, known=known, over=over):
            print(line)
    if not known:
        raise typer.Exit(1)


def lines(found: Dossier, *, known: bool, over: str) -> list[str]:
    """Write the answer for people."""
    from foreshock.answers.facts import clock

    if not known:
        return [
            f"Nothing is known of {found.asset}: no score in {over}, no alert, no work order.",
            f"  -> foreshock why {found.asset}",
        ]
    text = ["Is it drifting, and how fast?"]
    since = f" since the {found.repaired}: it learns anew what is normal" if found.repaired else f" in {over}"
    text += [f"  {each.sentence}" for each in found.headings] or [f"  It has no score{since}."]
    text += ["", "Which failure mode?", f"  {found.failure_mode}", "", "What to do?"]
    text += [f"  {each}" for each in found.todo]
    if found.history:
        text += ["", "Before:"]
        text += [f"  {clock(each.at_ns)}  {each.what}" for each in found.history[:SHOWN]]
        if len(found.history) > SHOWN:
            text.append(f"  and {len(found.history) - SHOWN} more: foreshock asset {found.asset} --json")
    return text
