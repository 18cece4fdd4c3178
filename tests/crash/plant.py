"""A plant for crash tests: a stream of everything that makes state, and a Fleet that it is fed to, place by place.

Beside records there are items that have a place between them: master data, commands, work orders, policies, the clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from foreshock.alerts.files import DEFAULT, versioned
from foreshock.alerts.items import Assigned, Given, Inhibited
from foreshock.alerts.policy import Window
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import CommandKind, Holds, Verdict, WorkKind
from foreshock.contract import Asset, Bearing, Block, DataQuality, Limit, MeasuringPoint, Tick, Zones
from foreshock.fleet import Fleet, FleetSpec
from foreshock.outcome import Outcome
from tests.core.alerting import at, control, tick, work
from tests.core.builders import START_NS, STEP_NS, block, frame, machine, placed

SPEC = FleetSpec(warmup_blocks=16, features_every_s=5.0)
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
STRICT = versioned(
    dataclasses.replace(
        DEFAULT,
        name="strict",
        bands=tuple(dataclasses.replace(band, respond_within_s=1.0, off_delay_s=0.0) for band in DEFAULT.bands),
        windows=(Window(name="oiling", holds=Holds.LEARNING, starts_ns=at(16), ends_ns=at(18)),),
        close_after_s=3.0,
    )
)
GATHERED = Asset(
    asset="gathered",
    rated_speed_hz=25.0,
    bearings=(Bearing(name="DE", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904),),
    points=(
        MeasuringPoint(point="DE", quantity="acceleration", unit="m/s2", zones=Zones(a_b=0.0005, b_c=0.001, c_d=0.002)),
    ),
)
Item = Block | Asset | Given | Assigned | Inhibited | Tick
Told = tuple[AlertTransition | DataQuality, ...]


def between(i: int) -> list[Item]:
    """What comes from outside before the records of a second."""
    items: dict[int, list[Item]] = {
        2: [Assigned(policy=STRICT, assets=("failing", "boiler", "changed"))],
        14: [control(0, CommandKind.FREEZE, i, asset="failing")],
        17: [control(1, CommandKind.RESUME, i, asset="failing")],
        22: [control(2, CommandKind.SHELVE, i, asset="limited", until_ns=at(30.5))],
        25: [Inhibited(parent="header", assets=("failing",))],
        27: [control(3, CommandKind.WINDOW, i, asset="boiler", from_ns=at(81), until_ns=at(96))],
        29: [Inhibited(parent="", assets=("failing",))],
        30: [control(4, CommandKind.ACKNOWLEDGE, i, asset="failing"), work(0, WorkKind.OPENED, i, asset="failing")],
        33: [work(1, WorkKind.REPAIR, i, asset="boiler")],
        31: [Inhibited(parent="failing", assets=("limited", "changed"))],
        34: [control(5, CommandKind.ACKNOWLEDGE, i, asset="nobody")],
        36: [
            control(6, CommandKind.LABEL, i, asset="failing", verdict=Verdict.FALSE, from_ns=at(28), until_ns=at(30)),
            control(7, CommandKind.LABEL, i, asset="failing", label_id="c6", accept=True, actor="Grace"),
        ],
        37: [Inhibited(parent="", assets=("limited",))],
        40: [work(2, WorkKind.REPLACEMENT, i, asset="limited")],
    }  # fmt: skip
    return items.get(i, [])


@cache
def stream(length: int = 44) -> list[Item]:
    """Waveforms and frames of six assets, one with two points, all on partition 0.

    Warm-ups, faults that open, escalate and clear, static limits, a stop, a frozen sensor, a repeated and a late block, a
    gap, another layout for good, and master data that changes on the way; windows over several records; commands, work orders, a policy, the alarm of a parent, and a tick
    every three seconds.
    """
    rng = np.random.default_rng(7)
    items: list[Item] = [LIMITED, GATHERED]
    for i in range(length):
        items += between(i)
        if i % 3 == 2:
            items.append(tick(len(items), i + 0.5))
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
        later = 5 * STEP_NS if i >= 30 else 0  # each block follows on the one before, but for one gap
        items.append(
            block(0, asset="gathered", index=i, sampling_rate_hz=4096.0, source_ns=START_NS + i * STEP_NS // 4 + later)
        )
        count = 512 if i >= 18 else 1024
        items.append(block(0, asset="changed", index=i + (i > 9), samples=machine(i, count=count)))
    return placed(items)


def feed(fleet: Fleet, items: Iterable[tuple[int, Item]]) -> Iterator[tuple[int, Outcome | Told]]:
    """Give records one by one with their places, as the worker does: what is on record at its place, blocks once."""
    for place, item in items:
        if isinstance(item, Tick):
            yield place, tuple(fleet.tick(item))
        elif isinstance(item, Asset | Given | Assigned | Inhibited):
            yield place, tuple(fleet.take_up(item, 0, place))
        elif item.origin.offset >= fleet.folded(0, item.asset):
            (outcome,) = fleet.receive([item])
            yield place, outcome
