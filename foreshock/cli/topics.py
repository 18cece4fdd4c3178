"""`foreshock topics`: what topics there must be, whether they are right, and the commands that make them."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from
from foreshock.errors import ConfigurationError


def run(
    show: Annotated[bool, typer.Option("--print", help="Print an administrator's commands and ACLs.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Create the topics that are missing.")] = False,
    worker: Annotated[str, typer.Option(help="Principal of the workers, for the ACLs.")] = "User:foreshock",
    gateway: Annotated[str, typer.Option(help="Principal of the gateways, for the ACLs.")] = "User:gateway",
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the topics and whether they are right (exit 1 if not), create them, or print how an administrator would."""
    from foreshock.streams.topics import ensure, inspect

    if show and create:
        raise ConfigurationError("give either --print or --create")
    if show:
        _print_commands(settings_from(config, bootstrap=bootstrap, prefix=prefix), worker, gateway, as_json=as_json)
        return
    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix, topics__create=True if create else None)
    rows = _rows(ensure(settings) if create else inspect(settings), settings)
    for row in rows:
        if as_json:
            print(json.dumps(row))
        else:
            state = "; ".join(row["problems"]) or f"{row['partitions']} partitions, {row['id']}"
            print(f"{row['topic']:<{max(len(each['topic']) for each in rows)}}  {state}")
    if any(row["problems"] for row in rows):
        raise typer.Exit(1)


def _print_commands(settings: Any, worker: str, gateway: str, *, as_json: bool) -> None:
    from foreshock.streams.topics_admin import commands

    for line in commands(settings, worker=worker, gateway=gateway):
        if not as_json:
            print(line)
        elif not line.startswith("#"):
            print(json.dumps({"command": line}))


def _rows(found: Any, settings: Any) -> list[dict[str, Any]]:
    """Give one row for each topic that there must be."""
    from foreshock.streams.topics import check, used

    rows = []
    for each in used():
        info = found.get(each.name)
        problems = check(each, info, settings) if info else ["not there"]
        row = {"topic": each.full_name(settings), "key": each.key, "holds": each.holds, "problems": problems}
        rows.append(row | ({"partitions": info.partitions, "id": info.topic_id} if info else {}))
    return rows
