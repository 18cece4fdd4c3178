"""`make bench`: the worker against a hand-written loop, and what bad records cost.

Everything runs after each other on one embedded broker, on this machine, now: the ratios are what counts. The figures go to
bench/results/ as JSON too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from bench import bad, feed, measure
from foreshock.local.stack import LocalStack
from foreshock.settings import Settings, load
from foreshock.streams import topics

RESULTS = Path(__file__).parent / "results"
PARTITIONS = 4
BAD_ROUNDS = 3
HAND = ("hand.input", "hand.output")


def main() -> int:
    """Run what was asked for, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--blocks", type=int, default=30_000, help="blocks of 16 KiB per run (default %(default)s)")
    parser.add_argument("--warm", type=int, default=6_000, help="of them before the measurement (default %(default)s)")
    parser.add_argument(
        "--least", type=float, default=2.5, help="ratio of lean that must be reached (default %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=2, help="runs of each, the quietest counts (default %(default)s)")
    arguments = parser.parse_args()
    with LocalStack(None, redis=True) as stack, tempfile.TemporaryDirectory() as folder:
        report = compare(stack, Path(folder), arguments.blocks, arguments.warm, arguments.rounds)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    path.write_text(json.dumps(report, indent=2))
    print(f"-> {path}")
    return 0 if report["ratio"]["lean"] >= arguments.least else 1


def compare(stack: LocalStack, folder: Path, blocks: int, warm: int, rounds: int) -> dict[str, dict[str, object]]:
    """Run every contender over the same blocks, in turns, so that all meet the same machine."""
    _prepare(stack, blocks)
    runs: dict[str, list[measure.Figures]] = {}
    for turn in range(rounds):
        runs.setdefault("hand-written loop", []).append(_handwritten(stack, turn, blocks, warm))
        for name, profile in (("worker, lean", "lean"), ("worker, full", "full")):
            runs.setdefault(name, []).append(_worker(stack, folder, f"{profile}-{turn}.", blocks, warm, profile))
    figures = {name: measure.quietest(each) for name, each in runs.items()}
    base = figures["hand-written loop"].cpu_us
    print(f"{'':24}{'CPU us/block':>14}{'blocks/s':>10}{'RSS MB':>8}{'ratio':>7}")
    for name, each in figures.items():
        print(f"{name:24}{each.cpu_us:14.1f}{each.rate:10.0f}{each.rss_mb:8.0f}{base / each.cpu_us:7.2f}")
    return {
        "figures": {name: asdict(each) for name, each in figures.items()},
        "ratio": {"lean": base / figures["worker, lean"].cpu_us, "full": base / figures["worker, full"].cpu_us},
        "bad": bad.compare(stack, BAD_ROUNDS, blocks, warm),
        "load": {
            "blocks": blocks,
            "warm": warm,
            "samples": feed.SAMPLES,
            "assets": feed.ASSETS,
            "cores": os.cpu_count(),
        },
    }


def _prepare(stack: LocalStack, blocks: int) -> None:
    """Make the topics of the hand-written loop and send its load, once."""
    settings = _settings(stack, "", {})
    admin = AdminClient({"bootstrap.servers": stack.bootstrap})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in HAND]).values():
        future.result(30)
    feed.send(settings, blocks, raw_topic=HAND[0])


def _handwritten(stack: LocalStack, turn: int, blocks: int, warm: int) -> measure.Figures:
    count = measure.counter(stack.bootstrap, HAND[1:], PARTITIONS)
    command = [sys.executable, "-m", "bench.handwritten", stack.bootstrap, *HAND, str(turn)]
    return _run(command, count, blocks, warm, dict(os.environ))


def _worker(stack: LocalStack, folder: Path, prefix: str, blocks: int, warm: int, profile: str) -> measure.Figures:
    """Run a worker on topics of its own: on those of another it would go on with the other's state."""
    settings = _settings(stack, prefix, {})
    topics.ensure(settings)
    feed.send(settings, blocks)
    flags = {
        "kafka.bootstrap": stack.bootstrap,
        "redis.url": stack.redis_url,
        "topics.prefix": prefix,
        "worker.data_dir": str(folder / profile),
        "detection.profile": profile,
    }
    outputs = [prefix + name for name in ("scores.v1", "dead-letters.v1")]
    env = {f"FORESHOCK_{name.upper().replace('.', '__')}": str(value) for name, value in flags.items()}
    command = [sys.executable, "-c", "from foreshock.cli import main; main()", "worker", "--slot", "0"]
    return _run(command, measure.counter(stack.bootstrap, outputs, PARTITIONS), blocks, warm, {**os.environ, **env})


def _settings(stack: LocalStack, prefix: str, flags: dict[str, object]) -> Settings:
    return load(flags={"kafka.bootstrap": stack.bootstrap, "topics.prefix": prefix, **flags}, env={})


def _run(command: list[str], count: Callable[[], int], blocks: int, warm: int, env: dict[str, str]) -> measure.Figures:
    pinned = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return measure.run(command, count, warm=warm, total=blocks, env={**env, **pinned})


if __name__ == "__main__":
    sys.exit(main())
