"""The load of the benchmarks: the same blocks for every contender, each in the form it reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from confluent_kafka import Producer

from bench.handwritten import HEADER
from foreshock.contract import Origin, SensorBlock
from foreshock.settings import Settings
from foreshock.streams.kafka import producer_config
from foreshock.streams.wire import Encoder

SAMPLES = 4096  # float32: 16 KiB
RATE_HZ = 25_600.0
ASSETS = 32
START_NS = 1_760_000_000_000_000_000
STEP_NS = int(SAMPLES / RATE_HZ * 1e9)
_NOWHERE = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)


def waveforms(blocks: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Give (asset, i-th block of it, samples): two sines and noise, cut from one long recording per asset."""
    rng = np.random.default_rng(7)
    t = np.arange(SAMPLES * 64) / RATE_HZ
    long = [
        (
            np.sin(2 * np.pi * (29 + a) * t)
            + 0.3 * np.sin(2 * np.pi * (1200 + 50 * a) * t)
            + rng.normal(0, 0.4, len(t))
        ).astype(np.float32)
        for a in range(ASSETS)
    ]
    for i in range(blocks):
        asset, turn = i % ASSETS, i // ASSETS
        at = int(rng.integers(0, SAMPLES * 63))
        yield asset, turn, long[asset][at : at + SAMPLES]


def send(settings: Settings, blocks: int, *, raw_topic: str = "") -> None:
    """Send blocks to sensors.v1.

    Parameters
    ----------
    raw_topic
        Send the same samples there instead, in the form of the hand-written loop.
    """
    producer = Producer({**producer_config(settings), "linger.ms": 50, "queue.buffering.max.kbytes": 262_144})
    topic = raw_topic or settings.topics.prefix + "sensors.v1"
    encoder = Encoder("single-object", topic=topic)
    for asset, i, samples in waveforms(blocks):
        key, at_ns = f"pump-{asset:02d}", START_NS + i * STEP_NS
        if raw_topic:
            value = HEADER.pack(at_ns, RATE_HZ) + samples.tobytes()
        else:
            value = encoder.encode(block(key, at_ns, samples))
        produce(producer, topic, value, key.encode())
    if producer.flush(120):
        raise RuntimeError("the broker did not take the load")


def produce(producer: Producer, topic: str, value: bytes | None, key: bytes) -> None:
    """Queue a record; waits while the queue is full."""
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def block(asset: str, at_ns: int, samples: np.ndarray) -> SensorBlock:
    """Give a block of one channel."""
    return SensorBlock(
        origin=_NOWHERE,
        asset=asset,
        point="drive-end",
        channels=("x",),
        source_ns=at_ns,
        sampling_rate_hz=RATE_HZ,
        quantity="acceleration",
        unit="m/s2",
        samples=samples[None, :],
    )
