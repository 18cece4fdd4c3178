"""What a start does side by side, and what it leaves out: seconds to the first block hang on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

HEAVY = "numba", "scipy", "faust", "river", "aiohttp", "opentelemetry", "redis"
SUPERVISOR = f"""
import sys
from foreshock.cli import worker
from foreshock.streams import supervise, topics
print(*(name for name in {HEAVY} if name in sys.modules))
"""
WORKER = """
import sys
from foreshock.fleet import FleetSpec
from foreshock.streams import app, warm
warm.warm(FleetSpec())
print(*(name for name in ("river", "scipy.stats", "pandas", "matplotlib", "typer.main") if name in sys.modules))
"""


def imported(script: str) -> list[str]:
    """Run a script that names the modules that it found."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


def test_supervisor_loads_nothing_heavy():
    """It only starts processes and looks at topics: the models and Faust are loaded by the processes, once."""
    assert imported(SUPERVISOR) == []


@pytest.mark.slow
def test_worker_loads_nothing_that_it_does_not_use():
    """Neither River's package (which loads scipy.stats) nor the command line, for a bank of trees."""
    assert imported(WORKER) == []


def test_worker_loads_while_its_topics_are_looked_at(settings, open_topics, start_worker, poll_until):
    """Before the gate opens the worker has its kernels in memory and has said nothing; then it takes its partitions."""
    open_topics(settings)
    gate, ours = os.pipe()
    os.set_inheritable(gate, True)
    worker = start_worker(settings, "--slot", "0", "--gate", str(gate), keep=(gate,))
    with open(f"/proc/{worker.process.pid}/maps") as maps:

        def loaded():
            maps.seek(0)
            return "llvmlite" in maps.read()

        poll_until(loaded, 60, worker.shown)
    assert worker.lines == []
    os.write(ours, b"g")
    worker.wait_for("worker ready")

    assert worker.stop() == 0, worker.shown()
    os.close(gate)
    os.close(ours)


def test_worker_that_is_never_let_in_ends(settings, start_worker):
    """Who started it is gone before it could begin: it asks Kafka for nothing and says why it ends."""
    gate, ours = os.pipe()
    worker = start_worker(settings, "--slot", "0", "--gate", str(gate), keep=(gate,))
    os.close(gate)
    os.close(ours)

    assert worker.ends(60) == 3
    assert "ended before it could begin" in worker.lines[-1]


def test_sigterm_ends_a_worker_that_waits_to_begin(settings, start_worker, tmp_path, poll_until):
    """Supervisor and process both end at once, though nobody ever let them go on."""
    worker = start_worker(settings, "--after", str(tmp_path / "never"))
    children = f"/proc/{worker.process.pid}/task/{worker.process.pid}/children"

    def started():
        with open(children) as file:
            return file.read().split()

    poll_until(started, 30, worker.shown)
    child = int(started()[0])
    began = time.monotonic()

    assert worker.stop() == 0, worker.shown()
    assert time.monotonic() - began < 5
    assert not os.path.exists(f"/proc/{child}/exe")
    assert worker.lines == []
