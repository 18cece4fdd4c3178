"""`foreshock report`, `asset` and `queue` read their topics from a real Kafka, with repeats and rubbish among them."""

from __future__ import annotations

import dataclasses
import json
import time

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from foreshock.alerts.vocabulary import Verdict, WorkKind
from foreshock.cli import app
from foreshock.contract import Asset, RunState, ScoreState
from foreshock.streams.kafka import producer_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import ensure
from foreshock.streams.wire import Encoder
from tests.alerts.outcomes_samples import D, H, labelled, life, work
from tests.wire.samples import SCORE


@pytest.fixture
def written(settings):
    """Ten days of a pump: three alerts, two labels, a failure that was found and one that was not."""
    topics = ensure(settings)
    producer = Producer({**producer_config(settings), "log_level": 2})
    encoder = Encoder()

    def send(topic, asset, value):
        partition = partition_for(asset.encode(), topics[topic].partitions)
        producer.produce(topics[topic].name, value, asset.encode(), partition=partition)

    start = time.time_ns() - 10 * D
    alerts = [t for n in range(3) for t in life(f"a{n}", start + n * D, returned=start + n * D + H)]
    for each in (*alerts, *alerts):
        send("alerts.v1", each.asset, encoder.encode(each))
    send("alerts.v1", "pump-7", b"\x00rubbish")
    for each in (
        *labelled("a0", Verdict.TRUE, start + 5 * D),
        *labelled("a1", Verdict.FALSE, start + 5 * D),
    ):
        send("control.v1", each.asset, encoder.encode(each))
    for each in (
        work("w1", WorkKind.REPAIR, start + 4 * D, failure_mode="VIB", alert_id="a0", downtime_s=7200.0),
        work("w2", WorkKind.REPAIR, start + 4 * D, "fan-1", failure_mode="BRD"),
    ):
        send("maintenance.v1", each.asset, encoder.encode(each))
    row = SCORE.rows[-1]
    for n in range(4):
        state = RunState.RUNNING if n else RunState.STOPPED
        score = dataclasses.replace(SCORE, asset="pump-7", rows=(dataclasses.replace(row, run_state=state),))
        send("scores.v1", "pump-7", encoder.encode(score))
    for name in ("pump-7", "fan-1"):
        send("assets.v1", name, encoder.encode(Asset(asset=name, asset_class=name.split("-")[0])))
    assert producer.flush(30) == 0
    return settings


@pytest.mark.slow
def test_the_report_joins_what_stands_on_the_topics(written, tmp_path, monkeypatch):
    """Repeats count once, rubbish is passed over and told, and each format is made of the same figures."""
    monkeypatch.setenv("FORESHOCK_KAFKA__BOOTSTRAP", written.kafka.bootstrap)
    monkeypatch.setenv("FORESHOCK_TOPICS__PREFIX", written.topics.prefix)
    page = tmp_path / "report.html"

    found = CliRunner().invoke(app, ["report", "--format", "json"])
    to_file = CliRunner().invoke(app, ["report", "--format", "html", "--out", str(page)])
    short = CliRunner().invoke(app, ["report", "--last", "1d", "--format", "json"])

    assert found.exit_code == 0, found.output
    tree = json.loads(found.stdout)
    assert {name: tree["precision"][name] for name in ("true", "false", "unlabelled")} == {
        "true": 1,
        "false": 1,
        "unlabelled": 1,
    }
    assert (tree["assets"], tree["failures"], tree["missed"][0]["job"]["asset"]) == (2, 2, "fan-1")
    assert tree["leads_s"] == pytest.approx([4 * 86400 - 0])
    pump = next(each for each in tree["by_class"] if each["name"] == "pump")
    assert (pump["measured"], pump["failures"]) == (True, 1)
    assert pump["running_h"] == pytest.approx(0.75 * 30 * 24 / 24, rel=0.05)  # heard in the last of 24 instants only
    assert to_file.exit_code == 0, to_file.output
    assert "33% to 50%" in page.read_text()
    assert json.loads(short.stdout)["volume"]["alerts"] == 0


