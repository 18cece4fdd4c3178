"""Workers die or are stopped, and workers come and go."""

from __future__ import annotations

import signal
import time
from collections import defaultdict

import pytest

from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import CommandKind
from foreshock.streams.errands.sender import Sender
from tests.broker.conftest import until as poll
from tests.chaos.plant import READY_S, SESSION_S, WAIT_S, Plant, sound

pytestmark = pytest.mark.slow
LINGER_S = 1.5


def test_sigkill_of_one_of_each_in_turn_and_of_all(plant):
    """Whoever is killed, nothing is lost, nothing is different, little comes twice, and every anomaly can be replayed.

    What people ask just before is answered, once, by whoever has the asset then.
    """
    hall = plant()
    worker = hall.start()
    worker.wait_for("worker ready", READY_S, times=2)
    asked: set[str] = set()
    with hall.feeding():
        for share, victims in ((0.15, [0]), (0.35, [1]), (0.55, [0]), (0.75, [])):
            hall.reach(share, worker)
            asked |= ask(hall, f"{share}")
            worker.hurt(*victims)
    poll(lambda: asked == answers(hall).keys(), WAIT_S, worker.shown)
    verdict = hall.finish(worker)

    sound(verdict, worker, repeated=hall.holds(restarts=5))
    assert {len(events) for events in answers(hall).values()} == {1}
    replays = hall.replays()
    assert replays.wrong == []
    assert replays.equal == replays.refused > hall.plan.blocks / 250


def ask(hall: Plant, about: str) -> set[str]:
    """Acknowledge, freeze and let learn again, for every asset and for one that is not there; give the ids of the commands."""
    names = [*(each.asset for each in hall.plan.master_data()), "ghost"]
    kinds = (CommandKind.ACKNOWLEDGE, CommandKind.FREEZE, CommandKind.RESUME)
    found = [
        Command(
            command_id=f"{about} {kind} {name}",
            kind=kind,
            asset=name,
            actor="mia",
            reason="chaos",
            at_ns=time.time_ns(),
        )
        for name in names
        for kind in kinds
    ]
    with Sender(hall.settings) as sender:
        for each in found:
            sender.send(each)
    return {each.command_id for each in found}


def answers(hall: Plant) -> dict[str, set[str]]:
    """Events that each command led to."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in hall.read("alerts.v1"):
        if each.record["command_id"]:
            found[each.record["command_id"]].add(each.id)
    return found


def test_zombie_sends_what_it_had_queued(plant):
    """A worker that was stopped beyond its session wakes up with outputs and a checkpoint in its queues: its successor's stand.

    Its queues wait a second and a half before they send, so that the stop catches them full. What its client still sends
    has the bytes that its successor sent, and is no more than it had in its queue: what waited before it is dropped.
    What it still has of its state is fenced by Kafka.
    """
    hall = plant(session_s=SESSION_S, **{"linger.ms": f"{LINGER_S * 1000:.0f}"})
    worker = hall.start()
    worker.wait_for("worker ready", READY_S, times=2)
    with hall.feeding(upto=0.5):
        hall.reach(0.2, worker)
        (zombie,) = worker.hurt(0, how=signal.SIGSTOP)
        worker.wait_for("hall-1, " + hall.topics.name("sensors.v1") + " partitions 0, 1, 2, 3", 10 * SESSION_S)
        hall.open(1.0)  # there is something left for the successor, however quick they were
        hall.progress(hall.outcomes() + hall.plan.blocks // 10, worker)
        hall.checkpointed(worker)
        hall.resume(zombie)
    verdict = hall.finish(worker)

    sound(verdict, worker, repeated=hall.queued(LINGER_S))


def test_scaling_from_one_to_three_and_back(plant):
    """Two workers join and leave while blocks come: each asset goes on where its last owner left it."""
    hall = plant(processes=1, static=False)
    first = hall.start("--slot", "0")
    first.wait_for("worker ready", READY_S)
    with hall.feeding(upto=0.3):
        hall.reach(0.1, first)
        others = [hall.start("--slot", "0") for _ in range(2)]
        for other in others:
            other.wait_for("worker ready", READY_S)
        hall.open(0.6)
        hall.reach(0.5, first, *others)
        hall.open(0.9)
        for other in others:
            assert other.stop() == 0, other.shown()
    verdict = hall.finish(first)

    sound(verdict, first, *others, repeated=0)
