"""A record of any topic, made readable: waveforms as a line of blocks with their statistics, the rest field by field."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 32
_SHOWN = 8  # values of an array that are written out
_DTYPES = {"f32le": "<f4", "f64le": "<f8", "i16le": "<i2"}


def spark(values: npt.NDArray[Any]) -> str:
    """Draw values as a line of at most `_WIDTH` blocks: the largest magnitude of each stretch, from 0 up."""
    finite = np.nan_to_num(np.abs(np.asarray(values, np.float64).reshape(-1)), posinf=0.0)
    if not finite.size:
        return ""
    stretches = np.array([part.max() for part in np.array_split(finite, min(_WIDTH, finite.size))])
    top = stretches.max() or 1.0
    return "".join(_BARS[int(value / top * (len(_BARS) - 1) + 0.5)] for value in stretches)


def statistics(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Give count, minimum, maximum, mean and RMS of an array, without what is not finite."""
    flat = np.asarray(values, np.float64).reshape(-1)
    finite = flat[np.isfinite(flat)]
    if not finite.size:
        return {"count": int(flat.size)}
    return {
        "count": int(flat.size),
        "min": float(finite.min()),
        "max": float(finite.max()),
        "mean": float(finite.mean()),
        "rms": float(np.sqrt(np.mean(np.square(finite)))),
    }


def with_samples(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give a record with its samples as an array per channel in place of bytes, in the unit of the block."""
    found = dict(record)
    samples, channels = found.get("samples"), found.get("channels") or [""]
    dtype = _DTYPES.get(found.get("encoding", ""))
    if (
        isinstance(samples, bytes)
        and dtype is not None
        and len(samples) % (np.dtype(dtype).itemsize * len(channels)) == 0
    ):
        rows = np.frombuffer(samples, dtype).reshape(len(channels), -1) * found.get("scale", 1.0)
        found["samples"] = {str(name): row for name, row in zip(channels, rows, strict=True)}
    elif isinstance(samples, list):
        found["samples"] = np.array(samples, np.float64)
    return found


def plain(value: Any) -> Any:
    """Give a value as JSON can hold it: bytes as base64, long arrays as statistics."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return statistics(value) if value.size > 64 else [plain(each) for each in value.tolist()]
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def lines(value: Mapping[str, Any], indent: str = "  ") -> Iterator[str]:
    """Write a record field by field; empty fields are left out."""
    for key, inner in value.items():
        if inner is None or (isinstance(inner, str | list | tuple | bytes) and not len(inner)):
            continue
        if isinstance(inner, Mapping):
            yield f"{indent}{key}:"
            yield from lines(inner, indent + "  ")
        elif isinstance(inner, list) and isinstance(inner[0], Mapping):
            for number, each in enumerate(inner):
                yield f"{indent}{key}[{number}]:"
                yield from lines(each, indent + "  ")
        else:
            yield f"{indent}{key}: {_short(inner)}"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > _SHOWN:
        found = statistics(value)
        numbers = " ".join(f"{name} {number:.4g}" for name, number in found.items() if name != "count")
        return f"{spark(value)} {found['count']} values, {numbers}"
    if isinstance(value, np.ndarray):
        return ", ".join(f"{each:.6g}" for each in value.tolist())
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:24].hex(' ')}{' ...' if len(value) > 24 else ''}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