@pytest.mark.slow
def test_an_asset_is_answered_for(written, monkeypatch):
    """Where it is heading, its failure mode, what to do and what was before; of an unknown one nothing, exit 1."""
    monkeypatch.setenv("FORESHOCK_KAFKA__BOOTSTRAP", written.kafka.bootstrap)
    monkeypatch.setenv("FORESHOCK_TOPICS__PREFIX", written.topics.prefix)
    number, now = partition_for(b"pump-7", 4), time.time_ns()
    producer, encoder = Producer({**producer_config(written), "log_level": 2}), Encoder()
    for n in range(40):
        row = dataclasses.replace(
            SCORE.rows[-1], source_ns=now - (40 - n) * H, state=ScoreState.SCORED, value=0.4 + n * 0.02
        )
        score = dataclasses.replace(SCORE, asset="pump-7", point="DE", rows=(row,))
        producer.produce(f"{written.topics.prefix}scores.v1", encoder.encode(score), b"pump-7", partition=number)
    alert = life("b0", now - H, runbook=("look", "listen"))
    producer.produce(f"{written.topics.prefix}alerts.v1", encoder.encode(alert[0]), b"b0", partition=number)
    assert producer.flush(30) == 0

    found = CliRunner().invoke(app, ["asset", "pump-7"])
    tree = json.loads(CliRunner().invoke(app, ["asset", "pump-7", "--json"]).stdout)
    nobody = CliRunner().invoke(app, ["asset", "pump-8"])

    assert found.exit_code == 0, found.output
    assert "and rising: +0.48 a day" in found.stdout
    assert "1. look" in found.stdout
    assert "failure w1, VIB" in found.stdout
    assert tree["failure_mode"].startswith("outer race (hypothesis of the alert that stands)")
    assert [each["point"] for each in tree["headings"] if each["progress"]["rows"] == 40] == ["DE"]
    assert nobody.exit_code == 1
    assert "foreshock why pump-8" in nobody.stdout


@pytest.mark.slow
def test_the_queue_asks_for_what_nobody_labelled(written, monkeypatch):
    """A label that waits for a second person is named with how to accept it, and its alert is not asked for again."""
    monkeypatch.setenv("FORESHOCK_KAFKA__BOOTSTRAP", written.kafka.bootstrap)
    monkeypatch.setenv("FORESHOCK_TOPICS__PREFIX", written.topics.prefix)
    proposal = labelled("a2", Verdict.FALSE, time.time_ns())[0]
    producer = Producer({**producer_config(written), "log_level": 2})
    name, number = f"{written.topics.prefix}control.v1", partition_for(b"pump-7", 4)

    asked = [json.loads(line) for line in CliRunner().invoke(app, ["queue", "--json"]).stdout.splitlines()]
    producer.produce(name, Encoder().encode(proposal), b"pump-7", partition=number)
    assert producer.flush(30) == 0
    found = CliRunner().invoke(app, ["queue"])

    assert found.exit_code == 0, found.output
    assert "foreshock label pump-7 --accept l-a2" in found.stdout
    assert "--verdict" not in found.stdout
    assert [each["incident"]["alert_id"] for each in asked] == ["a2"]
    assert (asked[0]["true"], asked[0]["false"]) == (1, 1)


@pytest.mark.parametrize("given", [["--last", "soon"], ["--until", "tomorrow"], ["--last", "0d"]])
def test_a_bad_interval_is_refused_before_anything_is_read(given):
    """One line says how it is written."""
    found = CliRunner().invoke(app, ["report", "--bootstrap", "127.0.0.1:1", *given])

    assert found.exit_code != 0
    assert "30d" in str(found.exception) or "1d" in str(found.exception)
