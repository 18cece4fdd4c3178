"""A sensor that goes silent, on a real broker: told once, over a crash too, cleared by its next record, told again."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import replace

import pytest
from confluent_kafka import OFFSET_END, TopicPartition

from foreshock.answers.answer import answer
from foreshock.streams.errands.inquiry import inquire
from foreshock.streams.kafka import administration


@pytest.fixture
def impatient(settings):
    """Settings by which two seconds are silence."""
    return replace(
        settings,
        detection=replace(settings.detection, warmup_blocks=12, silent_s=2.0),
        worker=replace(settings.worker, checkpoint_s=0.5, instance_id="hall"),
    )


def told(topics) -> Counter:
    """How often each event of silence stands on quality.v1: (asset, raised, id)."""
    found = [each.record for each in topics.read("quality.v1") if each.record["kind"] == "silent"]
    return Counter((each["asset"], each["raised"], each["event_id"]) for each in found)


def assets(events, raised: bool = True) -> list[str]:
    """Assets of the events, each event once."""
    return sorted(asset for asset, word, _ in events if word is raised)


def delete_scores(settings) -> None:
    """Delete all scores that there are."""
    name = f"{settings.topics.prefix}scores.v1"
    with administration(settings) as admin:
        asked = [TopicPartition(name, number, OFFSET_END) for number in range(settings.topics.partitions)]
        for answered in admin.delete_records(asked).values():
            answered.result()


@pytest.mark.slow
def test_is_told_once_over_a_crash_and_rearms(impatient, open_topics, start_worker, make_block, poll_until):
    """Two pumps go silent, the worker is killed and restarted: no second event; one comes back and goes silent again."""
    topics = open_topics(impatient)

    def send(asset: str, i: int) -> None:
        topics.send_block(make_block(asset, i, interval_s=0.5))
        topics.flush()

    first = start_worker(impatient, "--slot", "0")
    for asset in ("a", "b"):
        send(asset, 0)
    poll_until(lambda: assets(told(topics)) == ["a", "b"], 120, first.shown)
    before = told(topics)
    assert set(before.values()) == {1}

    first.stop(signal.SIGKILL)
    second = start_worker(impatient, "--slot", "0")
    send("canary", 0)  # whoever is to be told by the second worker is told with it
    poll_until(lambda: "canary" in assets(told(topics)), 60, second.shown)
    after = told(topics)
    assert assets(after) == ["a", "b", "canary"]
    assert before.keys() <= after.keys()
    assert answer(inquire(impatient, "b")).sentence.startswith("b/de is silent since ")

    delete_scores(impatient)  # as retention does
    gone = answer(inquire(impatient, "b"))
    assert gone.sentence.startswith("b was last heard ")
    assert any("state.v1" in line.source for line in gone.lines)

    send("a", 1)
    poll_until(lambda: assets(told(topics), raised=False) == ["a"], 60, second.shown)
    poll_until(lambda: assets(told(topics)) == ["a", "a", "b", "canary"], 60, second.shown)
    assert second.stop() == 0, second.shown()
