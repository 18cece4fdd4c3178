"""What must not disturb a worker at all: poison, clocks that jump, a cache that dies, is flushed or has a full disk."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections import Counter
from dataclasses import replace

import pytest
import redis

from foreshock.local.valkey import Valkey
from foreshock.settings import RedisSettings
from tests.chaos.inputs import Plan
from tests.chaos.plant import ASSETS, BLOCKS, hall, sound

pytestmark = pytest.mark.slow

# The kernel's signal for a file that is too large would end it; a full disk only refuses to write.
ENDURE = "import os, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"


def fill_disk(valkey: Valkey, limit: int) -> None:
    """Refuse to let any file of the cache grow beyond a limit, as a full disk does."""
    resource.prlimit(valkey.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


@pytest.fixture
def cache(tmp_path):
    """A Valkey of this test alone, which can be hurt."""
    valkey = Valkey(tmp_path / "valkey")
    valkey.process.command[:0] = [sys.executable, "-c", ENDURE]
    valkey.start()
    yield valkey
    valkey.stop()


def test_poison_and_jumping_clocks(plant):
    """One record in a hundred is poison, half of the clocks jump: a dead letter each, and everybody else is as ever."""
    calm = plant(Plan(BLOCKS, ASSETS, poison=100, jumps=True), processes=1)
    worker = calm.start()
    with calm.feeding():
        calm.reach(0.9, worker)
    verdict = calm.finish(worker)

    sound(verdict, worker, repeated=0)
    reasons = Counter(each.record["reason"] for each in calm.read("dead-letters.v1"))
    assert reasons["bad_timestamp"] > 0
    assert sum(reasons.values()) - reasons["bad_timestamp"] == BLOCKS // 100
    assert len(reasons) > 6
    assert any(each.record["kind"] == "clock" for each in calm.read("quality.v1"))


def test_cache_is_killed_flushed_and_full(plant, settings, cache):
    """Outputs go on byte for byte whatever becomes of the cache, and the worker stays."""
    given = replace(hall(settings, processes=1), redis=RedisSettings(url=cache.url))
    calm = plant(given=given)
    worker = calm.start("--slot", "0")
    with calm.feeding(upto=0.15):
        calm.reach(0.15, worker)
        cache.kill()
        calm.open(0.6)  # what comes now meets a dead cache
        worker.wait_for("scoring goes on without it")
        cache.start()
        calm.reach(0.45, worker)
        redis.Redis.from_url(cache.url).flushall()
        calm.reach(0.6, worker)
        fill_disk(cache, 4096)
        calm.open(0.85)
        calm.reach(0.75, worker)
        fill_disk(cache, resource.RLIM_INFINITY)
        calm.reach(0.85, worker)
        os.kill(cache.process.pid, signal.SIGSTOP)
        calm.open(1.0)
        calm.reach(0.95, worker)
        os.kill(cache.process.pid, signal.SIGCONT)
    verdict = calm.finish(worker)

    sound(verdict, worker, repeated=0)
    assert "Traceback" not in worker.shown()
