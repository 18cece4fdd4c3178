"""Alerts end to end on a real broker: a fault, what people ask of it, a crash in between, and what cannot be meant."""

from __future__ import annotations

import json
import re
import signal
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from foreshock.alerts.carrying import LOST
from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.vocabulary import CommandKind, WorkKind
from foreshock.cli import app
from foreshock.contract import Asset
from foreshock.errors import ForeshockError, Unavailable
from foreshock.streams.errands.asking import alarms, tell
from foreshock.streams.errands.sender import Sender
from foreshock.streams.partitioner import partition_for
from tests.chaos.reading import read_topic

ASSETS = ("pump-7", "pump-8")
PUMP, OTHER = ASSETS
NOW_NS = 1_760_000_000_000_000_000
POLICY = """
name = "quick"
owner = "mechanics"
escalation = ["shift lead"]
close_after = "2s"
[[bands]]
severity = "warning"
raise_at = 1.5
clear_at = 1.2
on_delay = "0s"
off_delay = "0s"
n = 1
m = 1
respond_within = "1h"
action = "look at it"
runbook = ["look", "listen"]
[[bands]]
severity = "critical"
raise_at = 5.0
clear_at = 4.0
on_delay = "0s"
off_delay = "0s"
n = 1
m = 1
respond_within = "1h"
action = "stop it"
runbook = ["stop"]
"""


class Plant:
    """Two pumps whose vibration is as large as a test says, and the people around them."""

    def __init__(self, settings, topics, make_block, poll_until):
        self.settings, self.topics = settings, topics
        self._block, self._until = make_block, poll_until
        self._next = 0
        self._begun_ns = time.time_ns() - 30_000_000_000  # late records would be held: they may be of the past

    def run(self, rounds, level=1.0, asset=PUMP):
        """Let one pump run at a level and the other as always."""
        for i in range(self._next, self._next + rounds):
            for each in ASSETS:
                made = self._block(each, i, source_ns=self._begun_ns + i * 160_000_000)
                self.topics.send_block(replace(made, samples=made.samples * (level if each == asset else 1.0)))
        self.topics.flush()
        self._next += rounds

    def told(self, asset=PUMP):
        """Changes of an asset on alerts.v1, each once, in the order of its first copy."""
        found = {}
        for each in self.topics.read("alerts.v1"):
            if each.record["asset"] == asset:
                found.setdefault(each.record["event_id"], each.record)
        return list(found.values())

    def changes(self, asset=PUMP):
        """What happened to an asset's alerts."""
        return [each["change"] for each in self.told(asset)]

    def until(self, change, worker, level=1.0, times=1):
        """Let it run on until a change was told so often, never further than the worker has come."""

        def happened():
            if sum(self.topics.ends("scores.v1").values()) < len(ASSETS) * self._next:
                return False
            if self.changes().count(change) >= times:
                return True
            self.run(4, level)
            return False

        self._until(happened, 90, lambda: f"no {change} in {self.changes()}:\n{worker.shown()}")

    def ask(self, *words, code=0):
        """Run a command of `foreshock`; give what it printed."""
        where = ("--bootstrap", self.settings.kafka.bootstrap, "--prefix", self.settings.topics.prefix)
        who = ("--actor", "mia", "--reason", "heard of it")
        done = CliRunner().invoke(app, [*words, *who, *where])
        if isinstance(done.exception, ForeshockError):
            raise done.exception
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    def send_raw(self, value, key):
        """Send a value to control.v1 as it is."""
        number = partition_for(key.encode(), self.settings.topics.partitions)
        self.topics.producer.produce(self.topics.name("control.v1"), value, key.encode(), number)
        self.topics.flush()


@pytest.fixture
def plant(quick, tmp_path: Path, open_topics, make_block, poll_until):
    """Registered pumps, a policy in a file, and a warm-up that is soon over."""
    (tmp_path / "quick.toml").write_text(POLICY)
    settings = replace(quick, alerts=replace(quick.alerts, policies=(str(tmp_path),)))
    topics = open_topics(settings)
    with Sender(settings) as sender:
        for each in ASSETS:
            sender.send(Asset(asset=each, path=("acme", "north", "water", "line 1"), asset_class="pump"))
    return Plant(settings, topics, make_block, poll_until)


