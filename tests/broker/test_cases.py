"""Cases through a real broker: published by workers that are killed, replayed without the raw records, taken away as files."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import typer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.cli import cases as cases_command
from foreshock.cli import evidence as evidence_command
from foreshock.cli import explain as explain_command
from foreshock.cli import replay as replay_command
from foreshock.contract import Asset, Limit, MeasuringPoint
from foreshock.streams.cases.file import read
from foreshock.streams.cases.works import read_work
from foreshock.streams.errands.asking import tell
from foreshock.streams.errands.sender import Sender

ASSETS = [f"pump-{n}" for n in range(8)]
BLOCKS = 60
FAULTY = range(30, 45)
MS = 1_000_000


@pytest.fixture
def mine(settings):
    """Settings with a warm-up that the few blocks of a test can pass, and quick checkpoints."""
    detection = replace(settings.detection, warmup_blocks=12)
    return replace(settings, detection=detection, worker=replace(settings.worker, checkpoint_s=0.5))


@pytest.fixture
def command(mine, monkeypatch):
    """Run a command against the topics of this test, with the worker's settings of detection."""
    monkeypatch.setenv("FORESHOCK_DETECTION__WARMUP_BLOCKS", str(mine.detection.warmup_blocks))

    def run(function, *arguments: str):
        app = typer.Typer()
        app.command()(function)
        given = ["--bootstrap", mine.kafka.bootstrap, "--prefix", mine.topics.prefix]
        return CliRunner().invoke(app, [*arguments, *given], catch_exceptions=False)

    return run


def send(topics, make_block, numbers) -> None:
    for i in numbers:
        for n, asset in enumerate(ASSETS):
            block = make_block(asset, i)
            if i in FAULTY:
                block = replace(block, samples=(block.samples * np.float32(3 + n)).astype(np.float32))
            topics.send_block(block)
    topics.flush()


