"""What has to run for a demonstration: a folder, the stack unless there is a broker, the worker."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from foreshock.errors import Unavailable
from foreshock.local.process import Process
from foreshock.settings import Settings
from foreshock.streams.kafka import producer_config, reader_config

GROUP = "workers"
READY = "worker ready"
"""What a worker prints once it has its partitions."""
START_S = 180.0
"""The first worker of an installation compiles its kernels, for up to a minute and a half on a small machine."""
_LOOK_S = 0.05
_GRACE_S = 20.0


def fresh_folder(parent: Path, name: str) -> Path:
    """Make the folder of a run, and remove those of earlier runs that nobody uses: each holds about 200 MB."""
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.iterdir():
        if old.is_dir() and not _in_use(old):
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / name
    folder.mkdir()
    return folder


def _in_use(folder: Path) -> bool:
    """Whether a stack holds the lock of its data folder."""
    try:
        lock = os.open(folder / ".lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def worker(
    settings: Settings, folder: Path, environment: Mapping[str, str], config: Path | None, *, after: Path
) -> Process:
    """Give a worker as a child that cannot outlive us, with a group, a data folder and a log of this run.

    It loads and compiles at once, and asks for nothing of Kafka before there is a file `after`.
    """
    command = [sys.executable, "-c", "from foreshock.cli import main; main()", "worker", "--processes", "1"]
    command += ["--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix]
    command += ["--redis", settings.redis.url] if settings.redis.url else []
    command += ["--config", str(config)] if config else []
    command += ["--after", str(after)]
    own = {
        "FORESHOCK_WORKER__GROUP": settings.topics.prefix + GROUP,
        "FORESHOCK_WORKER__DATA_DIR": str(folder / "worker"),
        "FORESHOCK_TELEMETRY__STORE": str(span_store(settings)),  # where `foreshock trace` looks
    }
    # Any free port: another worker of this machine may have the usual one.
    environment = {"FORESHOCK_METRICS__LISTEN": "127.0.0.1:0", **os.environ, **environment, **own}
    return Process("worker", command, log=folder / "worker.log", env=environment, grace_s=_GRACE_S)


def span_store(settings: Settings) -> Path:
    """Give the directory in which `foreshock trace` looks if nothing else is said."""
    return Path(settings.telemetry.store) if settings.telemetry.store else settings.worker.data_dir / "spans"


def prime(settings: Settings) -> None:
    """Have a new broker make the topics of its coordinators, which takes it seconds, while the worker still loads."""
    group = settings.topics.prefix + GROUP
    consumer = Consumer({**reader_config(settings), "group.id": group, "log_level": 0})
    with suppress(KafkaException):  # that it was asked is all that matters
        consumer.committed([TopicPartition(settings.topics.prefix + "sensors.v1", 0)], 0.1)
    client = {**producer_config(settings), "log_level": 0}
    del client["delivery.timeout.ms"]  # it may not be longer than a transaction
    with suppress(KafkaException):
        Producer({**client, "transactional.id": group}).init_transactions(_GRACE_S)
    consumer.close()


def wait_until_ready(process: Process) -> None:
    """Wait until the worker has its partitions.

    Raises
    ------
    Unavailable
        It ended, or took longer than `START_S`; the message has the end of its log.
    """
    deadline = time.monotonic() + START_S
    while READY not in process.tail():
        check(process)
        if time.monotonic() > deadline:
            raise Unavailable(f"the worker was not ready within {START_S:.0f} s; {process.log}:\n{process.tail()}")
        time.sleep(_LOOK_S)


def check(process: Process) -> None:
    """Raise `Unavailable` if the worker ended."""
    if not process.running:
        raise Unavailable(f"the worker ended; the last lines of {process.log}:\n{process.tail()}")
