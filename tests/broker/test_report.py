"""`foreshock report`, `asset` and `queue` read their topics from a real Kafka, with repeats and rubbish among them."""

from __future__ import annotations

import dataclasses
import json
import time
import uuid

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from foreshock.alerts.vocabulary import Verdict, WorkKind
from foreshock.cli import app
from foreshock.contract import Asset, RunState, ScoreState
from foreshock.settings import KafkaSettings, Settings, TopicSettings
from foreshock.streams.kafka import producer_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import ensure
from foreshock.streams.wire import Encoder
from tests.alerts.outcomes_samples import D, H, labelled, life, work
from tests.wire.samples import SCORE


@pytest.fixture(scope="module")
def plant(stack):
    """Ten days: a pump with three alerts, two labels and a failure; a fan that failed unseen; a mill that drifts now."""
    found = Settings(
        kafka=KafkaSettings(bootstrap=stack.bootstrap), topics=TopicSettings(prefix=f"r{uuid.uuid4().hex[:8]}.")
    )
    topics, encoder, now = ensure(found), Encoder(), time.time_ns()
    producer, start = Producer({**producer_config(found), "log_level": 2}), now - 10 * D

    def send(topic, asset, value):
        partition = partition_for(asset.encode(), topics[topic].partitions)
        producer.produce(
            topics[topic].name, value if isinstance(value, bytes) else encoder.encode(value), asset.encode(),
            partition=partition,
        )  # fmt: skip

    pump = [
        t for n in range(3) for t in life(f"a{n}", start + n * D, returned=start + n * D + H, closed=start + n * D + H)
    ]
    mill = [
        *life("c0", start, asset="mill-3", returned=start + H, closed=start + H),
        *life("b0", now - H, asset="mill-3", runbook=("look", "listen")),
    ]
    for each in (*pump, *mill, *pump):
        send("alerts.v1", each.asset, each)
    send("alerts.v1", "pump-7", b"\x00rubbish")
    for each in (
        *labelled("a0", Verdict.TRUE, start + 5 * D),
        *labelled("a1", Verdict.FALSE, start + 5 * D),
        labelled("c0", Verdict.FALSE, start + 5 * D, "mill-3")[0],
    ):
        send("control.v1", each.asset, each)
    for each in (
        work("w1", WorkKind.REPAIR, start + 4 * D, failure_mode="VIB", alert_id="a0", downtime_s=7200.0),
        work("w2", WorkKind.REPAIR, start + 4 * D, "fan-1", failure_mode="BRD"),
    ):
        send("maintenance.v1", each.asset, each)
    for n in range(40):
        row = dataclasses.replace(
            SCORE.rows[-1],
            source_ns=now - (40 - n) * H,
            state=ScoreState.SCORED,
            value=0.4 + n * 0.02,
            run_state=RunState.RUNNING if n % 4 else RunState.STOPPED,
        )
        send("scores.v1", "mill-3", dataclasses.replace(SCORE, asset="mill-3", point="DE", rows=(row,)))
    for name in ("pump-7", "fan-1", "mill-3"):
        send("assets.v1", name, Asset(asset=name, asset_class=name.split("-")[0]))
    assert producer.flush(30) == 0
    return found


@pytest.fixture
def foreshock(plant, monkeypatch):
    """Run a command as a user of the plant."""
    monkeypatch.setenv("FORESHOCK_KAFKA__BOOTSTRAP", plant.kafka.bootstrap)
    monkeypatch.setenv("FORESHOCK_TOPICS__PREFIX", plant.topics.prefix)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.mark.slow
def test_the_report_joins_what_stands_on_the_topics(foreshock, tmp_path):
    """Repeats count once, rubbish is passed over, and each format is made of the same figures."""
    found = foreshock("report", "--format", "json")
    to_file = foreshock("report", "--last", "1d", "--format", "html", "--out", tmp_path / "report.html")

    assert found.exit_code == 0, found.output
    tree = json.loads(found.stdout)
    assert {name: tree["precision"][name] for name in ("true", "false", "unlabelled")} == {
        "true": 1,
        "false": 1,
        "unlabelled": 3,
    }
    assert (tree["assets"], tree["failures"], tree["missed"][0]["job"]["asset"]) == (3, 2, "fan-1")
    assert tree["leads_s"] == pytest.approx([4 * 86400])
    mill = next(each for each in tree["by_class"] if each["name"] == "mill")
    assert mill["measured"] is True
    assert mill["running_h"] == pytest.approx(0.75 * 30 * 24 / 24, rel=0.05)  # heard in the last of 24 instants only
    assert to_file.exit_code == 0, to_file.output
    assert "1 alert:" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_an_asset_is_answered_for(foreshock):
    """Where it is heading, its failure mode, what to do and what was before; of an unknown one nothing, exit 1."""
    found, nobody = foreshock("asset", "mill-3"), foreshock("asset", "mill-4")
    tree = json.loads(foreshock("asset", "pump-7", "--json").stdout)

    assert found.exit_code == 0, found.output
    assert "and rising: +0.48 a day" in found.stdout
    assert "outer race (hypothesis of the alert that stands)" in found.stdout
    assert "1. look" in found.stdout
    assert (tree["headings"], tree["todo"]) == ([], ["Nothing: no alert of it stands."])
    assert "failure w1, VIB" in " ".join(each["what"] for each in tree["history"])
    assert nobody.exit_code == 1
    assert "foreshock why mill-4" in nobody.stdout


@pytest.mark.slow
def test_the_queue_asks_for_what_nobody_labelled(foreshock):
    """A label that waits for a second person is named with how to accept it, and its alert is not asked for."""
    found = foreshock("queue")
    asked = [json.loads(line) for line in foreshock("queue", "--json").stdout.splitlines()]

    assert found.exit_code == 0, found.output
    assert "foreshock label mill-3 --accept l-c0" in found.stdout
    assert sorted(each["incident"]["alert_id"] for each in asked) == ["a2", "b0"]
    assert {(each["true"], each["false"]) for each in asked} == {(1, 1)}


@pytest.mark.parametrize("command", [["report"], ["asset", "pump-7"], ["queue"]])
def test_a_wrong_prefix_is_told_and_makes_no_topics(command, foreshock, plant):
    """To look must not change anything."""
    found = foreshock(*command, "--prefix", "nobody.")
    admin = AdminClient({"bootstrap.servers": plant.kafka.bootstrap, "log_level": 2})

    assert "there is no topic nobody.sensors.v1" in str(found.exception)
    assert [name for name in admin.list_topics(timeout=10).topics if name.startswith("nobody.")] == []


@pytest.mark.parametrize("given", [["--last", "soon"], ["--until", "tomorrow"], ["--last", "0d"]])
def test_a_bad_interval_is_refused_before_anything_is_read(given):
    """One line says how it is written."""
    found = CliRunner().invoke(app, ["report", "--bootstrap", "127.0.0.1:1", *given])

    assert found.exit_code != 0
    assert "30d" in str(found.exception) or "1d" in str(found.exception)
