"""Compile the numeric kernels before the worker joins its group: later it would hold up the first batches for seconds."""

from __future__ import annotations

import numpy as np

from foreshock.contract import Block, Origin, SensorBlock, Tag, TelemetryFrame
from foreshock.fleet import Fleet, FleetSpec

_STEP_NS = 160_000_000
_SECOND_NS = 1_000_000_000


def warm(spec: FleetSpec) -> None:
    """Run invented blocks and frames through a Fleet of their own, long enough to be scored."""
    fleet = Fleet(spec)
    blocks = [_block(i) for i in range(spec.warmup_blocks + 4)]
    fleet.receive(blocks)
    fleet.receive([_frame(i) for i in range(spec.warmup_blocks + 4)])


def _block(i: int) -> Block:
    noise = np.random.default_rng(i).normal(size=(1, 256))
    samples = noise.astype(np.float32) if i % 2 else (noise * 1000).astype(np.int16)
    return SensorBlock(
        origin=_origin(i),
        asset="warm-up",
        point=f"p{i % 2}",
        channels=("x",),
        source_ns=(i + 1) * _STEP_NS,
        sampling_rate_hz=1600.0,
        quantity="acceleration",
        unit="m/s2",
        samples=samples,
    )


def _frame(i: int) -> Block:
    values = np.random.default_rng(i).normal(size=(2, 2))
    return TelemetryFrame(
        origin=_origin(i),
        asset="warm-up",
        point="tags",
        tags=(Tag(name="t", quantity="temperature", unit="K"), Tag(name="p", quantity="pressure", unit="Pa")),
        times_ns=np.array([2 * i, 2 * i + 1], dtype=np.int64) * _SECOND_NS + _SECOND_NS,
        values=values,
    )


def _origin(i: int) -> Origin:
    return Origin(topic="warm-up", topic_id="warm-up", partition=0, offset=i, ingest_ns=(i + 1) * _SECOND_NS)
