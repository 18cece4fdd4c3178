"""Compile the numeric kernels before the worker joins its group: later it would hold up the first batches for seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foreshock.contract import (
    Acquisition,
    Asset,
    Bearing,
    Context,
    Gear,
    MeasuringPoint,
    Origin,
    SensorBlock,
    Tag,
    TelemetryFrame,
    Zones,
)
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams.wire import Decoder, Encoder

_STEP_NS = 160_000_000
_START_NS = 1_000_000_000_000_000_000
_LOUD = 20  # blocks and frames that nobody could call normal
_RATE_HZ = 8192.0
_MACHINE = Asset(
    asset="warm-machine",
    rated_speed_hz=25.0,
    bearings=(Bearing(name="DE", balls=9, ball_diameter_m=7.94e-3, pitch_diameter_m=39.04e-3),),
    gears=(Gear(name="pinion", teeth=21),),
    points=(
        MeasuringPoint(
            point="DE", quantity="acceleration", unit="m/s2", zones=Zones(a_b=1.4e-3, b_c=2.8e-3, c_d=4.5e-3)
        ),
    ),
)
_ALIGNMENTS = 4  # samples stand at any offset in a record's bytes: kernels are compiled for even and odd ones


def warm(spec: FleetSpec) -> None:
    """Send invented blocks and frames through the codec and a Fleet of their own, until some are in alarm.

    What explains an anomaly is compiled too: the first one of a worker must not wait for it.
    """
    spec = replace(spec, warmup_s=0.0, hold_s=0.0)  # a few blocks must do
    encoder, decoder, fleet = Encoder(), Decoder(check_key=False), Fleet(spec)
    quiet = max(spec.warmup_blocks, 2 * _LOUD) + _LOUD
    rounds = [(i, 1.0 if i < quiet else 30.0) for i in range(quiet + _LOUD)]
    made: list[SensorBlock | TelemetryFrame] = [_block(i, n, gain) for i, gain in rounds for n in range(_ALIGNMENTS)]
    made += [_frame(i, gain) for i, gain in rounds]
    records = [decoder.decode(encoder.encode(each), origin=each.origin, key=None) for each in made]
    fleet.receive(records)
    alone = Fleet(spec)
    for record in (*records[:_ALIGNMENTS], records[-1]):  # a batch of one has contiguous rows: kernels of their own
        alone.receive([record])
    if spec.features:
        full = Fleet(replace(spec, features_every_s=0.0), assets=[_MACHINE])
        full.receive([*(_snapshot(i) for i in range(2)), *(_frame(i, 1.0, _MACHINE.asset) for i in range(2, 4))])


def _snapshot(i: int) -> SensorBlock:
    """Two seconds of a registered machine: all that is made from a measurement window."""
    noise = np.random.default_rng(i).normal(size=(1, 2 * int(_RATE_HZ)))
    return SensorBlock(
        origin=_origin(i),
        asset=_MACHINE.asset,
        point="DE",
        channels=("x",),
        source_ns=_START_NS + i * 10 * _STEP_NS,
        sampling_rate_hz=_RATE_HZ,
        quantity="acceleration",
        unit="m/s2",
        samples=noise.astype(np.float32),
        acquisition=Acquisition.SNAPSHOT,
        context=Context(speed_hz=25.0),
    )


def _block(i: int, n: int, gain: float) -> SensorBlock:
    noise = np.random.default_rng(i).normal(size=(1, 256)) * gain
    return SensorBlock(
        origin=_origin(i),
        asset="w" * (n + 1),
        point="warm-up",
        channels=("x",),
        source_ns=_START_NS + i * _STEP_NS,
        sampling_rate_hz=1600.0,
        quantity="acceleration",
        unit="m/s2",
        samples=noise.astype(np.float32) if n else (noise * 200).astype(np.int16),
    )


def _frame(i: int, gain: float, asset: str = "warm-up") -> TelemetryFrame:
    return TelemetryFrame(
        origin=_origin(i),
        asset=asset,
        point="tags",
        tags=(Tag(name="t", quantity="temperature", unit="K"), Tag(name="p", quantity="pressure", unit="Pa")),
        times_ns=_START_NS + (2 * i + np.arange(2, dtype=np.int64)) * _STEP_NS,
        values=np.random.default_rng(i).normal(size=(2, 2)) * gain,
    )


def _origin(i: int) -> Origin:
    return Origin(topic="warm-up", topic_id="warm-up", partition=0, offset=i, ingest_ns=_START_NS + i * _STEP_NS)