@pytest.mark.slow
def test_every_anomaly_of_a_killed_run_replays_after_its_raw_records_are_gone(
    mine, open_topics, start_worker, make_block, poll_until, command, tmp_path
):
    """A worker is killed while episodes open; its successor goes on. Each anomaly is EQUAL from its case alone."""
    topics = open_topics(mine)
    limited = MeasuringPoint(
        point="de", quantity="acceleration", unit="m/s2", limits=(Limit(feature="rms", above=2.5),)
    )
    with Sender(mine) as sender:
        sender.send(Asset(asset=ASSETS[0], asset_class="pump", points=(limited,)))
    send(topics, make_block, range(33))
    worker = start_worker(mine)
    topics.wait_for_outcomes(32 * len(ASSETS), 200, worker=worker)
    with open(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children") as file:
        os.kill(int(file.read().split()[0]), signal.SIGKILL)
    send(topics, make_block, range(33, BLOCKS))
    worker.wait_for("ended with code -9")
    topics.wait_for_outcomes(BLOCKS * len(ASSETS), 200, worker=worker)
    written = command(cases_command.run, "--once", "--before", "5", "--after", "3", "--after-seconds", "300", "--json")
    assert worker.stop() == 0, worker.shown()

    anomalies = {each.record["event_id"]: each.record for each in topics.read("anomalies.v1")}
    assert {each["asset"] for each in anomalies.values()} == set(ASSETS)
    assert {each["mode"] for each in anomalies.values()} == {"model", "static_limit"}
    assert json.loads(written.output)["written"] > len(anomalies)
    from_log = command(replay_command.run, next(iter(anomalies)), "--log")
    assert from_log.exit_code == 0, from_log.output

    ends = topics.ends("sensors.v1")
    admin = AdminClient({"bootstrap.servers": mine.kafka.bootstrap})
    gone = [TopicPartition(topics.name("sensors.v1"), number, end) for number, end in ends.items()]
    for future in admin.delete_records(gone).values():
        future.result(30)
    replayed = command(replay_command.run, "--all", "--json")

    verdicts = [json.loads(line) for line in replayed.output.splitlines()]
    assert {each["event_id"] for each in verdicts} == anomalies.keys()
    assert Counter(each["equal"] for each in verdicts) == {True: len(anomalies)}, replayed.output
    assert replayed.exit_code == 0

    chosen = next(each for each in anomalies.values() if each["phase"] == "opened")
    out = tmp_path / "case.avro"
    taken = command(evidence_command.run, chosen["event_id"][:8], "--out", str(out))
    told = command(explain_command.run, chosen["event_id"])
    assert taken.exit_code == told.exit_code == 0, taken.output + told.output
    assert "EQUAL, bit for bit" in told.output
    file = read(out.read_bytes())
    last = chosen["lineage"]["inputs"][0]["last"]
    kinds = {kind: [p for p in file.parts if p.kind == kind] for kind in ("before", "after", "window")}
    assert [len(kinds[kind]) for kind in kinds] == [5, 3, 1]
    assert all(part.key == chosen["asset"].encode() for kind in ("before", "after") for part in kinds[kind])
    assert all(part.number < last for part in kinds["before"])
    assert all(part.number > last for part in kinds["after"])
    assert kinds["window"][0].note == ""


@pytest.mark.slow
def test_the_case_writer_goes_on_where_it_was(mine, open_topics, start_worker, make_block, command, tmp_path):
    """A second run finds everything committed; one whose commits are lost writes the same parts again, byte for byte.

    Around work on a machine it keeps records too, by the times that are told of it, also where none are there.
    """
    topics = open_topics(mine)
    for start in range(0, BLOCKS, 20):  # the records of one request have one time
        send(topics, make_block, range(start, start + 20))
    worker = start_worker(mine)
    topics.wait_for_outcomes(BLOCKS * len(ASSETS), 200, worker=worker)
    assert worker.stop() == 0, worker.shown()
    pump = [each for each in topics.raw("sensors.v1") if each.key() == ASSETS[3].encode()]
    began, ended = (pump[number].timestamp()[1] for number in (20, 40))
    about = {"asset": ASSETS[3], "actor": "hall"}
    tell(mine, order("opened", at_ns=began * MS, **about))
    tell(mine, order("note", at_ns=began * MS, **about))
    stood = {"downtime_s": (ended - began) / 1000, "finished_ns": ended * MS}
    tell(mine, order("repair", at_ns=time.time_ns(), **stood, **about))
    tell(mine, order("closed", at_ns=began * MS, asset="never-heard-of", actor="hall"))
    run = lambda *more: command(
        cases_command.run, "--once", "--json", "--before", "4", "--after", "2", "--after-seconds", "3",
        "--after-work-seconds", "3", *more
    )  # fmt: skip

    first = json.loads(run().output)["written"]
    parts = {each.headers["ce_id"]: each.value for each in topics.read("evidence.v1")}
    second = json.loads(run().output)["written"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORESHOCK_WORKER__GROUP", f"{mine.worker.group}-again")
        third = json.loads(run().output)["written"]
    again = [(each.headers["ce_id"], each.value) for each in topics.read("evidence.v1")]

    assert (second, third) == (0, first)
    assert len(again) == len(parts) + third
    assert all(parts[part_id] == value for part_id, value in again)

    out = tmp_path / "work.avro"
    taken = command(evidence_command.run, "--order", "WO-1", "--out", str(out), "--json")
    assert taken.exit_code == 0, taken.output
    opened, repair, unknown = read_work(out.read_bytes())
    assert [each.order.kind for each in (opened, repair, unknown)] == ["opened", "repair", "closed"]
    earlier = [each for each in pump if each.timestamp()[1] < began]
    assert len(earlier) >= 4
    later = {at: [each for each in pump if each.timestamp()[1] >= at] for at in (began, ended)}
    for found, until in ((opened, began), (repair, ended)):
        assert [each.number for each in found.of("before")] == [each.offset() for each in earlier[-4:]]
        assert [each.number for each in found.of("after")] == [each.offset() for each in later[until][:2]]
        assert [each.value for each in found.of("before")] == [each.value() for each in earlier[-4:]]
        assert [each.note for each in found.of("window")] == [""]
    assert not unknown.of("before") + unknown.of("after")
    assert "0 of 2 records after the event came" in unknown.of("window")[0].note
    shown = json.loads(taken.output)["records"]
    assert [(each["before"], each["after"]) for each in shown] == [(4, 2), (4, 2), (0, 0)]


def order(kind: str, **about) -> WorkOrder:
    """What maintenance tells of work order WO-1."""
    return WorkOrder(record_id=f"{kind}-{about['asset']}", kind=WorkKind(kind), work_order="WO-1", **about)
