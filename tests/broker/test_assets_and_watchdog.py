"""Master data reaches the worker before and during its work; the watchdog tells a stall from quiet and from an outage."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from foreshock.contract import Asset
from foreshock.errors import Stalled
from foreshock.streams.errands.sender import Sender
from foreshock.streams.kafka import admin_config
from foreshock.streams.state.ledger import Ledger
from foreshock.streams.watchdog import Watchdog


def test_master_data_is_read_whole_and_then_followed(settings, open_topics, start_worker, make_block, poll_until):
    """An asset registered before the start is known from block 1; one registered later is known from then on."""
    topics = open_topics(settings)
    with Sender(settings) as sender:
        sender.send(Asset(asset="early"))
    topics.send_block(make_block("early", 0))
    topics.send_block(make_block("late", 0))
    topics.flush()
    worker = start_worker(settings, "--slot", "0")
    topics.wait_for_outcomes(2, worker=worker)
    with Sender(settings) as sender:
        sender.send(Asset(asset="late"))
    blocks = iter(range(1, 1000))

    def known():
        topics.send_block(make_block("late", next(blocks)))
        topics.flush()
        time.sleep(0.2)
        return any(score.record["registered"] for score in topics.read("scores.v1") if score.key == b"late")

    poll_until(known, 60, worker.shown)
    scores = topics.read("scores.v1")

    assert [score.record["registered"] for score in scores if score.key == b"early"] == [True]
    assert not next(score for score in scores if score.key == b"late").record["registered"]


class TestWatchdog:
    """DESIGN section 5: lag and no progress while the brokers answer."""

    @pytest.fixture
    def watch(self, settings, open_topics, make_block):
        """A watchdog over partition 0 of a topic with one record there, done up to some offset."""
        topics = open_topics(settings)
        topics.send(topics.encode(make_block("a", 0)), b"a", 0)
        topics.flush()

        def make(position, *, ends=None, config=None, meanwhile=lambda ledger: None):
            ledger = Ledger()
            partition = (topics.name("sensors.v1"), 0)
            ledger.start({partition: position})

            def read_to():
                meanwhile(ledger)
                return {partition: ends or 0}

            return Watchdog(config or admin_config(settings), ledger, read_to, stall_s=5.0)

        return make

    def test_lag_without_progress_is_a_stall(self, watch):
        """A record waits and nothing was done for too long: the reason names both."""
        with pytest.raises(Stalled, match="1 records waiting"):
            watch(0)._waiting(time.monotonic() - 6)

    def test_a_record_that_has_just_come_is_no_stall(self, watch):
        """However long the quiet before it was: the time counts from when it was first seen to wait."""
        dog = watch(0)
        first = dog._waiting(None)

        assert time.monotonic() - first < 5
        assert dog._waiting(first) == first

    def test_nothing_to_do_is_no_stall(self, watch):
        """All is done, or what is left are only markers of transactions, which reading has passed."""
        assert watch(1)._waiting(time.monotonic() - 6) is None
        assert watch(0, ends=1)._waiting(time.monotonic() - 6) is None

    def test_partitions_that_just_came_are_no_stall(self, watch):
        """Joining a group again after an outage takes its time: it counts from when there are partitions to work on."""
        dog = watch(0, meanwhile=lambda ledger: ledger.start(ledger.positions()))

        assert dog._waiting(time.monotonic() - 6) is None

    def test_outage_is_no_stall(self, watch, settings):
        """Without an answer from the brokers the time is counted anew."""
        nobody = {**admin_config(settings), "bootstrap.servers": "127.0.0.1:1"}

        assert watch(0, config=nobody)._waiting(time.monotonic() - 6) is None

    def test_topic_that_is_gone_is_a_stall(self, settings):
        """The brokers answer, and what they answer no waiting will mend."""
        ledger = Ledger()
        ledger.start({(f"{settings.topics.prefix}gone", 0): 0})
        dog = Watchdog(admin_config(settings), ledger, dict, stall_s=5.0)
        now = time.monotonic()

        assert dog._waiting(now) == now
        with pytest.raises(Stalled, match=r"no progress for 6 s, and there is no topic .*gone any more"):
            dog._waiting(time.monotonic() - 6)


def test_short_stall_time_does_not_end_an_idle_worker(settings, open_topics, start_worker, make_block):
    """A worker without input stays, and works when some comes."""
    quick = replace(settings, worker=replace(settings.worker, stall_s=1.0, checkpoint_s=0.3))
    topics = open_topics(quick)
    worker = start_worker(quick, "--slot", "0")
    worker.wait_for("worker ready")
    for n in range(3):
        time.sleep(1.5)  # the quiet itself is what is tested
        topics.send_block(make_block("a", n))
        topics.flush()
        topics.wait_for_outcomes(n + 1, worker=worker)

    assert worker.stop() == 0, worker.shown()
