"""The arrays and times of JSON inputs: numbers to numpy arrays, texts to nanoseconds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Encoding, Reason
from foreshock.streams.codec.checks import reject

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)
_DTYPES: Mapping[str, type] = {Encoding.F32LE: np.float32, Encoding.F64LE: np.float64, Encoding.I16LE: np.int16}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text_to_ns(field: str, text: Any) -> int:
    """Read a time in ISO 8601, to the nanosecond; it must have a zone.

    Raises
    ------
    InputRejected
        No zone: the typical mistake is local time that is taken for UTC.
    """
    match = _ISO.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        sentence = f"{field} is {text!r}, which is no time in ISO 8601"[:200]
        reject(Reason.BAD_TIMESTAMP, field, sentence, "send for instance 2026-01-31T12:00:00.123456789Z")
    day, clock, fraction, zone = match.groups()
    if zone is None:
        fix = "append Z if it is UTC, or the offset of local time, such as +02:00"
        reject(Reason.BAD_TIMESTAMP, field, f"{field} = {text} has no zone: is it UTC or local time?", fix)
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{zone.upper()}")
    except ValueError as exc:
        reject(Reason.BAD_TIMESTAMP, field, f"{field} = {text}: {exc}", "send a date and a time that exist")
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def fill_block(found: dict[str, Any]) -> None:
    """Put samples as an array [channels, count] in place of the numbers, and `count` and `encoding` where they are not given."""
    if "samples" not in found:
        return
    channels = found.get("channels")
    number = len(channels) if isinstance(channels, list) and channels else 1
    encoding = found.setdefault("encoding", Encoding.F64LE)
    dtype = _DTYPES.get(encoding) if isinstance(encoding, str) else None
    samples = _numbers("samples", found["samples"], np.dtype(dtype or np.float64))
    if samples.size == 0:
        reject(Reason.NO_SAMPLES, "samples", "the block has no samples", "send at least one sample, or nothing")
    if samples.ndim == 1:
        samples = samples.reshape(1, -1) if number == 1 else _split(samples, number)
    if samples.ndim != 2 or samples.shape[0] != number:
        sentence = f"samples has {samples.shape[0]} rows, there are {number} channels"
        reject(Reason.COUNT_MISMATCH, "samples", sentence, "send one array of numbers per channel")
    count = found.setdefault("count", samples.shape[1])
    if isinstance(count, int) and count != samples.shape[1]:
        sentence = f"count is {count}, samples has {samples.shape[1]} per channel"
        reject(Reason.COUNT_MISMATCH, "count", sentence, "send the number of samples per channel, or leave count out")
    found["samples"] = samples


def _split(samples: npt.NDArray[Any], channels: int) -> npt.NDArray[Any]:
    if samples.size % channels:
        sentence = f"{samples.size} samples cannot be shared by {channels} channels"
        reject(Reason.COUNT_MISMATCH, "samples", sentence, "send one array of numbers per channel")
    return samples.reshape(channels, -1)


def fill_frame(found: Mapping[str, Any], result: dict[str, Any]) -> None:
    """Put values as a flat array in place of the rows, and times as nanoseconds."""
    for other in ("times", "source_time", "source_ns"):
        if other in found and "times_ns" not in found:
            given = found[other] if isinstance(found[other], list) else [found[other]]
            texts = other != "source_ns"
            result["times_ns"] = [text_to_ns(f"{other}[{n}]", each) if texts else each for n, each in enumerate(given)]
    if "values" not in found:
        return
    values = _numbers("values", found["values"], np.dtype(np.float64), null=math.nan)
    tags = found.get("tags")
    if values.ndim == 2 and isinstance(tags, list) and values.size and values.shape[1] != len(tags):
        sentence = f"a row has {values.shape[1]} values, there are {len(tags)} tags"
        reject(
            Reason.COUNT_MISMATCH,
            "values",
            sentence,
            "send a value for every tag of every row, null where it is missing",
        )
    result["values"] = values.reshape(-1)


def _numbers(field: str, given: Any, dtype: np.dtype[Any], null: float | None = None) -> npt.NDArray[Any]:
    """Take an array of numbers, or of arrays of the same length.

    Anything that is no number is found before numpy sees it: numpy would take a text or a boolean for one.
    """
    if not isinstance(given, list):
        sentence = f"{field} is {type(given).__name__}, must be an array of numbers"
        reject(Reason.MALFORMED, field, sentence, "send an array of numbers; in Avro it is `bytes` with `encoding`")
    nested = bool(given) and isinstance(given[0], list)
    rows = given if nested else [given]
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(rows[0]):
            sentence = f"{field}[{number}] has not as many numbers as {field}[0]"
            reject(Reason.COUNT_MISMATCH, field, sentence, "send arrays of equal length")
        for place, value in enumerate(row):
            if type(value) is not float and type(value) is not int and not (value is None and null is not None):
                where = f"{field}[{number}][{place}]" if nested else f"{field}[{place}]"
                _no_number(where, value)
    if null is not None:
        rows = [[null if value is None else value for value in row] for row in rows]
    array = _array(field, rows, dtype)
    return array if nested else array[0]


def _no_number(where: str, value: Any) -> None:
    if value is None:
        reject(
            Reason.NOT_FINITE, where, f"{where} is null", "a sample cannot be missing: leave the block out or repair it"
        )
    found = repr(value)[:40]
    reject(Reason.MALFORMED, where, f"{where} is {found}, must be a number", "send numbers without quotes")


def _array(field: str, rows: list[list[float]], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    try:
        wide = np.array(rows, np.float64)
    except OverflowError:
        reject(Reason.NOT_FINITE, field, f"{field} holds a number that no float can hold", "send finite numbers")
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is found as not finite, or as another number
        narrow = wide.astype(dtype)
    if dtype.kind == "i" and not (narrow == wide).all():
        sentence = f"{field} holds numbers that are no {dtype.name}"
        reject(Reason.MALFORMED, field, sentence, "send whole numbers from -32768 to 32767, or another encoding")
    return narrow
