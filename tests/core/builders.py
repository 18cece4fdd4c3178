"""Blocks of small imagined machines for tests of the core."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from foreshock.contract import Context, Origin, SensorBlock, Tag, TelemetryFrame

RATE = 12_800.0
START_NS = 1_750_000_000_000_000_000
STEP_NS = 1_000_000_000


def origin(offset: int, partition: int = 0, ingest_ns: int = START_NS) -> Origin:
    return Origin(topic="sensors.v1", topic_id="t-1", partition=partition, offset=offset, ingest_ns=ingest_ns)


def machine(seed: int, count: int = 1024, channels: int = 1, fault: float = 0.0) -> np.ndarray:
    """A shaft line, noise, and (with `fault` > 0) impulses that ring at a resonance; float32 [channels, count]."""
    rng = np.random.default_rng(seed)
    t = np.arange(count) / RATE
    x = np.sin(2 * np.pi * 50 * t + rng.uniform(0, 6)) + rng.normal(0, 0.3, (channels, count))
    for start in np.arange(rng.uniform(0, 1 / 90), t[-1], 1 / 90):
        lag = t - start
        x += fault * np.where(lag >= 0, np.exp(-lag * 900) * np.sin(2 * np.pi * 3200 * lag), 0.0)
    return x.astype(np.float32)


def block(
    offset: int,
    *,
    asset: str = "pump-1",
    point: str = "DE",
    index: int | None = None,
    samples: np.ndarray | None = None,
    channels: int = 1,
    fault: float = 0.0,
    partition: int = 0,
    speed_hz: float | None = None,
    **fields,
) -> SensorBlock:
    """Block number `index` (default: the offset) of a measuring point, one a second."""
    index = offset if index is None else index
    seed = hash_of(asset, index)
    x = machine(seed, channels=channels, fault=fault) if samples is None else samples
    at_ns = fields.pop("source_ns", START_NS + index * STEP_NS)
    return SensorBlock(
        origin=fields.pop("origin", origin(offset, partition, at_ns + 50_000_000)),
        asset=asset,
        point=point,
        channels=tuple(f"ch{i}" for i in range(len(x))),
        source_ns=at_ns,
        sampling_rate_hz=fields.pop("sampling_rate_hz", RATE),
        quantity="acceleration",
        unit="m/s2",
        samples=x,
        sequence=fields.pop("sequence", index),
        interval_s=1.0,
        context=Context(speed_hz=speed_hz),
        **fields,
    )


def frame(offset: int, values: np.ndarray, *, asset: str = "pump-1", index: int | None = None) -> TelemetryFrame:
    """Frame of rows [rows, tags], one row a second, starting at row number `index`."""
    index = offset if index is None else index
    times = START_NS + (index + np.arange(len(values), dtype=np.int64)) * STEP_NS
    return TelemetryFrame(
        origin=origin(offset, ingest_ns=int(times[-1]) + 50_000_000),
        asset=asset,
        point="process",
        tags=tuple(Tag(name=f"t{i}", quantity="temperature", unit="K") for i in range(values.shape[1])),
        times_ns=times,
        values=np.asarray(values, np.float64),
    )


def placed(items: Sequence[Any]) -> list[Any]:
    """Blocks with the offsets of their place in the sequence, as a topic gives them; master data has none."""
    found = []
    for item in items:
        if isinstance(item, SensorBlock | TelemetryFrame):
            item = replace(item, origin=replace(item.origin, offset=len(found)))  # noqa: PLW2901  # the same record, placed
        found.append(item)
    return found


def hash_of(asset: str, index: int) -> int:
    """A seed that is the same in every process."""
    return zlib.crc32(f"{asset}:{index}".encode())
