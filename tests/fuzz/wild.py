"""Well-formed records with wild values: written by another Avro library, because our own encoder would refuse them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import fastavro
import numpy as np

from foreshock.streams.codec import schemas

NAMES = ["pump-7", "p", "", " ", "\x00", "x" * 255, "y" * 256, "ä" * 90, "\u202e", "a/b", "p\n", "\ud7ff", "0"]
POINTS = ["de", "nde", "", "x" * 300, "de/nde", "🦀"]
TIMES = [0, -1, 1, 2**63 - 1, -(2**63), 946_684_799_999_999_999, 4_102_444_800_000_000_001, 1_795_000_000_000_000_000]
FLOATS = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1600.0, 1e300, 1.7e308, float("inf"), float("-inf"), float("nan")]
INTEGERS = [0, 1, -1, 2**31, -(2**31), 2**63 - 1, -(2**63), 17]
UNITS = [
    ("acceleration", "m/s2"),
    ("acceleration", "[g]"),
    ("velocity", "mm/s"),
    ("temperature", "Cel"),
    ("", ""),
    ("x", "y"),
]
DTYPES = {"f32le": "<f4", "f64le": "<f8", "i16le": "<i2", "f16": "<f2", "": "<f4"}
LONGEST = 20_000


def records(rng: random.Random, count: int) -> Iterator[tuple[bytes, bytes]]:
    """So many pairs of key and value."""
    parsed = {name: fastavro.parse_schema(_schema(name)) for name in ("SensorBlock", "TelemetryFrame")}
    clock = 1_790_000_000_000_000_000
    for _ in range(count):
        clock += rng.choice([160_000_000] * 40 + [0, -160_000_000, 10**9, 86_400 * 10**9])
        name = rng.choice(["SensorBlock", "SensorBlock", "TelemetryFrame"])
        found = _block(rng, clock) if name == "SensorBlock" else _frame(rng, clock)
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            _spoil(rng, found)
        key = found["asset"].encode("utf-8", "surrogatepass")
        yield key, _json(name, found) if rng.random() < 0.2 else _avro(name, parsed[name], found)


def _block(rng: random.Random, clock: int) -> dict[str, Any]:
    """A sound block. A measuring point mostly keeps its layout, so that its model comes as far as scoring."""
    asset, point = rng.choice(["pump-7", "fan-1", "fan-2"]), rng.choice(["de", "nde", "motor"])
    fixed = rng if rng.random() < 0.03 else random.Random(f"{asset}/{point}")
    channels = fixed.choice([1, 1, 1, 2, 3, 64])
    count = fixed.choice([7, 64, 255, 256, 257, 1024]) if channels < 4 else fixed.choice([1, 64, 300])
    encoding = fixed.choice(["f32le", "f64le", "i16le"])
    samples = np.random.default_rng(rng.randrange(2**32)).normal(
        0, 300 if encoding == "i16le" else 3, (count, channels)
    )
    samples *= rng.choice([1.0] * 30 + [5.0, 40.0, 1e-6])
    quantity, unit = fixed.choice(UNITS[:3])
    return {
        "asset": asset,
        "point": point,
        "channels": [f"c{n}" for n in range(channels)],
        "quantity": quantity,
        "unit": unit,
        "encoding": encoding,
        "scale": fixed.choice([1.0, 1.0, 1e-3, 1e6]),
        "sampling_rate_hz": fixed.choice([None, 1600.0, 25_600.0, 1e-3, 1e9]),
        "source_ns": clock,
        "sequence": rng.choice([None, rng.randrange(100)]),
        "acquisition": fixed.choice(["continuous", "snapshot", "triggered"]),
        "interval_s": fixed.choice([None, 0.16, 1e-6, 1e9]),
        "count": count,
        "samples": samples.astype(DTYPES[encoding]).tobytes(),
    }


def _frame(rng: random.Random, clock: int) -> dict[str, Any]:
    """A sound frame, but for a value here and there."""
    asset, point = rng.choice(["pump-7", "fan-1", "fan-2"]), rng.choice(["process", "oil"])
    fixed = rng if rng.random() < 0.03 else random.Random(f"{asset}/{point}")
    tags, rows = fixed.choice([1, 2, 5, 40]), rng.choice([1, 2, 16])
    values = np.random.default_rng(rng.randrange(2**32)).normal(60, 3, (rows, tags))
    if rng.random() < 0.2:
        values[rng.randrange(rows), rng.randrange(tags)] = rng.choice([np.nan, 1e300, -1e300, 1e-310, 0.0, 600.0])
    return {
        "asset": asset,
        "point": point,
        "tags": [{"name": f"t{n}", "quantity": "temperature", "unit": "Cel"} for n in range(tags)],
        "times_ns": [clock + n * 10**7 for n in range(rows)],
        "values": values.reshape(-1).tolist(),
        "sequence": rng.choice([None, rng.randrange(100)]),
        "interval_s": rng.choice([None, 1.0]),
    }


def _spoil(rng: random.Random, found: dict[str, Any]) -> None:
    """Make one field wild."""
    name = rng.choice(list(found))
    value = found[name]
    if name in ("asset", "point"):
        found[name] = rng.choice(NAMES if name == "asset" else POINTS)
    elif name in ("quantity", "unit"):
        found["quantity"], found["unit"] = rng.choice(UNITS)
    elif name == "samples":
        found[name] = _samples(rng, value)
    elif name == "values":
        found[name] = rng.choice([[], value[:-1], value * 3, [rng.choice(FLOATS)] * len(value)])
    elif name in ("channels", "tags"):
        found[name] = rng.choice([[], value * 2, value[:1], value * 70])
    elif name == "encoding":
        found[name] = rng.choice(list(DTYPES))
    elif isinstance(value, list):
        found[name] = rng.choice([[], value[::-1], [rng.choice(TIMES)] * len(value), value * 2])
    elif name == "source_ns":
        found[name] = rng.choice(TIMES)
    elif isinstance(value, int):
        found[name] = rng.choice(INTEGERS)
    else:
        found[name] = rng.choice(FLOATS) if name != "acquisition" else rng.choice(["triggered", "", "daily"])


def _samples(rng: random.Random, value: bytes) -> bytes:
    """Samples that are wild: constant, huge, tiny, not finite, cut, or too many."""
    noise = np.random.default_rng(len(value)).normal(size=max(len(value) // 4, 1))
    return rng.choice(
        [
            b"\x00" * len(value),
            np.full(len(noise), rng.choice(FLOATS[:7]), np.float32).tobytes(),
            np.full(len(noise), rng.choice([np.inf, -np.inf, np.nan]), np.float32).tobytes(),
            (noise * 1e-40).astype(np.float32).tobytes(),
            (noise * 1e37).astype(np.float32).tobytes(),
            value[: rng.randrange(len(value) + 1)],
            value * rng.randint(2, 8),
            rng.randbytes(min(len(value), LONGEST)),
        ]
    )


def _avro(name: str, parsed: Any, found: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    try:
        fastavro.schemaless_writer(out, parsed, found)
    except (ValueError, TypeError, UnicodeEncodeError, OverflowError):
        return b"\xc3\x01"  # what the format itself cannot say
    return b"\xc3\x01" + schemas.current()[name].fingerprint + out.getvalue()


def _json(name: str, found: dict[str, Any]) -> bytes:
    """The same as JSON: numbers in the place of bytes, rows in the place of one long array."""
    plain = {"type": name, **found}
    if name == "SensorBlock":
        dtype = np.dtype(DTYPES[found["encoding"]])
        whole = found["samples"][: len(found["samples"]) // dtype.itemsize * dtype.itemsize]
        columns = np.frombuffer(whole, dtype)
        wide = max(len(found["channels"]), 1)
        rows = columns[: len(columns) // wide * wide].reshape(-1, wide).T
        with np.errstate(invalid="ignore"):  # signalling NaN among random bytes
            plain["samples"] = rows.astype(float).tolist()
    else:
        wide = max(len(found["tags"]), 1)
        plain["values"] = [found["values"][at : at + wide] for at in range(0, len(found["values"]), wide)]
    return json.dumps(plain).encode("utf-8", "surrogatepass")


def _schema(name: str) -> Any:
    return json.loads((files("foreshock.avro_schemas") / f"{name}.avsc").read_text())
