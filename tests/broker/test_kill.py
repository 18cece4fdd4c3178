"""Issue 3, last line: 100,000 blocks through two workers, one of them killed by SIGKILL in the middle."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

BLOCKS = 100_000
ASSETS = 100


@pytest.mark.slow
def test_no_input_is_without_an_outcome_after_a_kill(settings, open_topics, start_worker, make_block, poll_until):
    """Every input has its outcome; one that was handled twice has the same id both times."""
    mine = replace(
        settings,
        detection=replace(settings.detection, profile="lean"),
        worker=replace(settings.worker, instance_id="hall", processes=2, checkpoint_s=2.0),
    )
    topics = open_topics(mine)
    first = {n: make_block(f"pump-{n}", 0) for n in range(ASSETS)}
    for n in range(BLOCKS):
        block = first[n % ASSETS]
        topics.send_block(replace(block, source_ns=block.source_ns + n // ASSETS * 160_000_000, sequence=n // ASSETS))
    topics.flush()
    worker = start_worker(mine)
    worker.wait_for("worker ready", times=2)
    topics.wait_for_outcomes(BLOCKS // 3, worker=worker)
    with open(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children") as file:
        victim = int(file.read().split()[0])
    os.kill(victim, signal.SIGKILL)
    worker.wait_for("ended with code -9")
    topics.wait_for_outcomes(BLOCKS, worker=worker)

    poll_until(lambda: topics.committed() == topics.ends("sensors.v1"), 60, worker.shown)
    outcomes: dict[tuple[int, int], set[str]] = {}
    for score in topics.read("scores.v1"):
        outcomes.setdefault(score.place, set()).add(score.record["score_id"])

    assert outcomes.keys() == {(m.partition(), m.offset()) for m in topics.raw("sensors.v1")}
    assert all(len(ids) == 1 for ids in outcomes.values()), "the same input has the same id"
    assert worker.stop() == 0, worker.shown()
