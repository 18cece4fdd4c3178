"""The broker goes away and comes back: the worker stays, loses nothing, and ends itself only when it could go on and does not."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from foreshock.local.stack import LocalStack
from foreshock.settings import KafkaSettings, RedisSettings


@pytest.fixture
def own_stack(stack):
    """A broker of this test alone, to be killed; `stack` has shown that one can be started here."""
    with LocalStack(None, redis=False) as mine:
        yield mine


@pytest.mark.slow
def test_worker_outlives_its_broker(own_stack, settings, open_topics, start_worker, make_block, poll_until):
    """Ten seconds without a broker, with a watchdog of six: no process ends, and every block has its outcome afterwards."""
    mine = replace(
        settings,
        kafka=KafkaSettings(bootstrap=own_stack.bootstrap),
        redis=RedisSettings(),
        worker=replace(settings.worker, instance_id="hall", processes=2, checkpoint_s=1.0, stall_s=6.0),
    )
    topics = open_topics(mine)
    for n in range(600):
        topics.send_block(make_block(f"pump-{n % 12}", n // 12))
    topics.flush()
    worker = start_worker(mine)
    worker.wait_for("worker ready", times=2)
    topics.wait_for_outcomes(600, worker=worker)
    own_stack.broker.kill()
    for n in range(600, 900):
        topics.send_block(make_block(f"pump-{n % 12}", n // 12))
    end = time.monotonic() + 10
    while time.monotonic() < end:
        topics.producer.poll(0.5)
    own_stack.broker.start()
    topics.flush()
    sent = {(m.partition(), m.offset()) for m in topics.raw("sensors.v1")}

    poll_until(lambda: {score.place for score in topics.read("scores.v1")} == sent, 90, worker.shown)

    shown = worker.shown()
    assert "ended with code" not in shown, shown
    assert worker.stop() == 0, worker.shown()
