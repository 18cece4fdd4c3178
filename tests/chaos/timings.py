"""How long things take: `python -m tests.chaos.timings FOLDER [NAME ...]` writes a JSON file for each measurement.

These are figures for a report, not tests: they depend on the machine and on what else it does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from foreshock.local.stack import LocalStack
from foreshock.settings import KafkaSettings, Settings, TopicSettings, WorkerSettings
from tests.chaos.inputs import Plan
from tests.chaos.plant import READY_S, Plant, Worker
from tests.chaos.state import Durable

RATE = 500.0
"""Blocks a second."""
ASSETS = int(os.environ.get("CHAOS_ASSETS", "10000"))
LOOK_S = 0.02


@contextmanager
def running_plant(plan: Plan, **worker: Any) -> Iterator[tuple[Plant, LocalStack, ExitStack]]:
    """A plant with a broker of its own, and the product's own timeouts."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(None, redis=False) as stack, ExitStack() as running:
        prefix = f"t{uuid.uuid4().hex[:8]}."
        settings = Settings(
            kafka=KafkaSettings(bootstrap=stack.bootstrap),
            topics=TopicSettings(prefix=prefix),
            worker=WorkerSettings(group=f"{prefix}workers", data_dir=Path(folder), instance_id="hall", **worker),
        )
        yield Plant(settings, plan, running), stack, running


def seconds_until_scored(plant: Plant, partitions: set[int], *workers: Worker, limit: float = 60.0) -> float:
    """Wall time from now until each of these partitions has a score more than now."""
    before = plant.topics.ends("scores.v1")
    began = time.monotonic()
    while time.monotonic() < began + limit:
        now = plant.topics.ends("scores.v1")
        if all(now[partition] > before[partition] for partition in partitions):
            return time.monotonic() - began
        time.sleep(LOOK_S)
    raise TimeoutError("\n".join(worker.shown() for worker in workers))


def partitions_of(worker: Worker, name: str) -> set[int]:
    """What a worker says it has."""
    lines = [line for line in worker.lines if f"worker ready: {name}," in line]
    return {int(number) for number in re.findall(r"\d+", lines[-1].rpartition("partitions")[2])}


def killed_and_restarted() -> Mapping[str, Any]:
    """SIGKILL of one of two static members; its supervisor starts it again."""
    with running_plant(Plan(1_000_000, 200), processes=2) as (plant, _, _):
        worker = plant.start()
        worker.wait_for("worker ready", READY_S, times=2)
        found = []
        with feeding(plant):
            plant.progress(5_000, worker)
            for slot in (0, 1, 0):
                hurt = partitions_of(worker, f"hall-{slot}")
                (pid,) = worker.hurt(slot)
                gone(pid)
                found.append(seconds_until_scored(plant, hurt, worker))
                plant.progress(plant.outcomes() + 3_000, worker)
    return {"what": "SIGKILL of one of two workers, restarted by its supervisor", "target_s": 6.0, "seconds": found}


def dead_machine() -> Mapping[str, Any]:
    """One of two workers is killed and never comes back: the other one takes over after the session timeout."""
    with running_plant(Plan(1_000_000, 200), processes=2) as (plant, _, _):
        workers = [plant.start("--slot", str(slot)) for slot in (0, 1)]
        for worker in workers:
            worker.wait_for("worker ready", READY_S)
        with feeding(plant):
            plant.progress(5_000, *workers)
            hurt = partitions_of(workers[1], "hall-1")
            workers[1].process.send_signal(signal.SIGKILL)
            workers[1].process.wait()
            found = seconds_until_scored(plant, hurt, workers[0])
    return {"what": "one of two machines dies for good (session timeout 10 s)", "target_s": 13.0, "seconds": [found]}


def broker_outage() -> Mapping[str, Any]:
    """The broker is killed, stays away, and comes back."""
    with running_plant(Plan(1_000_000, 200), processes=2) as (plant, stack, _):
        worker = plant.start()
        worker.wait_for("worker ready", READY_S, times=2)
        found = []
        with feeding(plant):
            plant.progress(5_000, worker)
            for away in (2.0, 20.0):
                stack.broker.kill()
                time.sleep(away)
                stack.broker.start()
                found.append(seconds_until_scored(plant, {0, 1, 2, 3}, worker))
                plant.progress(plant.outcomes() + 3_000, worker)
    return {"what": "broker away 2 s and 20 s, from its first answer on", "target_s": 5.0, "seconds": found}


def many_assets() -> Mapping[str, Any]:
    """One worker process restores many assets."""
    turns = 25
    with running_plant(Plan(ASSETS * turns, ASSETS), processes=1) as (plant, _, _):
        worker = plant.start("--slot", "0")
        worker.wait_for("worker ready", READY_S)
        plant.feed()
        plant.flush()
        plant.settled(worker)
        time.sleep(
            plant.settings.state.round_s + 5
        )  # a whole round of checkpoints: the next start has nothing to replay
        assert worker.stop(seconds=60) == 0, worker.shown()
        sizes = [len(state.to_bytes()) for state in Durable(plant.settings).snapshots.values()]
        began = time.monotonic()
        worker = plant.start("--slot", "0")
        worker.wait_for("worker ready", READY_S)
        ready = time.monotonic() - began
        memory = int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{worker.process.pid}/status").read_text())[0]) / 1024
        worker.stop(seconds=60)
    restored = [
        float(number) for line in worker.lines for number in re.findall(r"restored, \d+ cold, in ([\d.]+) s", line)
    ]
    declared = sum(sizes) / 2**20
    return {
        "what": f"restore of {len(sizes)} assets by one process",
        "target_s": 10.0,
        "seconds": [sum(restored)],
        "ready_s": ready,
        "declared_mb": declared,
        "memory_mb": memory,
        "allowed_mb": 450 + 1.3 * declared,
    }


@contextmanager
def feeding(plant: Plant) -> Iterator[None]:
    """Send at the rate, and stop with the body: nobody waits for the rest of the plan."""
    with plant.feeding(RATE):
        try:
            yield
        finally:
            plant.plan = replace(plant.plan, blocks=plant.sent)


def gone(pid: int) -> None:
    """Wait until a process is gone."""
    while Path(f"/proc/{pid}/exe").exists():
        time.sleep(LOOK_S)


ALL: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    each.__name__: each for each in (killed_and_restarted, dead_machine, broker_outage, many_assets)
}

if __name__ == "__main__":
    for wanted in sys.argv[2:] or ALL:
        result = ALL[wanted]()
        Path(sys.argv[1], f"timing-{wanted}.json").write_text(json.dumps(result))
        print(json.dumps(result), flush=True)
