"""What a careful engineer writes without this product: one loop, confluent-kafka, numpy, River, JSON.

It has no dead letters, no delivery guarantee, no master data, no traces; it commits by itself every few seconds. Twenty features
of the lean profile's kind: seven time statistics, twelve log-spaced band energies and the spectral centroid of 4096 samples;
the model is River's half-space trees behind its MinMaxScaler, one per asset, score first, learn then.

    python -m bench.handwritten BOOTSTRAP INPUT OUTPUT GROUP
"""

from __future__ import annotations

import json
import math
import signal
import struct
import sys

import numpy as np
import scipy.fft
from confluent_kafka import Consumer, Producer
from river import anomaly, preprocessing

HEADER = struct.Struct("<qd")  # source time in ns, sampling rate in Hz; then float32 samples
BANDS = 12
THRESHOLD = 0.97


class Features:
    """Features of one block of n samples; what depends on n alone is computed once."""

    def __init__(self, n: int, rate_hz: float) -> None:
        self.window = np.hanning(n).astype(np.float32)
        self.frequency = np.fft.rfftfreq(n, 1 / rate_hz).astype(np.float32)
        self.edges = np.unique(np.round(np.geomspace(4, n // 2, BANDS + 1)).astype(int))[:BANDS]

    def __call__(self, x: np.ndarray) -> dict[str, float]:
        mean = float(x.mean())
        centred = x - np.float32(mean)
        squares = centred * centred
        variance = float(squares.mean()) + 1e-12
        rms, peak = math.sqrt(variance + mean * mean), float(np.abs(x).max())
        spectrum = scipy.fft.rfft(centred * self.window)
        power = spectrum.real**2 + spectrum.imag**2
        bands = np.log10(np.add.reduceat(power, self.edges) + 1e-12).tolist()
        found = {
            "mean": mean,
            "std": math.sqrt(variance),
            "rms": rms,
            "peak": peak,
            "crest": peak / rms,
            "kurtosis": float(np.dot(squares, squares)) / len(x) / variance**2,
            "skewness": float(np.dot(squares, centred)) / len(x) / variance**1.5,
            "centroid": float(np.dot(self.frequency, power)) / (float(power.sum()) + 1e-12),
        }
        found.update((f"band{i}", value) for i, value in enumerate(bands))
        return found


def model() -> object:
    """River's trees as its documentation shows them."""
    return preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(n_trees=25, height=8, window_size=100, seed=42)


def main(bootstrap: str, topic_in: str, topic_out: str, group: str) -> None:
    """Consume, score, learn, produce, until SIGTERM."""
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"handwritten-{group}",
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 5,
        }
    )
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "enable.idempotence": True})
    consumer.subscribe([topic_in])
    models: dict[bytes, object] = {}
    features: dict[tuple[int, float], Features] = {}
    while running:
        for message in consumer.consume(256, 0.1):
            if message.error() is not None:
                continue
            key, value = message.key(), message.value()
            at_ns, rate_hz = HEADER.unpack_from(value)
            x = np.frombuffer(value, "<f4", offset=HEADER.size)
            extract = features.get((len(x), rate_hz)) or features.setdefault(
                (len(x), rate_hz), Features(len(x), rate_hz)
            )
            detector = models.get(key) or models.setdefault(key, model())
            row = extract(x)
            score = detector.score_one(row)
            detector.learn_one(row)
            event = {
                "asset": key.decode(),
                "at_ns": at_ns,
                "score": score,
                "anomaly": score > THRESHOLD,
                "model": "half-space-trees-25x8",
                "input": {"topic": topic_in, "partition": message.partition(), "offset": message.offset()},
                "features": {name: round(value, 5) for name, value in row.items()},
            }
            producer.produce(topic_out, json.dumps(event).encode(), key)
        producer.poll(0)
    producer.flush(10)
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
