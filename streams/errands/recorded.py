"""Records of one measuring point from a file: recordings in file protocol 1, or blocks and frames as they are sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from foreshock.contract import Block, Origin, SensorBlock, TelemetryFrame
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.recordings import blocks, read_series
from foreshock.streams.errands.validation import split
from foreshock.streams.wire import Decoder

_FILES = (".npz", ".csv")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded at one measuring point, in order: blocks of one layout, or frames of the same tags."""

    asset: str
    point: str
    blocks: tuple[SensorBlock, ...] = ()
    frames: tuple[TelemetryFrame, ...] = ()
    left_out: int = 0  # records of other points, or of another layout


def recorded(file: Path, name: str = "") -> Recorded:
    """Read a recording.

    Parameters
    ----------
    file
        A folder with manifest.json, a file that such a manifest names, or a file of blocks and frames as JSON or Avro.
    name
        Which series, or which asset; "": the first.

    Raises
    ------
    ConfigurationError
        It is none of these, or holds nothing of that name.
    """
    folder = file if file.is_dir() else file.parent
    if file.is_dir() or file.suffix in _FILES:
        found = _of_series(folder, name or _series_of(folder, file))
    else:
        found = _of_values(file, name)
    first = next(found, None)
    if first is None:
        raise ConfigurationError(f"{file} holds nothing of {name!r}" if name else f"{file} holds no block or frame")
    others = list(found)
    same = [each for each in others if _layout(each) == _layout(first)]
    rows, left_out = (first, *same), len(others) - len(same)
    return Recorded(
        first.asset,
        first.point,
        tuple(each for each in rows if isinstance(each, SensorBlock)),
        tuple(each for each in rows if isinstance(each, TelemetryFrame)),
        left_out,
    )


def _of_series(folder: Path, name: str) -> Iterator[Block]:
    for series in read_series(folder):
        if name in ("", series.id):
            yield from blocks(series)
            return


def _series_of(folder: Path, file: Path) -> str:
    """Give the series that a file of a folder holds."""
    if file.is_dir():
        return ""
    try:
        entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["series"]
        return str(next(each["id"] for each in entries if each["file"] == file.name))
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{folder}/manifest.json is needed: it says what {file.name} holds") from None
    except StopIteration:
        raise ConfigurationError(f"{folder}/manifest.json names no file {file.name}") from None


def _of_values(file: Path, name: str) -> Iterator[Block]:
    decoder = Decoder(check_key=False)
    try:
        data = file.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{file}: {exc.strerror}") from exc
    number = 0
    try:
        for number, value in enumerate(split(data), start=1):
            origin = Origin(topic="file", topic_id="", partition=0, offset=number - 1, ingest_ns=0)
            block = decoder.decode(value, origin=origin, key=None)
            if name in ("", block.asset):
                yield block
    except InputRejected as exc:
        raise ConfigurationError(f"{file}: record {max(number, 1)}: {exc.sentence}. {exc.fix}") from exc


def _layout(block: Block) -> tuple[object, ...]:
    if isinstance(block, SensorBlock):
        return (block.asset, block.point, block.channels, block.samples.shape, block.sampling_rate_hz, block.quantity)
    return (block.asset, block.point, block.tags)
