"""`foreshock features extract FOLDER`: the feature vectors of recorded data, as workers make them of live data."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from foreshock.cli.options import ConfigOption, JsonOption, settings_from


def run(
    folder: Annotated[
        Path, typer.Argument(help="Recordings (manifest.json, file protocol 1), or a folder of `foreshock export`.")
    ],
    out: Annotated[Path, typer.Option("--out", help="A .parquet or .avro file.")],
    assets: Annotated[
        Path | None, typer.Option(help="Master data, .toml or .json, as for `foreshock assets register`.")
    ] = None,
    every: Annotated[
        float | None, typer.Option(help="Seconds from one measurement window to the next (features.every_s).")
    ] = None,
    window: Annotated[float | None, typer.Option(help="Seconds of a window, at least (features.window_s).")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the feature vectors of recorded data to one file, with the units of all features in its metadata.

    The code is that of a worker: what it published on features.v1 for the same records has the same bits. Parquet has a
    row for each channel and a column for each feature; Avro has the records of features.v1.
    """
    from foreshock.classes.completing import completed
    from foreshock.cli.asset_files import read_assets
    from foreshock.detection import spec_of
    from foreshock.streams.errands.extract import Extraction
    from foreshock.streams.errands.vector_file import VectorFile

    settings = settings_from(config, features__every_s=every, features__window_s=window)
    classes = settings.classes.read()
    known = {each.asset: completed(each, classes) for each in read_assets(assets)} if assets is not None else {}
    started = time.perf_counter()
    extraction = Extraction(folder, spec_of(settings), known)
    with VectorFile(out) as file:
        for vector in extraction.run():
            file.add(vector)
    found = extraction.found
    seconds = round(time.perf_counter() - started, 3)
    if as_json:
        counted = {"records": found.records, "vectors": found.vectors, "refused": dict(found.refused)}
        print(json.dumps({**counted, "seconds": seconds, "out": str(out)}))
        return
    print(f"{found.records} records, {found.vectors} feature vectors, {seconds:.1f} s -> {out}")
    for reason, number in found.refused.most_common():
        print(f"{number} records were refused: {reason}")
