"""Recorded data with all that makes a measurement window begin, end early, or be masked; the same in every run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foreshock.contract import (
    Acquisition,
    Asset,
    Bearing,
    Block,
    Context,
    MeasuringPoint,
    Origin,
    SensorBlock,
    Tag,
    TelemetryFrame,
)

NOWHERE = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)
START_NS = 1_780_000_000_000_000_000
RATE_HZ, SAMPLES = 2048.0, 512  # a quarter of a second
EVERY_S = 3.0
BLOCKS = 60
BEARING = Bearing(name="DE", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)
POINT = MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2")
PUMP = Asset(asset="pump-1", asset_class="pump", warmup_blocks=12, rated_speed_hz=25.0, points=(POINT,))
ASSETS = (
    PUMP,
    replace(PUMP, asset="recorded-1", bearings=(BEARING,)),
    Asset(asset="boiler-1", warmup_blocks=12),
    replace(PUMP, asset="wireless-1"),
)


def waveform(asset: str, i: int, *, channels: tuple[str, ...] = ("x",), rate_hz: float = RATE_HZ) -> np.ndarray:
    """Noise, a line of the shaft and one of the grid, the same for the same arguments: float32 [channels, SAMPLES]."""
    noise = np.random.default_rng([i, *asset.encode()]).standard_normal((len(channels), SAMPLES), dtype=np.float32)
    at = (np.arange(SAMPLES) + i * SAMPLES) / rate_hz
    return noise + (2 * np.sin(2 * np.pi * 25.0 * at) + np.sin(2 * np.pi * 100.0 * at)).astype(np.float32)


def block(asset: str, i: int, **changes: Any) -> SensorBlock:
    """The i-th block of an asset: each follows on the one before."""
    fields: dict[str, Any] = {
        "origin": NOWHERE,
        "asset": asset,
        "point": "DE",
        "channels": ("x", "y"),
        "source_ns": START_NS + i * 250_000_000,
        "sampling_rate_hz": RATE_HZ,
        "quantity": "acceleration",
        "unit": "m/s2",
        "sequence": i,
        "context": Context(speed_hz=25.0 + 0.01 * (i % 7)),
        **changes,
    }
    samples = waveform(asset, i, channels=fields["channels"], rate_hz=fields["sampling_rate_hz"])
    return SensorBlock(**{"samples": samples, **fields})


def live(i: int) -> Iterator[Block]:
    """What machines send in the i-th quarter of a second: a pump that has troubles, a wireless sensor, a boiler, a stranger."""
    if 26 <= i < 28:
        yield block("pump-1", i, context=Context(speed_hz=0.0), samples=np.zeros((2, SAMPLES), np.float32))
    elif 38 <= i < 42:
        yield block("pump-1", i, channels=("x",))
    elif 49 <= i < 52:
        yield block("pump-1", i, sampling_rate_hz=1600.0)
    elif i not in {13, 14}:  # a gap
        yield block("pump-1", i)
    if i % 9 == 4:
        yield block("wireless-1", i, acquisition=Acquisition.SNAPSHOT, interval_s=2.25, unit="[g]")
    rng = np.random.default_rng([i, 77])
    values = np.array([[60.0, 2.0]]) + rng.standard_normal((4, 2)) * [1.0, 0.01]
    values[i % 4, 1] = np.nan if i % 10 == 3 else values[i % 4, 1]
    times = START_NS + (4 * i + np.arange(4)) * 1_000_000_000
    tags = (
        Tag(name="oil", quantity="temperature", unit="Cel", gain=1.0, shift=273.15),
        Tag(name="suction", quantity="pressure", unit="bar", gain=1.0e5),
    )
    yield TelemetryFrame(
        origin=NOWHERE, asset="boiler-1", point="process", tags=tags, times_ns=times, values=values, sequence=i
    )
    yield block("stranger", i, channels=("x",))


def recordings(folder: Path) -> Path:
    """A folder in file protocol 1: a machine with two channels and its speed, and a table."""
    folder.mkdir(exist_ok=True)
    x = np.stack([waveform("recorded-1", i, channels=("x", "y")).T for i in range(BLOCKS)])
    t = np.arange(BLOCKS) * 0.25
    np.savez(folder / "a.npz", x=x, t=t + 2 * (t > 8), speed=np.full(BLOCKS, 25.0))
    rng = np.random.default_rng(9)
    suction = ["" if i % 11 == 5 else repr(2 + rng.normal()) for i in range(40)]
    rows = [f"{1_388_534_400 + i},{300 + rng.normal()!r},{suction[i]}" for i in range(40)]
    (folder / "b.csv").write_text("\n".join(["t,oil,suction", *rows]) + "\n")
    both = {"warmup": 12, "meta": {}}
    series = [
        {"id": "recorded-1", "file": "a.npz", "kind": "blocks", "rows": BLOCKS, "fs": RATE_HZ, "columns": ["x", "y"]}
        | {"point": "DE", "quantity": "acceleration", "unit": "m/s2"},
        {"id": "table-1", "file": "b.csv", "kind": "table", "rows": 40, "fs": 1.0, "columns": ["oil", "suction"]}
        | {"quantity": ["temperature", "pressure"], "unit": ["K", "bar"]},
    ]
    (folder / "manifest.json").write_text(json.dumps({"protocol": 1, "series": [{**both, **each} for each in series]}))
    return folder
