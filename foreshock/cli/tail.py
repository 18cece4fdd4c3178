"""`foreshock tail TOPIC`: print the records of a topic, decoded."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from


class Start(StrEnum):
    """Where reading starts."""

    BEGINNING = "beginning"
    END = "end"


def run(
    topic: Annotated[str, typer.Argument(help="scores.v1, anomalies.v1, ...; the configured prefix is added.")],
    *,
    start: Annotated[Start, typer.Option("--from", help="From the first record kept, or from now on.")] = Start.END,
    most: Annotated[int | None, typer.Option("--max", min=1, help="Stop after so many records.")] = None,
    key: Annotated[str | None, typer.Option(help="Only records with this key.")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end of the topic.")] = True,
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a topic with headers, schema and coordinates; ends with Ctrl-C."""
    from foreshock.streams.coders import registry_for
    from foreshock.streams.errands.tailing import describe, records

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    registry = registry_for(settings)
    shown = 0
    try:
        for message in records(settings, topic, beginning=start is Start.BEGINNING, follow=follow):
            if key is not None and message.key() != key.encode():
                continue
            _show(describe(message, registry), as_json=as_json)
            shown += 1
            if shown == most:
                break
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    from foreshock.streams.codec.headers import iso
    from foreshock.streams.errands.show import lines, plain

    if as_json:
        print(json.dumps(plain(found)), flush=True)
        return
    place = f"{found['topic']} [{found['partition']}] @{found['offset']}"
    schema = f"{found['schema'] or '-'} {found.get('fingerprint', '')} {found.get('framing', '')}".rstrip()
    print(f"{place}  {iso(found['timestamp_ms'] * 1_000_000)[:-7]}Z  key {found['key']}  {schema}")
    for name, value in found["headers"].items():
        print(f"  {name} = {value}")
    if "problem" in found:
        print(f"  {found['problem']}")
        body = {"value": found["value"]}
    else:
        body = found["record"] or {}
    print("\n".join(lines(body)), flush=True)
