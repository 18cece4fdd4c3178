"""`foreshock why` against a real Kafka: one sentence for each reason why there is a score, an alert, or neither."""

from __future__ import annotations

import dataclasses
import json
import time

import pytest
from typer.testing import CliRunner

from foreshock.answers.answer import answer
from foreshock.answers.facts import Answer
from foreshock.cli import app
from foreshock.contract import Context
from foreshock.settings import Settings
from foreshock.streams.errands.inquiry import inquire
from foreshock.streams.partitioner import partition_for


def why(settings: Settings, asset: str) -> Answer:
    """The answer as the command gives it."""
    return answer(inquire(settings, asset))


@pytest.fixture
def plant(settings, open_topics, make_block):
    """Topics of a plant whose assets sent what `why` has to explain."""
    topics = open_topics(settings)
    for i in range(24):
        topics.send_block(make_block("pump-scored", i))
        topics.send_block(make_block("pump-still", i, context=Context(speed_hz=0.0)))
    for i in range(8):
        topics.send_block(make_block("pump-warm", i))
        topics.send_block(make_block("pump-other", i))
    topics.send_block(make_block("pump-other", 9, samples=512))
    topics.send_block(make_block("pump-late", 5))
    topics.send_block(make_block("pump-late", 2))
    topics.send_block(make_block("pump-bad", 0))
    topics.send(b"\x01garbage", b"pump-bad")
    wrong = (partition_for(b"pump-lost", 4) + 1) % 4
    topics.send(topics.encode(make_block("pump-lost", 0)), b"pump-lost", partition=wrong)
    topics.flush()
    return topics


INPUTS = 24 * 2 + 8 * 2 + 1 + 2 + 2 + 1


@pytest.mark.slow
def test_says_why(settings, plant, start_worker, poll_until):
    """Warming, scored, standing still, other layout, late, refused, wrong partition, unknown; then nobody works."""
    settings = dataclasses.replace(settings, detection=dataclasses.replace(settings.detection, warmup_blocks=20))
    before = why(settings, "pump-warm")
    assert before.code == "no_worker"
    assert "is running" in before.sentence
    assert "wait" in before.sentence

    worker = start_worker(settings)
    plant.wait_for_outcomes(INPUTS, worker=worker)
    began = time.monotonic()
    found = {
        name: why(settings, name)
        for name in (
            "pump-scored",
            "pump-still",
            "pump-warm",
            "pump-other",
            "pump-late",
            "pump-bad",
            "pump-lost",
            "pump-wram",
        )
    }
    assert time.monotonic() - began < 8 * 5
    told = {name: (each.code, each.sentence) for name, each in found.items()}
    assert {name: code for name, (code, _) in told.items()} == {
        "pump-scored": "scored",
        "pump-still": "not_running",
        "pump-warm": "warming",
        "pump-other": "not_usable",
        "pump-late": "late",
        "pump-bad": "rejected",
        "pump-lost": "rejected",
        "pump-wram": "unknown",
    }, told
    assert "it warms up and is at 40 %" in told["pump-warm"][1]
    assert "below the boundary" in told["pump-scored"][1]
    assert "block layout changed" in told["pump-other"][1]
    assert "unknown_framing" in told["pump-bad"][1]
    assert "wrong_partition" in told["pump-lost"][1]
    assert "Did you mean pump-warm" in told["pump-wram"][1]
    assert not found["pump-wram"].known
    assert all(line.source for each in found.values() for line in each.lines)

    flags = ["--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix]
    flags += ["--group", settings.worker.group, "--redis", settings.redis.url]
    for name in ("pump-bad", "pump-wram"):
        shown = CliRunner().invoke(app, ["why", name, *flags])
        assert shown.exit_code == (0 if found[name].known else 1)
        assert shown.output.startswith(found[name].sentence[:20])
        assert f"[{found[name].lines[1].source[-2]}]" in shown.output
    written = json.loads(CliRunner().invoke(app, ["why", "pump-warm", *flags, "--json"]).output)
    assert (written["asset"], written["code"]) == ("pump-warm", "warming")

    worker.stop()
    plant.send(b"\x01garbage", b"pump-warm")
    plant.flush()
    poll_until(lambda: why(settings, "pump-warm").code == "no_worker", 30)
    after = CliRunner().invoke(app, ["why", "pump-warm", *flags])
    assert "1 record of partition" in after.output
