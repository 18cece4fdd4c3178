"""`python -m bench.bad`: what bad records cost, of all kinds that issue 3 names.

Two workers run side by side, one on good records, one on records of which 5 % are bad, so that both meet the same machine at
the same time; from when both are warm until the first one is through, records and CPU time of each are counted. Runs after
each other differed by more than what they were to measure, and in segments of one topic a bad one pays for the good one
that is computed while its dead letters are on their way.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.resources import files
from operator import itemgetter
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

SHARE = 20  # every so-manieth record is bad
PARTITIONS = 4
IDLE_NS = 20_000_000  # of CPU time in a second: all is loaded
NAMES = ("good", "mixed")
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


def send(settings: Settings, blocks: int, share: int) -> None:
    """Send blocks; every `share`-th record is bad, of each kind in turn (0: none)."""
    producer = Producer({**producer_config(settings), "linger.ms": 50, "queue.buffering.max.kbytes": 262_144})
    topic = settings.topics.prefix + "sensors.v1"
    encoder = Encoder("single-object", topic=topic)
    waveforms = feed.waveforms(blocks)
    for n in range(blocks):
        # Beside the blocks: in the place of one it would leave a gap, which is told too.
        bad = bool(share and n and n % share == 0)
        if not bad:
            asset, i, samples = next(waveforms)
        block = feed.block(f"pump-{asset:02d}", feed.START_NS + i * feed.STEP_NS, samples)
        value: bytes | None = encoder.encode(block)
        if bad:
            found = kinds(block, value or b"")
            value = found[n // share % len(found)][1]
        feed.produce(producer, topic, value, block.asset.encode())
    if producer.flush(120):
        raise RuntimeError("the broker did not take the load")


class Runner:
    """A worker on the records of one prefix."""

    def __init__(self, stack: LocalStack, prefix: str, group: str, folder: Path) -> None:
        flags = {
            "kafka.bootstrap": stack.bootstrap,
            "redis.url": stack.redis_url,
            "topics.prefix": prefix,
            "worker.group": group,
            "worker.data_dir": str(folder / group),
            "detection.profile": "lean",
        }
        env = {f"FORESHOCK_{name.upper().replace('.', '__')}": value for name, value in flags.items()}
        command = [sys.executable, "-c", "from foreshock.cli import main; main()", "worker", "--slot", "0"]
        outputs = [prefix + name for name in ("scores.v1", "dead-letters.v1")]
        self._count = measure.counter(stack.bootstrap, outputs, PARTITIONS)
        self._before = self._count()
        gate, self._go = os.pipe()
        command += ["--gate", str(gate)]
        self._process = subprocess.Popen(
            command, env={**os.environ, **env, "OMP_NUM_THREADS": "1"}, pass_fds=[gate], stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(gate)

    def loaded(self) -> bool:
        """Say whether it has nothing left to do but to begin."""
        before = cpu_ns(self._process.pid)
        time.sleep(1.0)
        return before > 0 and cpu_ns(self._process.pid) - before < IDLE_NS

    def go(self) -> None:
        """Let it begin."""
        os.write(self._go, b"g")
        os.close(self._go)

    def look(self) -> tuple[int, int]:
        """Give the outcomes so far and the CPU time in nanoseconds."""
        if self._process.poll() is not None:
            raise RuntimeError(f"the worker ended with {self._process.returncode}")
        return self._count() - self._before, cpu_ns(self._process.pid)

    def stop(self) -> None:
        """End the worker."""
        self._process.terminate()
        self._process.wait(30)


def cpu_ns(pid: int) -> int:
    """CPU time of all threads of a process; finer than the ticks of `stat`."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has just ended
            total += int((task / "schedstat").read_text().split()[0])
    return total


def side_by_side(stack: LocalStack, turn: int, folder: Path, blocks: int, warm: int) -> tuple[float, float]:
    """Run both once; give rate and CPU per record of the one with bad records as shares of the other's."""
    prefixes = [f"{name}-{turn}." for name in NAMES]  # topics of their own: a worker goes on with the state it finds
    for prefix, share in zip(prefixes, (0, SHARE), strict=True):
        settings = load(flags={"kafka.bootstrap": stack.bootstrap, "topics.prefix": prefix}, env={})
        topics.ensure(settings)
        send(settings, blocks, share)
    runners = [Runner(stack, prefix, f"bad-bench-{prefix}", folder) for prefix in prefixes]
    try:
        while not all(each.loaded() for each in runners):
            pass
        for each in runners:
            each.go()
        while min(each.look()[0] for each in runners) < warm:
            time.sleep(0.01)
        first = [each.look() for each in runners]
        while max((last := [each.look() for each in runners]), key=itemgetter(0))[0] < blocks:
            time.sleep(0.01)
    finally:
        for each in runners:
            each.stop()
    clean, bad = ((b[0] - a[0], b[1] - a[1]) for a, b in zip(first, last, strict=True))
    return bad[0] / clean[0], (bad[1] / bad[0]) / (clean[1] / clean[0])


def compare(stack: LocalStack, rounds: int, blocks: int, warm: int) -> dict[str, Any]:
    """Measure, print and give the medians: rate and CPU of 5 % bad records, as shares of clean ones."""
    rates, cpus = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            rate, cpu = side_by_side(stack, turn, Path(folder), blocks, warm)
            print(f"round {turn}: {rate:.0%} of the rate, {cpu:.0%} of the CPU a record", flush=True)
            rates.append(rate)
            cpus.append(cpu)
    found = {"rate": statistics.median(rates), "cpu": statistics.median(cpus), "rates": rates, "cpus": cpus}
    print(f"with 5 % bad records, median of {rounds}: {found['rate']:.0%} of the rate, {found['cpu']:.0%} of the CPU")
    return found


def main() -> int:
    """Say whether the rate stays at 90 % at least."""
    parser = argparse.ArgumentParser(prog="python -m bench.bad", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of both, side by side (default %(default)s)")
    parser.add_argument("--blocks", type=int, default=20_000, help="records of each (default %(default)s)")
    parser.add_argument("--warm", type=int, default=4000, help="of them before the measurement (default %(default)s)")
    arguments = parser.parse_args()
    with LocalStack(None, redis=True) as stack:
        found = compare(stack, arguments.rounds, arguments.blocks, arguments.warm)
    return 0 if found["rate"] >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
