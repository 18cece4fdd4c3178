"""A transition names the case of the anomaly it rests on, also where that came with an earlier record."""

from __future__ import annotations

from typing import Any

from foreshock.alerts.vocabulary import CommandKind
from foreshock.contract import SensorBlock
from foreshock.fleet import AssetState, Fleet, FleetSpec
from foreshock.outcome import Outcome
from foreshock.streams import wire
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.cases.naming import Naming
from tests.chaos.reading import Record
from tests.core.alerting import control
from tests.core.builders import block

SPEC = FleetSpec(warmup_blocks=16)
BLOCKS = [block(i, fault=min(0.5 * max(i - 23, 0), 8.0)) for i in range(60)]


def record(made: SensorBlock) -> Any:
    """The record that a block came with."""
    value = wire.Encoder(topic="sensors.v1").encode(made)
    return Record("sensors.v1", (0, made.origin.offset), made.asset.encode(), value)


def run(fleet: Fleet, blocks: list[SensorBlock], size: int) -> list[Outcome]:
    """Give blocks in batches, each named."""
    name, found = Naming(fleet, Casebook()), list[Outcome]()
    for at in range(0, len(blocks), size):
        part = blocks[at : at + size]
        found += name(fleet.receive(part), [record(each) for each in part])
    return found


def test_later_transitions_name_the_case() -> None:
    """Of escalations and of commands: the sha256 that the case of their anomaly has."""
    fleet, book = Fleet(SPEC), Casebook()
    outcomes = run(fleet, BLOCKS, 1)
    cases: dict[str, str] = {}
    for outcome, made in zip(outcomes, BLOCKS, strict=True):
        cases |= book.name(outcome, record(made))
    told = [alert for outcome in outcomes for alert in outcome.alerts]
    (answer,) = fleet.take_up(control(0, CommandKind.ACKNOWLEDGE, 60), 0, 60)

    assert len(told) > 1
    assert [each.evidence for each in (*told, answer)] == [cases[each.anomaly_id] for each in (*told, answer)]
    assert {each.anomaly_id for each in told} < cases.keys()


def test_batches_and_restarts_leave_no_trace() -> None:
    """Outcomes and state are the same in batches of any size, and after going on from a capture."""
    one, many = Fleet(SPEC), Fleet(SPEC)
    outcomes = run(one, BLOCKS, 1)

    assert run(many, BLOCKS, 7) == outcomes
    assert many.capture(0, "pump-1").digest() == one.capture(0, "pump-1").digest()
    for stop in range(24, 60, 5):
        before, after = Fleet(SPEC), Fleet(SPEC)
        run(before, BLOCKS[:stop], 4)
        after.restore(AssetState.from_bytes(before.capture(0, "pump-1").to_bytes()))
        assert run(after, BLOCKS[stop:], 3) == outcomes[stop:]
