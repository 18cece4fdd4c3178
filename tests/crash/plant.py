"""A plant for crash tests: a stream of everything that makes state, and a Fleet that it is fed to, place by place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from foreshock.contract import Asset, Block, Limit, MeasuringPoint
from foreshock.fleet import Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.builders import block, frame, machine, placed

SPEC = FleetSpec(warmup_blocks=16)
LIMITED = Asset(
    asset="limited",
    points=(
        MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2", limits=(Limit(feature="rms", above=0.6),)),
    ),
)
BOILER = Asset(
    asset="boiler",
    points=(
        MeasuringPoint(point="process", quantity="temperature", unit="K", limits=(Limit(feature="t1", above=310.0),)),
    ),
)


@cache
def stream(length: int = 44) -> list[Block | Asset]:
    """Waveforms and frames of five assets, one with two points, all on partition 0.

    Warm-ups, faults that open, escalate and clear, static limits, a stop, a frozen sensor, a repeated and a late block, a
    gap, another layout for good, and master data that changes on the way.
    """
    rng = np.random.default_rng(7)
    items: list[Block | Asset] = [LIMITED]
    for i in range(length):
        grown = 0.0 if i < 26 else min(6.0, 1.5 * (i - 25)) if i < 36 else 0.0
        items.append(block(0, asset="failing", index=i, fault=grown))
        items.append(
            block(0, asset="failing", point="NDE", index=i, channels=2, speed_hz=0.0 if i in {20, 21} else 25.0)
        )
        items.append(block(0, asset="limited", index=i, samples=(1.0 + (i % 12 > 7)) * machine(i)))
        hot = 12.0 if 28 <= i < 38 else 0.0
        items.append(frame(0, rng.normal(300, 1, (3, 2)) + hot, asset="boiler", index=3 * i))
        if i == 12:
            items.append(BOILER)
            items.append(Asset(asset="failing", warmup_blocks=20))
        if i in {24, 25}:
            items.append(block(0, asset="failing", index=i - 4))
        if i in {30, 31}:
            items.append(block(0, asset="limited", index=i, point="still", samples=np.full((1, 1024), 0.5, np.float32)))
        count = 512 if i >= 18 else 1024
        items.append(block(0, asset="changed", index=i + (i > 9), samples=machine(i, count=count)))
    return placed(items)


def feed(fleet: Fleet, items: Iterable[tuple[int, Block | Asset]]) -> Iterator[tuple[int, Outcome]]:
    """Give records one by one with their places, as the worker does: master data by its place, blocks once."""
    for place, item in items:
        if isinstance(item, Asset):
            fleet.take_up(item, 0, place)
        elif item.origin.offset >= fleet.folded(0, item.asset):
            (outcome,) = fleet.receive([item])
            yield place, outcome
