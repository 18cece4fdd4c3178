"""Commands, work orders and ticks for tests of the Fleet's alerts, and a machine that they are of."""

from __future__ import annotations

from typing import Any

from foreshock.alerts.items import Given
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.vocabulary import CommandKind, WorkKind
from foreshock.contract import Origin, Tick
from foreshock.fleet import Fleet
from foreshock.outcome import Outcome
from tests.core.builders import START_NS, STEP_NS, block


def at(index: float) -> int:
    """Source time of block number `index`; the broker has it 50 ms later."""
    return START_NS + int(index * STEP_NS)


def control(offset: int, kind: CommandKind, index: float, *, asset: str = "pump-1", actor: str = "Ada", **fields: Any):
    """A command at the time of block `index`, with its place on `control.v1`."""
    command = Command(
        command_id=f"c{offset}", kind=kind, asset=asset, actor=actor, at_ns=at(index),
        **{"reason": "because", **fields},
    )  # fmt: skip
    return Given(origin=place("control.v1", offset, index), item=command)


def work(offset: int, kind: WorkKind, index: float, *, asset: str = "pump-1", **fields: Any) -> Given:
    """A record of `maintenance.v1`."""
    order = WorkOrder(
        record_id=f"w{offset}", kind=kind, asset=asset, work_order="4711", at_ns=at(index), actor="Grace", **fields
    )
    return Given(origin=place("maintenance.v1", offset, index), item=order)


def place(topic: str, offset: int, index: float) -> Origin:
    """Where something from outside stands."""
    return Origin(topic=topic, topic_id=f"id-{topic}", partition=0, offset=offset, ingest_ns=at(index) + 50_000_000)


def tick(offset: int, index: float) -> Tick:
    """The clock, before the record at `offset`."""
    return Tick(partition=0, offset=offset, at_ns=at(index))


def feed(fleet: Fleet, first: int, end: int, *, fault: float = 0.0, **fields: Any) -> list[Outcome]:
    """Give blocks `first` to `end` - 1 of a pump."""
    return fleet.receive([block(i, fault=fault, **fields) for i in range(first, end)])


def told(outcomes: list[Outcome]) -> list[AlertTransition]:
    """All transitions of some outcomes."""
    return [each for outcome in outcomes for each in outcome.alerts]
