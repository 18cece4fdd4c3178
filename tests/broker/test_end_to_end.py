"""The main job through a real broker: blocks in, exactly one outcome each, in order, with its coordinates."""

from __future__ import annotations

import re
import signal
from collections import Counter
from dataclasses import replace

import pytest

ASSETS = [f"pump-{n}" for n in range(12)]
BLOCKS = 40  # of each asset


@pytest.fixture
def settled(settings):
    """Settings with a warm-up that the few blocks of a test can pass, and quick checkpoints."""
    detection = replace(settings.detection, warmup_blocks=12)
    return replace(settings, detection=detection, worker=replace(settings.worker, checkpoint_s=0.5))


def test_blocks_become_scores(settled, open_topics, start_worker, make_block, poll_until):
    """Each block yields one score, on its partition, in its order, and the group is committed up to the end."""
    topics = open_topics(settled)
    for i in range(BLOCKS):
        for asset in ASSETS:
            topics.send_block(make_block(asset, i))
    topics.flush()
    worker = start_worker(settled)
    worker.wait_for("worker ready")
    topics.wait_for_outcomes(BLOCKS * len(ASSETS), worker=worker)

    scores = topics.read("scores.v1")
    inputs = topics.raw("sensors.v1")

    assert topics.read("dead-letters.v1") == []
    assert [score.place for score in scores] == [(m.partition(), m.offset()) for m in inputs]
    assert [score.key for score in scores] == [m.key() for m in inputs]
    assert all(score.partition == score.place[0] for score in scores)
    assert {score.record["origin"]["topic_id"] for score in scores} == {topics.found["sensors.v1"].topic_id}
    states = Counter(score.record["rows"][0]["state"] for score in scores)
    assert states["warming"] == 12 * len(ASSETS)
    assert states["scored"] == (BLOCKS - 12) * len(ASSETS)
    poll_until(lambda: topics.committed() == topics.ends("sensors.v1"), 60, lambda: str(topics.committed()))
    assert worker.stop() == 0, worker.shown()


def test_headers_travel_with_every_output(settled, open_topics, start_worker, make_block):
    """W3C trace context of the producer, CloudEvents attributes and the worker's name are Kafka headers."""
    topics = open_topics(settled)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    block = make_block("pump-0", 0)
    topics.send(topics.encode(block), b"pump-0", headers=[("traceparent", parent.encode())])
    topics.send(b"garbage", b"pump-0", headers=[("traceparent", parent.encode())])
    topics.flush()
    worker = start_worker(settled)
    topics.wait_for_outcomes(2, worker=worker)

    for output in (*topics.read("scores.v1"), *topics.read("dead-letters.v1")):
        ours = output.headers["traceparent"].decode()
        assert re.fullmatch("00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01", ours)
        assert ours != parent
        assert {"ce_id", "ce_type", "ce_source", "ce_time", "content-type"} <= output.headers.keys()
        assert output.headers["ce_id"].decode() == output.record.get("score_id", output.record.get("event_id"))


def test_outputs_do_not_depend_on_the_cache(settled, stack, open_topics, start_worker, make_block, topic_prefix):
    """With a cache, without one, and with one that is not there, the output records are the same bytes."""
    found = {}
    for name, url in (("with", stack.redis_url), ("without", ""), ("gone", "redis://127.0.0.1:1/0")):
        mine = replace(
            settled,
            redis=replace(settled.redis, url=url),
            topics=replace(settled.topics, prefix=f"{topic_prefix}{name}."),
            worker=replace(settled.worker, group=f"{topic_prefix}{name}", data_dir=settled.worker.data_dir / name),
        )
        topics = open_topics(mine)
        for i in range(20):
            for asset in ASSETS[:4]:
                topics.send_block(make_block(asset, i))
        topics.flush()
        worker = start_worker(mine)
        topics.wait_for_outcomes(80, worker=worker)
        assert worker.stop() == 0, worker.shown()
        found[name] = [
            (score.key, *score.place, [tuple(row.items()) for row in score.record["rows"]], score.record["quality"])
            for score in topics.read("scores.v1")
        ]

    assert str(found["with"]) == str(found["without"]) == str(found["gone"])


def test_sigterm_under_load_loses_nothing(settled, open_topics, start_worker, make_block):
    """Stopped in the middle of its work, a worker ends in order, and the next one goes on without a duplicate."""
    topics = open_topics(settled)
    for i in range(400):
        for asset in ASSETS:
            topics.send_block(make_block(asset, i))
    topics.flush()
    first = start_worker(settled)
    topics.wait_for_outcomes(200, worker=first)
    assert first.stop(signal.SIGTERM) == 0, first.shown()
    second = start_worker(settled)
    topics.wait_for_outcomes(400 * len(ASSETS), worker=second)

    places = [score.place for score in topics.read("scores.v1")]

    assert places == [(m.partition(), m.offset()) for m in topics.raw("sensors.v1")]
