"""What the rows of an exported topic are, and how a file of them is written.

A block keeps everything that a producer sent, so that `foreshock features extract` makes of the files what the workers
made of the topic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foreshock.contract import Block, SensorBlock
from foreshock.streams.errands.vector_table import Layout, Vector

Row = dict[str, Any]
Decode = Callable[[bytes], Vector]
_VECTORS = 500  # that are decoded at once
_SHARED = ("score_id", "asset", "point", "mode", "feature_set", "model", "policy", "reference", "regime", "learning")
_ROW = ("source_ns", "state", "reason", "value", "p_value", "alarm", "run_state", "trend")
_SENT = ("site", "gateway", "device", "interval_s", "sequence")
_CONTEXT = ("speed_hz", "load", "regime", "maintenance")
_PLACE = (("partition", "int32"), ("offset", "int64"), ("ingest_ns", "int64"))
_BLOCK_COLUMNS = (
    *(("asset", "string"), ("point", "string"), ("source_ns", "int64"), ("channels", "string[]")),
    *(("quantities", "string[]"), ("units", "string[]"), ("measures", "string[]"), ("sampling_rate_hz", "float64")),
    *(("encoding", "string"), ("scale", "float64"), ("samples", "binary"), ("times_ns", "int64[]")),
    *(("values", "float64[]"), ("acquisition", "string"), ("interval_s", "float64"), ("sequence", "int64")),
    *(("flags", "string[]"), ("speed_hz", "float64"), ("load", "float64"), ("regime", "string")),
    *(("maintenance", "bool"), ("site", "string"), ("gateway", "string"), ("device", "string"), ("schema", "string")),
)


def score_rows(record: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[Row]:
    """Give a row for each row of a score."""
    origin = record["origin"]
    shared = {name: record[name] for name in _SHARED}
    for number, row in enumerate(record["rows"]):
        told = {name: row[name] for name in _ROW} | {"features": np.asarray(row["features"], np.float32).tolist()}
        yield {
            **shared, **told, **place, "row": number, "input_partition": origin["partition"], "input_offset": origin["offset"]
        }  # fmt: skip


def block_row(block: Block, place: Mapping[str, Any]) -> Row:
    """Give a block or a frame as it was sent: samples as bytes, channel after channel; rows of a frame one after the other."""
    row: Row = {**place, "asset": block.asset, "point": block.point, "schema": block.origin.schema}
    row |= {name: getattr(block, name) for name in _SENT} | {name: getattr(block.context, name) for name in _CONTEXT}
    if isinstance(block, SensorBlock):
        samples = block.samples.astype(block.samples.dtype.newbyteorder("<"))
        return row | {
            "source_ns": block.source_ns,
            "channels": list(block.channels),
            "quantities": [block.quantity] * len(block.channels),
            "units": [block.unit] * len(block.channels),
            "sampling_rate_hz": block.sampling_rate_hz,
            "encoding": samples.dtype.str,
            "scale": block.scale,
            "acquisition": str(block.acquisition),
            "flags": list(block.flags),
            "samples": samples.tobytes(),
        }
    return row | {
        "source_ns": int(block.times_ns[-1]),
        "channels": [tag.name for tag in block.tags],
        "quantities": [tag.quantity for tag in block.tags],
        "units": [tag.unit for tag in block.tags],
        "measures": [str(tag.measure) for tag in block.tags],
        "times_ns": block.times_ns.tolist(),
        "values": block.values.reshape(-1).tolist(),
    }


def vector_row(value: bytes, record: Vector, place: Mapping[str, Any]) -> Row:
    """Give what a feature vector is filed by, and its value, which is smaller than its fields."""
    return {"asset": record["asset"], "source_ns": record["until_ns"], "value": value, "place": place}


def write(file: Path, topic: str, rows: Sequence[Row], decode: Decode) -> int:
    """Write a Parquet file.

    Parameters
    ----------
    topic
        Without its prefix.
    decode
        Gives the fields of a value, for rows that hold one.

    Returns
    -------
    int
        Its rows: a vector has one for each channel.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if topic == "features.v1":
        return _write_vectors(file, rows, decode)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=_schema(topic)), file, compression="zstd")
    return len(rows)


def _write_vectors(file: Path, rows: Sequence[Row], decode: Decode) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    layout, count = Layout(), 0
    for row in rows:
        layout.take(decode(row["value"]))
    schema = layout.schema(_PLACE)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, len(rows), _VECTORS):
            table = [
                {**told, **row["place"]}
                for row in rows[start : start + _VECTORS]
                for told in layout.rows(decode(row["value"]))
            ]
            writer.write_table(pa.Table.from_pylist(table, schema=schema))
            count += len(table)
    return count


def _schema(topic: str) -> Any:
    import pyarrow as pa

    if topic == "scores.v1":
        kinds = {"source_ns": "int64", "value": "float64", "p_value": "float64", "trend": "float64", "alarm": "bool"}
        fields = [(name, kinds.get(name, "string")) for name in (*_SHARED, *_ROW)]
        fields += [("features", "float32[]"), *_PLACE]
        fields += [("row", "int32"), ("input_partition", "int32"), ("input_offset", "int64")]
    else:
        fields = [*_BLOCK_COLUMNS, *_PLACE]
    return pa.schema(
        [
            (name, pa.list_(pa.type_for_alias(kind[:-2])) if kind.endswith("[]") else pa.type_for_alias(kind))
            for name, kind in fields
        ]
    )
