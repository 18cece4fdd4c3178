"""A real worker on a real broker: its traces, the headers that lead to them, and the states in the cache."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from foreshock.contract import Origin, SensorBlock
from foreshock.settings import Settings
from foreshock.streams import topics
from foreshock.streams.kafka import producer_config, reader_config
from foreshock.streams.spans.store import SpanStore
from foreshock.streams.wire import Encoder

PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOWHERE = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)
ASSETS = ("pump-1", "pump-2")
BLOCKS = 5


def block(asset: str, number: int) -> SensorBlock:
    """A block of noise."""
    noise = np.random.default_rng([number, *asset.encode()]).normal(size=(1, 1024)).astype(np.float32)
    return SensorBlock(
        origin=NOWHERE,
        asset=asset,
        point="de",
        channels=("x",),
        source_ns=1_760_000_000_000_000_000 + number * 160_000_000,
        sampling_rate_hz=6400.0,
        quantity="acceleration",
        unit="m/s2",
        samples=noise,
        sequence=number,
    )


@pytest.fixture
def worker(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A worker process that keeps its spans in its data folder."""
    given = {
        "KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "REDIS__URL": settings.redis.url,
        "TOPICS__PREFIX": settings.topics.prefix,
        "WORKER__GROUP": settings.worker.group,
        "WORKER__DATA_DIR": str(settings.worker.data_dir),
        "TELEMETRY__STORE": str(settings.worker.data_dir / "spans"),
    }
    topics.ensure(settings)
    process = subprocess.Popen(
        [sys.executable, "-c", "from foreshock.cli import main; main()", "worker"],
        env={**os.environ, **{f"FORESHOCK_{name}": value for name, value in given.items()}},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors, errors


def send(settings: Settings) -> None:
    """Send blocks with and without a trace context, and one record of garbage."""
    producer = Producer(producer_config(settings))
    topic = f"{settings.topics.prefix}sensors.v1"
    encoder = Encoder("single-object", topic=topic)
    for number in range(BLOCKS):
        for asset in ASSETS:
            headers = [("traceparent", PRODUCER.encode())] if asset == "pump-1" else []
            producer.produce(topic, encoder.encode(block(asset, number)), asset.encode(), headers=headers)
    producer.produce(topic, b"garbage", b"pump-1")
    assert producer.flush(30) == 0


def read(settings: Settings, topic: str, count: int, until: Callable[..., None]) -> list[dict[str, bytes]]:
    """Read the headers of so many records of an output topic."""
    consumer = Consumer(reader_config(settings))
    full = f"{settings.topics.prefix}{topic}"
    partitions = consumer.list_topics(full, 10).topics[full].partitions
    consumer.assign([TopicPartition(full, number, OFFSET_BEGINNING) for number in partitions])
    found: list[dict[str, bytes]] = []

    def poll() -> bool:
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            found.append(dict(message.headers() or []))
        return len(found) >= count

    until(poll, 60)
    consumer.close()
    return found


def test_a_worker_can_be_followed(settings, worker, until, foreshock):
    """The header of a score leads to its span in the producer's trace, a dead letter has its trace, the cache has each asset's state."""
    send(settings)
    scores = read(settings, "scores.v1", BLOCKS * len(ASSETS), until)
    (letter,) = read(settings, "dead-letters.v1", 1, until)
    folder = settings.worker.data_dir / "spans"
    store = SpanStore(folder)
    dead_trace = letter["traceparent"].decode().split("-")[1]
    until(lambda: store.trace(dead_trace) and len(store.trace(PRODUCER[3:35])) >= BLOCKS * 4)

    joined = [
        headers["traceparent"].decode() for headers in scores if PRODUCER[3:35].encode() in headers["traceparent"]
    ]
    assert len(joined) == BLOCKS
    spans = {span.span_id: span for span in store.trace(PRODUCER[3:35])}
    assert all(spans[header.split("-")[2]].name.endswith("scores.v1") for header in joined)
    roots = [span for span in spans.values() if span.parent_id == PRODUCER[36:52]]
    assert len(roots) == BLOCKS
    names = {span.name.replace(settings.topics.prefix, "") for span in spans.values()}
    assert names >= {"process sensors.v1", "receive sensors.v1", "decode", "features", "score", "send scores.v1"}
    assert all(span.start_ns <= span.end_ns for span in spans.values())
    assert all(root.attributes["foreshock.queue_ms"] < 60_000 for root in roots)

    code, out, _ = foreshock("trace", dead_trace, "--store", str(folder))
    assert code == 0
    assert "send" in out
    options = ["--redis", settings.redis.url, "--prefix", settings.topics.prefix, "--json"]
    until(lambda: len(foreshock("status", *options)[1].splitlines()) == len(ASSETS))
    states = [json.loads(line) for line in foreshock("status", *options)[1].splitlines()]
    assert {state["state"] for state in states} == {"warming"}
