"""Waveforms of a registered pump that go on without a gap, and what a Fleet makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foreshock.contract import Asset, Bearing, Block, Context, MeasuringPoint, SensorBlock
from foreshock.fleet import Fleet, FleetSpec
from foreshock.outcome import Outcome
from foreshock.signals import FeatureVector
from tests.core.builders import START_NS, origin

RATE, COUNT = 4096.0, 1024
G = 9.80665
ONE_AFTER_THE_OTHER = FleetSpec(warmup_blocks=14, features_every_s=0.0)
POINT = MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2")
PUMP = Asset(asset="pump", points=(POINT,))
BEARING = Bearing(name="6205", balls=9, ball_diameter_m=7.94e-3, pitch_diameter_m=39.04e-3)


def wave(
    index: int,
    *,
    asset: str = "pump",
    amplitude: float = 1.0,
    hz: float = 50.0,
    rate: float | None = RATE,
    count: int = COUNT,
    channels: Sequence[str] = ("x",),
    shift_ns: int = 0,
    noise: float = 0.1,
    samples: np.ndarray | None = None,
    speed_hz: float | None = 25.0,
    **fields,
) -> SensorBlock:
    """Block `index` of a sine in noise that goes on without a gap; offsets are those of the index."""
    t = (index * count + np.arange(count)) / (rate or RATE)
    at_ns = START_NS + round(index * count * 1e9 / (rate or RATE)) + shift_ns
    if samples is None:
        spread = np.random.default_rng(index).normal(0, noise, (len(channels), count))
        samples = amplitude * np.sin(2 * np.pi * hz * t) + spread
    return SensorBlock(
        origin=fields.pop("origin", origin(index, 0, at_ns + 50_000_000)),
        asset=asset,
        point="DE",
        channels=tuple(channels),
        source_ns=at_ns,
        sampling_rate_hz=rate,
        quantity="acceleration",
        unit="m/s2",
        samples=np.asarray(samples, np.float32),
        sequence=index,
        context=Context(speed_hz=speed_hz),
        **fields,
    )


def run(
    items: Sequence[Block | Asset], spec: FleetSpec = ONE_AFTER_THE_OTHER, cuts: Sequence[int] = ()
) -> list[Outcome]:
    fleet, found = Fleet(spec), []
    for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True):
        found += fleet.receive(items[first:last])
    return found


def vectors(outcomes: Sequence[Outcome]) -> list[FeatureVector]:
    return [vector for outcome in outcomes for vector in outcome.vectors]


def values(vector: FeatureVector) -> dict[str, float | None]:
    return dict(zip(vector.names, vector.values, strict=True))


def reasons(vector: FeatureVector) -> dict[str, str]:
    """Masks that say something, by name."""
    return {name: mask for name, mask in zip(vector.names, vector.masks, strict=True) if mask}