@pytest.mark.slow
def test_life_of_an_alert_over_a_crash(plant, start_worker, poll_until):
    """Raised, acknowledged, escalated by another worker after a kill, returned, seen again, closed: each once."""
    first = start_worker(plant.settings, "--slot", "0")
    plant.run(60)
    plant.until("raised", first, level=2.5)
    raised = plant.told()[0]
    assert (raised["severity"], raised["owner"], raised["policy"].partition("@")[0]) == (
        "warning",
        "mechanics",
        "quick",
    )
    assert raised["points"] == ["de"]
    assert raised["score"] >= 1.5

    assert "acknowledged" in plant.ask("ack", raised["alert_id"][:8])
    refused = plant.ask("ack", PUMP, code=1)
    assert "already" in refused
    standing = alarms(plant.settings)
    assert [each["state"] for each in standing.values()] == ["acknowledged"]
    assert next(iter(standing.values()))["acknowledged_by"] == "mia"

    first.stop(signal.SIGKILL)
    second = start_worker(plant.settings, "--slot", "0")
    plant.until("escalated", second, level=20.0)
    assert [each["state"] for each in alarms(plant.settings).values()] == ["unacknowledged"]  # worse than what was seen
    plant.until("returned_to_normal", second)
    assert "acknowledged" in plant.ask("ack", PUMP)
    plant.until("closed", second)
    assert second.stop() == 0, second.shown()

    life = [each for each in plant.told() if each["alert_id"] == raised["alert_id"]]
    changes = [each["change"] for each in life]
    assert changes[:2] == ["raised", "acknowledged"]
    assert changes[-1] == "closed"
    assert changes.count("raised") == changes.count("closed") == changes.count("escalated") == 1
    assert changes.count("acknowledged") == 2
    assert "returned_to_normal" in changes
    assert {each["initial_score"] for each in life} == {raised["score"]}
    assert plant.changes(OTHER) == []
    assert alarms(plant.settings) == {}
    tombstones = [each for each in plant.topics.raw("alarms.v1") if each.value() is None]
    assert {each.key().decode() for each in tombstones} == {raised["alert_id"]}


@pytest.mark.slow
@pytest.mark.parametrize("all_of_it", [False, True], ids=["damaged", "gone"])
def test_alert_outlives_the_state_of_its_asset(plant, start_worker, poll_until, all_of_it):
    """A damaged snapshot, or no state at all: the asset starts cold, its alert goes on under its id, and can be closed."""
    first = start_worker(plant.settings, "--slot", "0")
    plant.run(60)
    plant.until("raised", first, level=2.5)
    raised = plant.told()[0]
    assert first.stop() == 0
    number = partition_for(PUMP.encode(), plant.settings.topics.partitions)
    keys = (
        {each.key() for each in read_topic(plant.settings, "state.v1")} if all_of_it else {f"{number}/{PUMP}".encode()}
    )
    for key in keys:
        where = int(re.match(rb"[0-9]+", key)[0])
        plant.topics.producer.produce(plant.topics.name("state.v1"), None if all_of_it else b"nonsense", key, where)
    plant.run(4)

    second = start_worker(plant.settings, "--slot", "0")
    poll_until(lambda: LOST in {each["reason"] for each in plant.told()}, 120, second.shown)
    (standing,) = alarms(plant.settings).values()
    assert (standing["alert_id"], standing["state"]) == (raised["alert_id"], "returned_unacknowledged")
    assert "closed" in plant.ask("close", PUMP)
    assert second.stop() == 0, second.shown()

    assert {each["alert_id"] for each in plant.told()} == {raised["alert_id"]}
    assert alarms(plant.settings) == {}


