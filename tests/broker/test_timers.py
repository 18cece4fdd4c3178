"""The timer of silence: when it hands a tick in, and when it must not."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import KafkaError, KafkaException

from foreshock.contract import Tick
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.records import TickRequest
from foreshock.streams.timers import Timers
from tests.core.builders import START_NS, block

S = 1_000_000_000
HERE = ("sensors.v1", 0)


class World:
    """A Fleet with one pump that sent three blocks, a clock, and a broker that says where the partition ends."""

    def __init__(self) -> None:
        self.fleet = Fleet(FleetSpec(warmup_blocks=12, silent_s=10.0))
        self.custody = Custody(lambda _: None)
        self.now = START_NS + 3 * S
        self.latest, self.ends, self.idle, self.away = 3, 0, True, False
        self.ready = True
        self.asked: list[TickRequest] = []
        self.timers = Timers(
            self.fleet,
            self.custody,
            ready=lambda: self.ready,
            ends=lambda: {HERE: self.ends},
            idle=lambda: self.idle,
            latest=self.answer,
            submit=self.asked.append,
            wait_s=5.0,
            now_ns=lambda: self.now,
        )
        self.receive(0, 3)

    def answer(self, partitions):
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return dict.fromkeys(partitions, self.latest)

    def receive(self, first: int, end: int, **changes) -> None:
        self.fleet.receive([block(i, asset="pump", **changes) for i in range(first, end)])
        self.custody.fold(HERE, end)

    def look(self, *seconds: float) -> list[TickRequest]:
        """Look at these seconds after the first block; what was handed in meanwhile."""
        before = len(self.asked)
        for second in seconds:
            self.now = START_NS + int(second * S)
            asyncio.run(self.timers.look())
        return self.asked[before:]


@pytest.fixture
def world() -> World:
    """A worker that has run for a minute's beginning: its wait after the start is over."""
    found = World()
    found.look(3.0)
    return found


def test_hands_in_the_time_at_which_a_sensor_is_overdue(world):
    """Nothing before the limit, a tick with that time after it, which tells the sensor; then nothing any more."""
    assert world.look(*range(4, 12)) == []
    (asked,) = world.look(12.5)
    assert asked == TickRequest(0, START_NS + int(12.5 * S), 0)
    assert world.fleet.tick(Tick(partition=0, offset=3, at_ns=asked.at_ns))
    assert world.look(13.5, 14.5) == []


def test_a_backlog_silences_nobody(world):
    """While records lie unread nobody is overdue for sure; when they are folded in, nobody is at all."""
    world.latest = 9
    assert world.look(*range(4, 30)) == []
    world.receive(3, 9, index=28)
    assert world.look(30) == []


def test_markers_of_transactions_are_no_backlog(world):
    """Where a producer's transactions leave offsets without records, the end that was read counts, unless something is on its way."""
    world.latest, world.ends, world.idle = 5, 5, False
    assert world.look(*range(4, 14)) == []
    world.idle = True
    assert len(world.look(14)) == 1


def test_an_outage_of_the_brokers_silences_nobody(world):
    """What could not arrive was not silence: the time counts from the moment at which the brokers are back."""
    world.away = True
    assert world.look(*range(4, 3600, 5)) == []
    world.away = False
    assert world.look(*range(3600, 3610, 2)) == []
    (asked,) = world.look(3612)
    assert asked.since_ns == START_NS + 3600 * S


def test_who_slept_heard_nobody(world):
    """After the process was stopped for an hour, sensors have their time to come back."""
    assert world.look(3603.0, 3604, 3612) == []
    assert len(world.look(3614)) == 1


def test_nobody_is_told_right_after_the_start():
    """A worker that starts with a restored state waits first: who was stopped with it comes back with it."""
    world = World()
    assert world.look(4000, 4002, 4004) == []
    assert len(world.look(4006)) == 1


def test_a_fleet_that_is_being_restored_is_left_alone(world):
    """Between two assignments nobody is asked for: another thread fills the Fleet."""
    world.ready = False
    assert world.look(*range(4, 40)) == []
    world.ready = True
    assert len(world.look(41)) == 1


def test_a_partition_that_went_away_is_not_asked_for(world):
    """Sensors of a partition that another worker has are the other's."""
    world.custody.drop([HERE])
    assert world.look(*range(4, 40)) == []
