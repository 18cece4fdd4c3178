"""Partitions change hands: nothing is lost, nothing comes twice, and their state goes with them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.broker import undisturbed

ASSETS = [f"motor-{n}" for n in range(24)]
ROUNDS = 100


@pytest.mark.slow
def test_scaling_out_and_in_under_load(settings, open_topics, start_worker, make_block):
    """A second worker joins and leaves while blocks come: one score each, in order, and nothing in them shows it."""
    mine = replace(
        settings,
        detection=replace(settings.detection, warmup_blocks=12),
        worker=replace(settings.worker, checkpoint_s=0.5),
    )
    topics = open_topics(mine)
    first = start_worker(mine, "--slot", "0")
    first.wait_for("worker ready")
    go_on = threading.Event()
    go_on.set()
    sent = 0

    def feed():
        nonlocal sent
        i = 0
        while go_on.is_set() or i < ROUNDS:
            for asset in ASSETS:
                topics.send_block(make_block(asset, i))
                sent += 1
            topics.producer.poll(0)
            i += 1
            threading.Event().wait(0.02)
        topics.flush()

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        topics.wait_for_outcomes(24 * 20, worker=first)
        second = start_worker(mine, "--slot", "0")
        second.wait_for("worker ready")
        first.wait_for("worker ready", times=2)
        before = sum(topics.ends("scores.v1").values())
        topics.wait_for_outcomes(before + 24 * 30, worker=second)
        assert second.stop() == 0, second.shown()
        first.wait_for("worker ready", times=3)
    finally:
        go_on.clear()
        feeding.join()
    topics.wait_for_outcomes(sent, worker=first)
    assert first.stop() == 0, first.shown()

    scores = topics.read("scores.v1")
    inputs = [(m.partition(), m.offset()) for m in topics.raw("sensors.v1")]

    assert [score.place for score in scores] == inputs
    undisturbed.same(topics)