@pytest.mark.slow
def test_command_waits_for_the_worker_and_is_taken_once(plant, start_worker, poll_until):
    """Sent while nobody runs: taken when one is back, told once, and not again by the next one."""
    first = start_worker(plant.settings, "--slot", "0")
    plant.run(30)
    plant.topics.wait_for_outcomes(60, worker=first)
    assert first.stop() == 0

    with pytest.raises(Unavailable, match="freeze-1 stands on control"):
        plant.ask("freeze", PUMP, "--wait", "0.5", "--id", "freeze-1")
    tell(
        plant.settings,
        WorkOrder(record_id="w-1", kind=WorkKind.NOTE, asset=PUMP, work_order="", at_ns=NOW_NS, actor="mia", note="x"),
    )
    second = start_worker(plant.settings, "--slot", "0")
    poll_until(lambda: "frozen" in plant.changes(), 60, second.shown)
    plant.run(5)
    plant.topics.wait_for_outcomes(70, worker=second)
    scores = [each.record for each in plant.topics.read("scores.v1") if each.record["asset"] == PUMP]
    assert [each["learning"].partition(":")[0] for each in scores[-5:]] == ["held"] * 5
    assert second.stop() == 0

    third = start_worker(plant.settings, "--slot", "0")
    third.wait_for("worker ready")
    assert "resumed" in plant.ask("resume", PUMP)
    assert third.stop() == 0
    answers = [each.record for each in plant.topics.read("alerts.v1") if each.record["command_id"] == "freeze-1"]
    assert [each["change"] for each in answers] == ["frozen"]
    assert plant.changes() == ["frozen", "resumed"]


ACK = Command(command_id="x", kind=CommandKind.ACKNOWLEDGE, asset=PUMP, actor="mia", reason="saw it", at_ns=NOW_NS)
BAD = {
    "no actor": ({**asdict(ACK), "command_id": "1", "actor": " "}, PUMP, "actor is empty"),
    "an unknown kind": ({**asdict(ACK), "command_id": "2", "kind": "reboot"}, PUMP, "reboot"),
    "nothing to acknowledge": ({**asdict(ACK), "command_id": "3"}, PUMP, "no"),
    "an unknown alert": ({**asdict(ACK), "command_id": "4", "alert_id": "f" * 32}, PUMP, "f" * 32),
    "a clock in the future": (
        {**asdict(ACK), "command_id": "5", "at_ns": 4_000_000_000_000_000_000},
        PUMP,
        "after the broker",
    ),
    "an unknown asset": ({**asdict(ACK), "command_id": "6", "asset": "ghost"}, "ghost", "ghost"),
    "an expired window": (
        {**asdict(ACK), "command_id": "7", "kind": "window", "until_ns": NOW_NS - 10**9},
        PUMP,
        "over",
    ),
    "the key of another asset": ({**asdict(ACK), "command_id": "8"}, OTHER, "the key is"),
}


@pytest.mark.slow
def test_bad_commands_are_answered(plant, start_worker, poll_until):
    """Each with `refused` and a reason that names what is wrong; what is no record at all is told in the log; the worker goes on."""
    worker = start_worker(plant.settings, "--slot", "0")
    plant.run(30)
    for record, key, _ in BAD.values():
        plant.send_raw(json.dumps(record).encode(), key)
    plant.send_raw(b"\x07garbage", PUMP)
    plant.send_raw(b"{}", "")

    def answers():
        return [each.record for each in plant.topics.read("alerts.v1")]

    poll_until(lambda: len(answers()) >= len(BAD) + 1, 60, worker.shown)
    found = {each["command_id"]: each for each in answers()}
    assert {each["change"] for each in found.values()} == {"refused"}
    for name, (record, _, says) in BAD.items():
        assert says in found[record["command_id"]]["reason"], name
    assert "unknown_framing" in found[""]["reason"]
    worker.wait_for("control.v1 partition", times=2)
    assert worker.stop() == 0


def test_worker_refuses_a_bad_policy(quick, tmp_path, start_worker):
    """All that is wrong at once, with the file; exit code 2, before Kafka is asked for anything."""
    (tmp_path / "bad.toml").write_text('name = "x"\nowner = "y"\nbads = 3\n')
    worker = start_worker(replace(quick, alerts=replace(quick.alerts, policies=(str(tmp_path),))), "--slot", "0")

    assert worker.ends() == 2, worker.shown()
    assert "bad.toml" in worker.shown()
    assert "bads" in worker.shown()
