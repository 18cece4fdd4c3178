"""`foreshock export`: raw blocks, scores or feature vectors as Parquet files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import BootstrapOption, ConfigOption, JsonOption, PrefixOption, settings_from


def run(
    topic: Annotated[str, typer.Option(help="scores.v1, features.v1 or sensors.v1.")],
    out: Annotated[Path, typer.Option(help="Folder; an export that is there already is continued.")],
    config: ConfigOption = None,
    bootstrap: BootstrapOption = None,
    prefix: PrefixOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write what is new on a topic to Parquet files, by day and asset class; needs the extra `parquet`.

    File names say from which offset to which their rows are. It may be killed at any time and started again: what was
    not finished is written again, and no row comes twice.
    """
    from foreshock.streams.errands.export import Export

    rows = files = skipped = 0
    for each in Export(settings_from(config, bootstrap=bootstrap, prefix=prefix), topic, out).run():
        rows, files, skipped = rows + each.rows, files + len(each.files), skipped + each.skipped
        if as_json:
            print(json.dumps(asdict(each)), flush=True)
    if not as_json:
        print(f"{rows} rows in {files} files -> {out / topic}; {skipped} records not exported (dead letters, or gone)")
