"""CPU time and throughput of a process that reads one topic and writes others, from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
LIMIT_S = 300.0
SHOWN = 4000  # bytes of what a process said, where it did not get through


@dataclass(frozen=True)
class Figures:
    """What one process needed between two counts of its outputs."""

    records: int
    cpu_us: float  # user and system time per record, all threads
    rate: float  # records per second of wall time
    rss_mb: float


def quietest(runs: Sequence[Figures]) -> Figures:
    """Give the best of each figure: what others do on the machine only ever makes them worse."""
    return Figures(
        runs[0].records,
        min(each.cpu_us for each in runs),
        max(each.rate for each in runs),
        min(each.rss_mb for each in runs),
    )


def cpu_s(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def counter(bootstrap: str, topics: Sequence[str], partitions: int) -> Callable[[], int]:
    """Give a function that counts the records on some topics."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-counter", "enable.auto.commit": False})
    places = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]

    def count() -> int:
        return sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)

    return count


def run(command: Sequence[str], count: Callable[[], int], *, warm: int, total: int, env: dict[str, str]) -> Figures:
    """Start a process, let it do `warm` records, and measure it over the rest.

    Raises
    ------
    RuntimeError
        It ended, or took too long.
    """
    there = count()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, env=env, stdout=told, stderr=told)
        try:
            before = _at(process, count, there + warm)
            after = _at(process, count, there + total)
            memory = rss_mb(process.pid)
        except RuntimeError as found:
            told.seek(0)
            found.add_note(told.read()[-SHOWN:].decode(errors="replace"))
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
    records = after[0] - before[0]
    return Figures(records, (after[1] - before[1]) / records * 1e6, records / (after[2] - before[2]), memory)


def _at(process: subprocess.Popen[bytes], count: Callable[[], int], records: int) -> tuple[int, float, float]:
    """Wait for a count; give it with the CPU time and the wall time."""
    deadline = time.monotonic() + LIMIT_S
    while (done := count()) < records:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} stopped at {done} of {records}")
        time.sleep(0.02)
    return done, cpu_s(process.pid), time.monotonic()
