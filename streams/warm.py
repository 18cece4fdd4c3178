"""Compile the numeric kernels before the worker joins its group: later it would hold up the first batches for seconds."""

from __future__ import annotations

import numpy as np

from foreshock.contract import Origin, SensorBlock, Tag, TelemetryFrame
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams.wire import Decoder, Encoder

_STEP_NS = 160_000_000
_START_NS = 1_000_000_000_000_000_000
_ALIGNMENTS = 4  # samples stand at any offset in a record's bytes: kernels are compiled for even and odd ones


def warm(spec: FleetSpec) -> None:
    """Send invented blocks and frames through the codec and a Fleet of their own, long enough to be scored."""
    encoder, decoder, fleet = Encoder(), Decoder(check_key=False), Fleet(spec)
    rounds = spec.warmup_blocks + 4
    made: list[SensorBlock | TelemetryFrame] = [_block(i, n) for i in range(rounds) for n in range(_ALIGNMENTS)]
    made += [_frame(i) for i in range(rounds)]
    fleet.receive([decoder.decode(encoder.encode(each), origin=each.origin, key=None) for each in made])


def _block(i: int, n: int) -> SensorBlock:
    noise = np.random.default_rng(i).normal(size=(1, 256))
    return SensorBlock(
        origin=_origin(i),
        asset="w" * (n + 1),
        point="warm-up",
        channels=("x",),
        source_ns=_START_NS + i * _STEP_NS,
        sampling_rate_hz=1600.0,
        quantity="acceleration",
        unit="m/s2",
        samples=noise.astype(np.float32) if n else (noise * 1000).astype(np.int16),
    )


def _frame(i: int) -> TelemetryFrame:
    return TelemetryFrame(
        origin=_origin(i),
        asset="warm-up",
        point="tags",
        tags=(Tag(name="t", quantity="temperature", unit="K"), Tag(name="p", quantity="pressure", unit="Pa")),
        times_ns=_START_NS + (2 * i + np.arange(2, dtype=np.int64)) * _STEP_NS,
        values=np.random.default_rng(i).normal(size=(2, 2)),
    )


def _origin(i: int) -> Origin:
    return Origin(topic="warm-up", topic_id="warm-up", partition=0, offset=i, ingest_ns=_START_NS + i * _STEP_NS)
