"""Files of history, cut into the records that a producer would have sent: CSV, Parquet or WAV.

A waveform becomes blocks of equal length, a table of slow values becomes frames of many rows. Only whole blocks are
made; what is left over at the end is counted, not sent.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from foreshock.contract import Origin, SensorBlock, Tag, TelemetryFrame
from foreshock.errors import ConfigurationError

TIME_COLUMNS = ("t", "time", "timestamp")
FRAME_ROWS = 256
NOT_SENT = Origin(topic="sensors.v1", topic_id="", partition=-1, offset=-1, ingest_ns=0)
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One file of history.

    Attributes
    ----------
    columns
        Names of the channels or tags.
    values
        float64 [rows, columns].
    times_ns
        Source time of each row, nanoseconds since 1970 UTC; None where the file has no time column.
    rate_hz
        Sampling rate that the file itself states (WAV), else None.
    """

    columns: tuple[str, ...]
    values: npt.NDArray[np.float64]
    times_ns: npt.NDArray[np.int64] | None = None
    rate_hz: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a history was measured, and in what."""

    asset: str
    point: str
    quantity: str
    unit: str


def read_history(path: Path) -> History:
    """Read a file by its ending.

    Raises
    ------
    ConfigurationError
        Unknown ending, unreadable file, a cell that is not a number, a time without a zone.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigurationError(f"{path}: unknown kind of file; known: {', '.join(_READERS)}")
    try:
        history = reader(path)
    except (OSError, ValueError, KeyError) as exc:
        raise ConfigurationError(f"{path}: {exc}") from exc
    if not len(history.values) or not history.columns:
        raise ConfigurationError(f"{path}: holds no values")
    return history


def blocks_of(history: History, place: Place, *, rate_hz: float, samples: int, end_ns: int) -> Iterator[SensorBlock]:
    """Cut a waveform into blocks without a gap.

    Parameters
    ----------
    rate_hz
        Samples per second of each channel.
    samples
        Samples per block and channel.
    end_ns
        Source time of the end of the last block; used where the file has no time column.
    """
    values = history.values.astype(np.float32)
    count = len(values) // samples
    if not count:
        raise ConfigurationError(f"{len(values)} samples are less than one block of {samples}")
    length_ns = samples / rate_hz * _NS
    start_ns = int(history.times_ns[0]) if history.times_ns is not None else end_ns - round(count * length_ns)
    for number in range(count):
        rows = values[number * samples : (number + 1) * samples]
        yield SensorBlock(
            origin=NOT_SENT,
            asset=place.asset,
            point=place.point,
            channels=history.columns,
            source_ns=start_ns + round(number * length_ns),
            sampling_rate_hz=rate_hz,
            quantity=place.quantity,
            unit=place.unit,
            samples=np.ascontiguousarray(rows.T),
        )


def frames_of(history: History, place: Place) -> Iterator[TelemetryFrame]:
    """Cut a table with a time column into frames of at most `FRAME_ROWS` rows."""
    if history.times_ns is None:
        raise ConfigurationError(
            f"slow values need a time column ({', '.join(TIME_COLUMNS)}); for a waveform give --rate"
        )
    tags = tuple(Tag(name=name, quantity=place.quantity, unit=place.unit) for name in history.columns)
    for first in range(0, len(history.values), FRAME_ROWS):
        rows = slice(first, first + FRAME_ROWS)
        yield TelemetryFrame(
            origin=NOT_SENT,
            asset=place.asset,
            point=place.point,
            tags=tags,
            times_ns=history.times_ns[rows],
            values=history.values[rows],
        )


def _read_csv(path: Path) -> History:
    with path.open(newline="", encoding="utf-8-sig") as handle:
        rows = csv.reader(handle)
        header = next(rows, [])
        cells: dict[str, list[str]] = {name.strip(): [] for name in header}
        for number, row in enumerate(rows, start=2):
            if row and len(row) != len(header):
                raise ConfigurationError(f"{path}:{number}: {len(row)} cells under {len(header)} headings")
            for name, cell in zip(cells, row, strict=False):
                cells[name].append(cell.strip())
    return _table(path, cells)


def _read_parquet(path: Path) -> History:
    try:
        from pyarrow import parquet
    except ImportError:
        raise ConfigurationError("Parquet needs the extra `parquet`: pip install foreshock[parquet]") from None
    table = parquet.read_table(path)
    return _table(path, {name: table.column(name).to_pylist() for name in table.column_names})


def _read_wav(path: Path) -> History:
    """Whole numbers of a WAV file are shares of full scale; --gain gives what full scale is."""
    from scipy.io import wavfile

    rate, samples = wavfile.read(path)
    values = np.atleast_2d(samples.T).T.astype(np.float64)
    if samples.dtype == np.uint8:
        values = (values - 128) / 128
    elif samples.dtype.kind == "i":
        values /= float(np.iinfo(samples.dtype).max) + 1
    return History(tuple(f"ch{number}" for number in range(values.shape[1])), values, rate_hz=float(rate))


_READERS: Mapping[str, Callable[[Path], History]] = MappingProxyType(
    {".csv": _read_csv, ".parquet": _read_parquet, ".wav": _read_wav}
)


def _table(path: Path, cells: Mapping[str, Sequence[object]]) -> History:
    """Make the history of a table; one of its columns may be time."""
    time_column = next((name for name in cells if name.lower() in TIME_COLUMNS), None)
    columns = tuple(name for name in cells if name != time_column)
    values = np.empty((len(next(iter(cells.values()), [])), len(columns)))
    for number, name in enumerate(columns):
        for row, cell in enumerate(cells[name]):
            try:
                values[row, number] = np.nan if cell in ("", None) else float(str(cell))
            except ValueError:
                raise ConfigurationError(f"{path}: column {name}, row {row + 1}: {cell!r} is not a number") from None
    times = None if time_column is None else np.array([_ns(cell) for cell in cells[time_column]], np.int64)
    if times is not None and (np.diff(times) <= 0).any():
        raise ConfigurationError(f"{path}: column {time_column} does not rise from row to row")
    return History(columns, values, times)


def _ns(cell: object) -> int:
    """Read a time: seconds since 1970 UTC, or ISO 8601 with a zone."""
    if not isinstance(cell, datetime):
        try:
            return int(Decimal(str(cell)) * _NS)
        except InvalidOperation:
            cell = datetime.fromisoformat(str(cell))
    if cell.tzinfo is None:
        raise ConfigurationError(f"time {cell} has no zone: write UTC ({cell.isoformat()}Z) or the offset (+02:00)")
    since = cell - datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return (since.days * 86_400 + since.seconds) * _NS + since.microseconds * 1000
