"""`foreshock feed FOLDER`: send recordings through the real topics, as an integrator's producer would."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from


def run(
    folder: Annotated[Path, typer.Argument(help="Folder with manifest.json (file protocol 1).")],
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    settle: Annotated[float, typer.Option(help="Seconds for running workers to take up the master data.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Send a folder of recordings: its assets to assets.v1, then its blocks and rows to sensors.v1.

    The key of every record is the id of its series. Series follow each other; within one, order is kept.
    """
    from foreshock.recordings import blocks, read_series
    from foreshock.streams.errands.sender import Sender
    from foreshock.streams.spans.sending import Sending
    from foreshock.streams.topics import ensure

    settings = settings_from(config, bootstrap=bootstrap, prefix=prefix)
    series = list(read_series(folder))
    ensure(settings)
    with Sender(settings, spans=Sending(settings, program="feed")) as sender:
        for each in series:
            sender.send(each.asset)
        sender.flush()
        time.sleep(settle)
        for each in series:
            for record in blocks(each):
                sender.send(record)
    records = sender.sent - len(series)
    if as_json:
        print(json.dumps({"series": len(series), "records": records, "topic": f"{settings.topics.prefix}sensors.v1"}))
    else:
        print(f"{len(series)} assets and {records} records sent to {settings.topics.prefix}sensors.v1")
