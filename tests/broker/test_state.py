"""Durable state: a worker that was killed goes on as if nothing had happened."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from tests.broker import undisturbed

ASSETS = [f"pump-{n}" for n in range(12)]


@pytest.fixture
def quick(settings):
    """Settings with checkpoints twice a second."""
    return replace(
        settings,
        detection=replace(settings.detection, warmup_blocks=12),
        worker=replace(settings.worker, checkpoint_s=0.3, instance_id="hall"),
    )


@pytest.fixture
def send(make_block):
    """Send rounds of blocks, one of each asset a round."""

    def go(topics, first, end, assets=ASSETS):
        for i in range(first, end):
            for asset in assets:
                topics.send_block(make_block(asset, i))
        topics.flush()

    return go


def test_kill_leaves_no_trace(quick, open_topics, start_worker, send, poll_until):
    """SIGKILL between and after checkpoints: the same scores once each, and the same models as without it."""
    topics = open_topics(quick)
    send(topics, 0, 15)
    first = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(15 * 12, seconds=20, worker=first)
    poll_until(lambda: topics.committed() == topics.ends("sensors.v1"), 20, first.shown)
    send(topics, 15, 30)
    topics.wait_for_outcomes(25 * 12, worker=first)
    first.stop(signal.SIGKILL)
    send(topics, 30, 40)
    second = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(40 * 12, worker=second)

    assert second.stop(seconds=10) == 0, second.shown()
    assert "12 assets restored" in second.shown() or second.shown().count("restored") == 4
    undisturbed.same(topics)
