"""`python -m bench.bad`: what bad records cost, of all kinds that issue 3 names.

One worker reads one topic in which segments of good records and segments with 5 % bad ones take turns, so that both meet the
same process on the same machine within the same second. Each bad segment is held against the mean of the two good ones
around it; what counts is the median of these ratios.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
from confluent_kafka import Producer

from bench import feed, measure
from foreshock.contract import SensorBlock
from foreshock.local.stack import LocalStack
from foreshock.settings import Settings, load
from foreshock.streams import topics
from foreshock.streams.kafka import producer_config
from foreshock.streams.wire import Encoder

SHARE = 20  # every so-manieth record of a bad segment is bad
SCHEMA = json.loads((files("foreshock.avro_schemas") / "SensorBlock.avsc").read_text())


def written(block: SensorBlock, good: bytes, **changes: Any) -> bytes:
    """Write a block by another Avro library, with fields that our own encoder would refuse to write."""
    fields = {
        "asset": block.asset,
        "point": block.point,
        "channels": list(block.channels),
        "quantity": block.quantity,
        "unit": block.unit,
        "encoding": "f32le",
        "sampling_rate_hz": block.sampling_rate_hz,
        "source_ns": block.source_ns,
        "sequence": block.sequence,
        "count": block.samples.shape[1],
        "samples": block.samples.tobytes(),
    }
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), fields | changes)
    return good[:10] + out.getvalue()


def kinds(block: SensorBlock, good: bytes) -> list[tuple[str, bytes | None]]:
    """Give (reason, value) of everything that a value can be wrong in; `good` is the block as our encoder writes it."""
    nan, infinite = block.samples.copy(), block.samples.copy()
    nan[0, 7], infinite[0, 0] = np.nan, np.inf
    return [
        ("unknown_framing", b"\xde\xad\xbe\xef garbage"),
        ("unknown_framing", block.samples.tobytes()),
        ("empty", b""),
        ("null_value", None),
        ("unknown_schema", b"\xc3\x01" + b"\x11" * 8 + good[10:]),
        ("truncated", good[: len(good) // 2]),
        ("trailing_bytes", good + b"\x00"),
        ("bad_length", good[:10] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f" + good[11:]),
        ("not_finite", written(block, good, samples=nan.tobytes())),
        ("not_finite", written(block, good, samples=infinite.tobytes())),
        ("no_samples", written(block, good, samples=b"", count=0)),
        ("count_mismatch", written(block, good, count=block.samples.shape[1] - 1)),
        ("bad_rate", written(block, good, sampling_rate_hz=0.0)),
        ("bad_rate", written(block, good, sampling_rate_hz=-1600.0)),
        ("bad_timestamp", written(block, good, source_ns=0)),
        ("bad_timestamp", written(block, good, source_ns=900_000_000_000_000_000)),  # 1998
        ("unknown_unit", written(block, good, unit="furlong")),
        ("unit_mismatch", written(block, good, unit="K")),
    ]


def send(settings: Settings, segments: int, blocks: int) -> None:
    """Send segments of `blocks` records each; every second one has bad records in it."""
    producer = Producer({**producer_config(settings), "linger.ms": 50, "queue.buffering.max.kbytes": 262_144})
    topic = settings.topics.prefix + "sensors.v1"
    encoder = Encoder("single-object", topic=topic)
    bad = _endless()
    for n, (asset, i, samples) in enumerate(feed.waveforms(segments * blocks)):
        block = feed.block(f"pump-{asset:02d}", feed.START_NS + i * feed.STEP_NS, samples)
        value: bytes | None = encoder.encode(block)
        if n // blocks % 2 and n % SHARE == 0:
            value = next(bad)(block, value or b"")
        feed.produce(producer, topic, value, block.asset.encode())
    if producer.flush(120):
        raise RuntimeError("the broker did not take the load")


def _endless() -> Iterator[Callable[[SensorBlock, bytes], bytes | None]]:
    """Take all kinds in turn."""
    n = 0
    while True:
        yield lambda block, good, n=n: (found := kinds(block, good))[n % len(found)][1]  # type: ignore[misc]  # mypy: a default in a lambda
        n += 1


@dataclass(frozen=True)
class Costs:
    """Of each segment, in order."""

    seconds: list[float]
    cpu_us: list[float]  # per record

    def ratios(self, values: list[float]) -> list[float]:
        """Hold each bad segment against the good ones before and after it."""
        return [values[n] / ((values[n - 1] + values[n + 1]) / 2) for n in range(1, len(values) - 1, 2)]


def cpu_ns(pid: int) -> int:
    """CPU time of all threads of a process; finer than the ticks of `stat`."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def run(stack: LocalStack, segments: int, blocks: int, warm: int) -> Costs:
    """Send the load, let a worker work through it, and give what each segment cost after the first `warm` (an even number)."""
    flags: dict[str, object] = {"kafka.bootstrap": stack.bootstrap, "topics.partitions": 1, "topics.prefix": "mixed."}
    settings = load(flags=flags, env={})
    topics.ensure(settings)
    send(settings, warm + segments, blocks)
    count = measure.counter(stack.bootstrap, ["mixed.scores.v1", "mixed.dead-letters.v1"], 1)
    with tempfile.TemporaryDirectory() as folder:
        own = {**flags, "redis.url": stack.redis_url, "worker.data_dir": folder, "detection.profile": "lean"}
        env = {f"FORESHOCK_{name.upper().replace('.', '__')}": str(value) for name, value in own.items()}
        command = [sys.executable, "-c", "from foreshock.cli import main; main()", "worker", "--slot", "0"]
        process = subprocess.Popen(command, env={**os.environ, **env, "OMP_NUM_THREADS": "1"})
        try:
            marks = [_at(process, count, (warm + n) * blocks) for n in range(segments + 1)]
        finally:
            process.terminate()
            process.wait(30)
    pairs = list(itertools.pairwise(marks))
    return Costs([b[0] - a[0] for a, b in pairs], [(b[1] - a[1]) / blocks / 1e3 for a, b in pairs])


