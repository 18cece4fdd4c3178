"""Redis is a cache: whatever becomes of it, the outputs are the same bytes, and it fills again."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest
import redis

from foreshock.errors import Unavailable
from foreshock.local.valkey import Valkey
from foreshock.settings import RedisSettings
from foreshock.streams.cache import CacheReader
from tests.broker import undisturbed

ASSETS = [f"pump-{n}" for n in range(8)]
ROUND = 5


@pytest.fixture
def valkey(stack, tmp_path):
    """A Valkey of this test's own, to be hurt."""
    found = Valkey(tmp_path / "valkey")
    found.start()
    yield found
    if found.process.running:
        os.kill(found.process.pid, signal.SIGCONT)
        found.stop()


@pytest.fixture
def beside(settings, valkey):
    """Settings of a worker beside that Valkey."""
    return replace(
        settings,
        redis=RedisSettings(url=valkey.url),
        detection=replace(settings.detection, warmup_blocks=12, silent_s=3600.0),
        worker=replace(settings.worker, checkpoint_s=0.5),
    )


@pytest.mark.slow
def test_outputs_go_on_byte_for_byte(beside, valkey, open_topics, start_worker, make_block, poll_until):
    """Flushed, out of memory, hanging, killed, back and cold under a new worker: the scores of an undisturbed run, once each."""
    topics = open_topics(beside)
    client = redis.Redis.from_url(valkey.url)
    cache = CacheReader(valkey.url, prefix=beside.topics.prefix)
    sent = 0

    def rounds(worker) -> None:
        """Send some rounds and wait for their scores, however it is with the cache."""
        nonlocal sent
        for i in range(sent, sent + ROUND):
            for asset in ASSETS:
                topics.send_block(make_block(asset, i))
        topics.flush()
        sent += ROUND
        topics.wait_for_outcomes(sent * len(ASSETS), worker=worker)

    worker = start_worker(beside)
    rounds(worker)
    poll_until(lambda: cache.assets() == ASSETS, 60, worker.shown)
    client.flushall()
    rounds(worker)
    poll_until(lambda: cache.assets() == ASSETS, 60, worker.shown)
    client.config_set("maxmemory", "1")
    rounds(worker)
    worker.wait_for("takes nothing")
    client.config_set("maxmemory", "0")
    os.kill(valkey.process.pid, signal.SIGSTOP)
    rounds(worker)
    with pytest.raises(Unavailable, match="cannot be reached"):
        cache.assets()
    valkey.kill()
    rounds(worker)
    assert worker.stop() == 0, worker.shown()

    valkey.start()
    redis.Redis.from_url(valkey.url).flushall()
    second = start_worker(beside)
    poll_until(lambda: cache.assets() == ASSETS, 60, second.shown)
    assert {point["offset"] for point in cache.read(*ASSETS)} <= set(range(sent * len(ASSETS)))
    rounds(second)
    assert second.stop() == 0, second.shown()
    undisturbed.same(topics)
