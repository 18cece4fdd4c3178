"""Dead letters sent again: mended or as they were, once, with headers and origin; and the loop guard."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from foreshock.cli.dead_letters import app
from foreshock.streams.partitioner import partition_for

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def command(settings):
    """Run `foreshock dead-letters` against the topics of this test; gives its lines as data and its exit code."""

    def run(name: str, *arguments: str):
        given = ["--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix, "--json"]
        result = CliRunner().invoke(app, [name, *arguments, *given], catch_exceptions=False)
        return [json.loads(line) for line in result.output.splitlines()], result.exit_code

    return run


@pytest.mark.slow
def test_letters_are_sent_again(settings, open_topics, start_worker, make_block, command, tmp_path):
    """Wrong partition as it was, garbage with a mended value: both are scored, keep their headers, and are not sent twice."""
    topics = open_topics(settings)
    key = b"pump-1"
    wrong = (
        partition_for(key, settings.topics.partitions, settings.topics.partitioner) + 1
    ) % settings.topics.partitions
    first, second = (topics.encode(make_block("pump-1", i)) for i in (0, 1))
    topics.send(first, key, wrong, headers=[("traceparent", PARENT)])
    topics.send(b"garbage", key, headers=[("gateway", b"gw-1")])
    topics.flush()
    worker = start_worker(settings)
    topics.wait_for_outcomes(2, 200, worker=worker)

    listed, _ = command("list")
    assert Counter(each["reason"] for each in listed) == {"wrong_partition": 1, "unknown_framing": 1}
    garbage = next(each for each in listed if each["reason"] == "unknown_framing")
    (tmp_path / "mended").write_bytes(second)
    sent, code = command("redrive", "--reason", "wrong_partition")
    mended, code_mended = command("redrive", garbage["event_id"][:10], "--value", str(tmp_path / "mended"))
    topics.wait_for_outcomes(6, 60, worker=worker)  # two letters, two notes that they were sent, two scores
    again, code_again = command("redrive", "--reason", "wrong_partition")

    assert (code, code_mended, code_again) == (0, 0, 1)
    assert again[0]["sent"] is None
    assert "redriven before" in again[0]["why_not"]
    assert {each.record["point"] for each in topics.read("scores.v1")} == {"de"}
    assert len(topics.read("scores.v1")) == 2
    inputs = {(m.partition(), m.offset()): m for m in topics.raw("sensors.v1")}
    redriven = inputs[sent[0]["sent"]["partition"], sent[0]["sent"]["offset"]]
    headers = dict(redriven.headers())
    assert headers["traceparent"] == PARENT
    assert headers["redriven"] == b"1"
    assert headers["redriven_from"] == f"{topics.name('sensors.v1')}/{wrong}/0".encode()
    assert redriven.value() == first
    assert dict(inputs[mended[0]["sent"]["partition"], mended[0]["sent"]["offset"]].headers())["gateway"] == b"gw-1"
    assert worker.stop() == 0, worker.shown()


def test_a_record_that_fails_again_and_again_is_left(settings, open_topics, start_worker, command):
    """The count goes with the record, so each new letter of it knows how often it was sent."""
    topics = open_topics(settings)
    topics.send(b"garbage", b"pump-1", headers=[("redriven", b"2"), ("redriven_from", b"elsewhere/0/7")])
    topics.flush()
    worker = start_worker(settings)
    topics.wait_for_outcomes(1, 200, worker=worker)

    command("redrive", "--reason", "unknown_framing")
    topics.wait_for_outcomes(3, 60, worker=worker)  # letter, note, letter
    third, code = command("redrive", "--reason", "unknown_framing", "--again")

    assert [each["why_not"] for each in third if "times" in each["why_not"]]
    assert code == 1
    assert [dict(m.headers() or ()).get("redriven_from") for m in topics.raw("sensors.v1")][:2] == [
        b"elsewhere/0/7"
    ] * 2
    assert worker.stop() == 0, worker.shown()


def test_a_cut_value_is_read_from_its_topic_or_missed(settings, open_topics, start_worker, command):
    """Above 512 KiB the letter holds the beginning; the original is sent whole while it is there."""
    small = replace(settings, topics=replace(settings.topics, max_message_bytes=600_000))
    topics = open_topics(small)
    value = b"{" + b" " * 590_000
    topics.send(value, b"pump-1")
    topics.flush()
    worker = start_worker(small)
    topics.wait_for_outcomes(1, 200, worker=worker)

    sent, code = command("redrive", "--reason", "malformed")

    assert code == 0, sent
    inputs = {(m.partition(), m.offset()): m for m in topics.raw("sensors.v1")}
    assert inputs[sent[0]["sent"]["partition"], sent[0]["sent"]["offset"]].value() == value
    assert worker.stop() == 0, worker.shown()
