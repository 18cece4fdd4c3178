"""Recorded data in file protocol 1, as the records that the product works on.

A folder holds `manifest.json` and one file per series: `blocks` (npz with x float32 [rows, samples, channels] and t
[rows]) or `table` (csv, header `t,<columns>`). `foreshock feed`, `foreshock evaluate` and `foreshock features extract` all
read it here, so all see the same numbers: samples as float32, table values as float64.

An entry of the manifest may say more of its series: `point`, `quantity` and `unit` (of a table, or a list with one for
each column), and an npz file may hold `speed` in Hz [rows]. What it does not say is a number without a unit.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Asset, Block, Context, Measure, Origin, SensorBlock, Tag, TelemetryFrame
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.units import Unit, resolve

PROTOCOL = 1
POINT = "recording"
QUANTITY, UNIT = "dimensionless", "1"  # a recording does not say what it measured
EPOCH_NS = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000  # where time starts for a recording from 0
_OLDEST_S = 946_684_800.0  # 2000-01-01: the contract refuses source times before it


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series of a folder: everything a producer knows of it."""

    id: str
    kind: str  # "blocks" | "table"
    warmup: int
    rate_hz: float | None
    columns: tuple[str, ...]
    x: npt.NDArray[Any]  # float32 [rows, samples, channels] or float64 [rows, columns]
    times_ns: npt.NDArray[np.int64]  # [rows]
    meta: dict[str, Any]
    point: str = POINT
    quantities: tuple[str, ...] = ()  # one for each column
    units: tuple[Unit, ...] = ()
    speeds_hz: npt.NDArray[np.float64] | None = None  # [rows]

    @property
    def rows(self) -> int:
        """Blocks, or rows of the table."""
        return len(self.x)

    @property
    def asset(self) -> Asset:
        """Master data: the series is an asset whose warm-up is known."""
        return Asset(asset=self.id, warmup_blocks=self.warmup)


def read_series(folder: Path) -> Iterator[Series]:
    """Read the series of a folder, in the order of its manifest.

    Raises
    ------
    ConfigurationError
        No manifest, another protocol, or a file that does not hold what the manifest says.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{folder}/manifest.json: {exc}") from exc
    if manifest.get("protocol") != PROTOCOL:
        raise ConfigurationError(f"{folder}/manifest.json: protocol {manifest.get('protocol')!r}, wanted {PROTOCOL}")
    for entry in manifest["series"]:
        yield _series(folder, entry)


def _series(folder: Path, entry: dict[str, Any]) -> Series:
    path = folder / entry["file"]
    try:
        x, seconds, speeds = _read_table(path) if entry["kind"] == "table" else _read_blocks(path)
        quantities, units = _measured(entry)
    except (OSError, ValueError, KeyError) as exc:
        raise ConfigurationError(f"{path}: {exc}") from exc
    if len(x) != entry["rows"] or x.shape[-1] != len(entry["columns"]):
        raise ConfigurationError(f"{path}: {x.shape} does not match {entry['rows']} rows, {entry['columns']}")
    if entry["kind"] != "table" and len(set(units)) > 1:
        raise ConfigurationError(f"{folder}/manifest.json: {entry['id']}: the channels of a block have one unit")
    return Series(
        id=entry["id"],
        kind=entry["kind"],
        warmup=int(entry["warmup"]),
        rate_hz=None if entry["fs"] is None else float(entry["fs"]),
        columns=tuple(entry["columns"]),
        x=x,
        times_ns=nanoseconds(seconds),
        meta=dict(entry.get("meta", {})),
        point=entry.get("point", POINT),
        quantities=quantities,
        units=units,
        speeds_hz=speeds,
    )


def _measured(entry: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Unit, ...]]:
    """Give quantity and unit of each column."""
    count = len(entry["columns"])

    def each(name: str, default: str) -> list[str]:
        given = entry.get(name, default)
        return list(given) if isinstance(given, list) else [given] * count

    quantities, units = each("quantity", QUANTITY), each("unit", UNIT)
    try:
        return tuple(quantities), tuple(resolve(*pair) for pair in zip(quantities, units, strict=True))
    except InputRejected as exc:
        raise ValueError(f"{entry['id']}: {exc.sentence}. {exc.fix}") from exc


_Read = tuple[npt.NDArray[Any], npt.NDArray[np.float64], npt.NDArray[np.float64] | None]


def _read_table(path: Path) -> _Read:
    with path.open(newline="") as handle:
        rows = list(csv.reader(handle))[1:]
    table = np.array([[float(v) if v else np.nan for v in row] for row in rows], np.float64)
    return np.ascontiguousarray(table[:, 1:]), table[:, 0], None


def _read_blocks(path: Path) -> _Read:
    with np.load(path) as file:
        x, seconds = file["x"].astype(np.float32, copy=False), file["t"].astype(np.float64)
        speeds = file["speed"].astype(np.float64) if "speed" in file else None
    if speeds is not None and speeds.shape != seconds.shape:
        raise ValueError(f"speed has the shape {speeds.shape}, t has {seconds.shape}")
    return x, seconds, speeds


def nanoseconds(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Seconds as source time; a recording whose time is not a date starts at the fixed epoch."""
    whole = np.floor(seconds).astype(np.int64)
    ns = whole * 1_000_000_000 + np.round((seconds - whole) * 1e9).astype(np.int64)
    return ns if len(seconds) and seconds[0] >= _OLDEST_S else ns + EPOCH_NS


def blocks(series: Series, *, topic: str = "recording", partition: int = 0, first_offset: int = 0) -> Iterator[Block]:
    """Records of a series as a producer would send them: one block, or one row of a table, each.

    The origin has the given coordinates; a reader that sends the records has no use for it.
    """
    tags = tuple(map(_tag, series.columns, series.quantities, series.units))
    for i in range(series.rows):
        at_ns = int(series.times_ns[i])
        origin = Origin(topic=topic, topic_id=topic, partition=partition, offset=first_offset + i, ingest_ns=at_ns)
        if series.kind == "table":
            yield TelemetryFrame(
                origin=origin,
                asset=series.id,
                point=series.point,
                tags=tags,
                times_ns=series.times_ns[i : i + 1],
                values=series.x[i : i + 1],
            )
        else:
            yield SensorBlock(
                origin=origin,
                asset=series.id,
                point=series.point,
                channels=series.columns,
                source_ns=at_ns,
                sampling_rate_hz=series.rate_hz,
                quantity=tags[0].quantity,
                unit=tags[0].unit,
                gain=tags[0].gain,
                samples=np.ascontiguousarray(series.x[i].T),
                sequence=i,
                context=_context(series, i),
            )


def _tag(name: str, quantity: str, unit: Unit) -> Tag:
    measure = unit.measure or Measure.INSTANTANEOUS
    return Tag(name=name, quantity=quantity, unit=unit.ucum, gain=unit.gain, shift=unit.shift, measure=measure)


def _context(series: Series, row: int) -> Context:
    return Context() if series.speeds_hz is None else Context(speed_hz=float(series.speeds_hz[row]))