def _at(process: subprocess.Popen[bytes], count: Callable[[], int], records: int) -> tuple[float, int]:
    """Wait until so many outcomes are there; give the time and the CPU time."""
    while count() < records:
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended with {process.returncode}")
        time.sleep(0.003)
    return time.monotonic(), cpu_ns(process.pid)


def compare(stack: LocalStack, pairs: int, blocks: int) -> dict[str, Any]:
    """Measure, print and give the medians: rate and CPU of 5 % bad records, as shares of clean ones."""
    costs = run(stack, 2 * pairs + 1, blocks, 2)
    rates, cpu = [1 / each for each in costs.ratios(costs.seconds)], costs.ratios(costs.cpu_us)
    print(f"{'segment':>8}{'bad':>5}{'blocks/s':>10}{'CPU us/block':>14}")
    for n, (seconds, us) in enumerate(zip(costs.seconds, costs.cpu_us, strict=True)):
        print(f"{n:8}{'5 %' if n % 2 else '':>5}{blocks / seconds:10.0f}{us:14.1f}")
    found = {"rate": statistics.median(rates), "cpu": statistics.median(cpu), "rates": rates, "cpus": cpu}
    print(
        f"with 5 % bad records, median of {pairs}: {found['rate']:.0%} of the rate, {found['cpu']:.0%} of the CPU a record"
    )
    return found


def main() -> int:
    """Say whether the rate stays at 90 % at least."""
    parser = argparse.ArgumentParser(prog="python -m bench.bad", description=__doc__)
    parser.add_argument("--pairs", type=int, default=7, help="bad segments (default %(default)s)")
    parser.add_argument("--blocks", type=int, default=3000, help="records of a segment (default %(default)s)")
    arguments = parser.parse_args()
    with LocalStack(None, redis=True) as stack:
        found = compare(stack, arguments.pairs, arguments.blocks)
    return 0 if found["rate"] >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
