"""Durable state: a worker that was killed goes on as if nothing had happened."""

from __future__ import annotations

import signal

import pytest

from foreshock.contract import Asset
from foreshock.streams.errands.sender import Sender
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.reader import read_state
from tests.broker import undisturbed

pytestmark = pytest.mark.slow
ASSETS = [f"pump-{n}" for n in range(12)]


def test_kill_leaves_no_trace(quick, open_topics, start_worker, send, poll_until):
    """SIGKILL between and after checkpoints: the same scores once each, and the same models as without it."""
    topics = open_topics(quick)
    send(topics, 0, 15)
    first = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(15 * 12, worker=first)
    poll_until(lambda: topics.committed() == topics.ends("sensors.v1"), 60, first.shown)
    send(topics, 15, 30)
    topics.wait_for_outcomes(25 * 12, worker=first)
    first.stop(signal.SIGKILL)
    send(topics, 30, 40)
    second = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(40 * 12, worker=second)

    assert second.stop() == 0, second.shown()
    assert "12 assets restored" in second.shown() or second.shown().count("restored") == 4
    undisturbed.same(topics)


def test_master_data_takes_effect_at_its_place_again(quick, open_topics, start_worker, send, poll_until):
    """Registered before the first start, changed while it runs, changed while it is down: the replay has each where it was."""
    topics = open_topics(quick)

    def register(**changes):
        with Sender(quick) as sender:
            sender.send(Asset(asset="pump-0", **changes))

    register(asset_class="pump")
    send(topics, 0, 5)
    first = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(5 * 12, worker=first)
    register(asset_class="fan")
    poll_until(lambda: len(undisturbed.places(topics)) == 2, 60, first.shown)
    send(topics, 5, 15)
    topics.wait_for_outcomes(15 * 12, worker=first)
    first.stop(signal.SIGKILL)
    register(asset_class="press")
    send(topics, 15, 20)
    second = start_worker(quick, "--slot", "0")
    topics.wait_for_outcomes(20 * 12, worker=second)
    poll_until(lambda: len(undisturbed.places(topics)) == 3, 60, second.shown)
    send(topics, 20, 24)
    topics.wait_for_outcomes(24 * 12, worker=second)

    assert second.stop() == 0, second.shown()
    undisturbed.same(topics, places=undisturbed.places(topics))
    offsets = [place.offset for place in undisturbed.places(topics)]
    assert offsets == sorted(offsets)
    assert offsets[0] == 0
    number = partition_for(b"pump-0", 4)
    assert not [key for key, _ in read_state(quick, number) if "@" in key], "a checkpoint takes spent places back"
