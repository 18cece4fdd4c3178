"""Raw blocks back from the Parquet files of `foreshock export --topic sensors.v1`, as the workers had them.

Each comes with the coordinates that it has on its topic, so what is computed from it has the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from foreshock.contract import Block, Origin
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.streams.codec import inputs
from foreshock.vocabulary import Encoding

_MANIFEST = "_next-*.json"
_ENCODINGS = {"<f4": Encoding.F32LE, "<f8": Encoding.F64LE, "<i2": Encoding.I16LE}
_CONTEXT = ("speed_hz", "load", "regime", "maintenance")


def is_export(folder: Path) -> bool:
    """Say whether a folder holds what `foreshock export` writes of one topic."""
    return next(folder.glob(_MANIFEST), None) is not None


def partitions(folder: Path) -> Iterator[Iterator[Block]]:
    """Give the blocks of each partition, in the order of the topic; at most one stretch of the export is in memory.

    Raises
    ------
    ConfigurationError
        It is no export of sensors.v1, was written by a release that left fields out, or is damaged.
    """
    for manifest in sorted(folder.glob(_MANIFEST), key=lambda path: int(path.stem.rpartition("-")[2])):
        yield _blocks(folder, int(manifest.stem.rpartition("-")[2]), json.loads(manifest.read_text()))


def _blocks(folder: Path, number: int, manifest: Mapping[str, Any]) -> Iterator[Block]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def start(file: Path) -> int:
        return int(file.stem.split("-")[2])

    files = sorted(folder.glob(f"*/*/part-{number}-*.parquet"), key=start)
    for _, stretch in groupby(files, start):
        rows = []
        for file in stretch:
            try:
                rows += pq.ParquetFile(file).read().to_pylist()
            except (OSError, pa.ArrowException) as exc:
                raise ConfigurationError(f"{file}: {exc}") from exc
        for row in sorted(rows, key=lambda each: each["offset"]):
            yield _block(row, manifest)


def _block(row: Mapping[str, Any], manifest: Mapping[str, Any]) -> Block:
    """Make the block of a row, by the rules that it was decoded by when it came."""
    try:
        origin = Origin(
            topic=manifest["topic"],
            topic_id=manifest["topic_id"],
            partition=row["partition"],
            offset=row["offset"],
            ingest_ns=row["ingest_ns"],
            schema=row["schema"],
        )
        found = {**row, "context": {name: row[name] for name in _CONTEXT}}
        if row["samples"] is not None:
            return inputs.block(inputs.block_header(_waveform(found)), found, origin)
        return inputs.frame(inputs.frame_header(_telemetry(found)), found, origin)
    except KeyError as exc:
        raise ConfigurationError(f"the export has no column {exc}: export sensors.v1 again with this release") from exc
    except InputRejected as exc:
        raise ConfigurationError(f"the export is damaged at offset {row['offset']}: {exc}") from exc


def _waveform(found: dict[str, Any]) -> dict[str, Any]:
    encoding = _ENCODINGS[found["encoding"]]
    size = {"<f4": 4, "<f8": 8, "<i2": 2}[found["encoding"]] * len(found["channels"])
    found |= {"quantity": found["quantities"][0], "unit": found["units"][0], "encoding": encoding}
    found["count"] = len(found["samples"]) // size
    return found


def _telemetry(found: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    names = ("name", "quantity", "unit", "measure")
    columns = (found["channels"], found["quantities"], found["units"], found["measures"])
    found["tags"] = [dict(zip(names, each, strict=True)) for each in zip(*columns, strict=True)]
    found["values"] = np.array(found["values"], np.float64)
    return found
