"""A worker of its own for the examples, and ways to look at what it and the producers sent."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from foreshock.streams.kafka import reader_config
from foreshock.streams.topics import ensure

DEADLINE_S = 60.0


@pytest.fixture
def foreshock() -> Path:
    """The command as a user has it."""
    return Path(sys.executable).with_name("foreshock")


@pytest.fixture
def environment(settings, tmp_path) -> dict[str, str]:
    """Environment in which `foreshock` finds the test's broker, prefix and folders without options."""
    return os.environ | {
        "FORESHOCK_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "FORESHOCK_REDIS__URL": settings.redis.url,
        "FORESHOCK_TOPICS__PREFIX": settings.topics.prefix,
        "FORESHOCK_WORKER__GROUP": settings.worker.group,
        "FORESHOCK_WORKER__DATA_DIR": str(tmp_path / "state"),
    }


@pytest.fixture
def topics(settings):
    """The topics of this test, made."""
    return ensure(settings)


@pytest.fixture
def start_worker(topics, foreshock, environment, tmp_path):
    """Start a worker when called; it is stopped with the test, and its log is shown if that does not work."""
    started: list[subprocess.Popen] = []

    def start() -> None:
        log = (tmp_path / "worker.log").open("w")
        started.append(subprocess.Popen([foreshock, "worker"], env=environment, stdout=log, stderr=log, cwd=tmp_path))

    yield start
    for worker in started:
        worker.terminate()
        code = worker.wait(20)
        print((tmp_path / "worker.log").read_text())
        assert code == 0


@pytest.fixture
def read(settings, topics) -> Callable[[str, Callable[[list[Message]], bool]], list[Message]]:
    """Read a topic from its start until the records satisfy a condition."""

    def read_until(topic: str, enough: Callable[[list[Message]], bool]) -> list[Message]:
        consumer = Consumer(reader_config(settings) | {"enable.partition.eof": False})
        info = topics[topic]
        consumer.assign([TopicPartition(info.name, number, OFFSET_BEGINNING) for number in range(info.partitions)])
        found: list[Message] = []
        deadline = time.monotonic() + DEADLINE_S
        try:
            while not enough(found):
                assert time.monotonic() < deadline, (
                    f"{topic}: {len(found)} records, not enough after {DEADLINE_S:.0f} s"
                )
                found += [message for message in consumer.consume(500, 0.2) if message.error() is None]
        finally:
            consumer.close()
        return found

    return read_until


@pytest.fixture
def tool() -> Callable[[str], str]:
    """Find a program; where it is missing skip with the reason, in CI fail."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{name} is missing: .ci/run installs it")
            pytest.skip(f"needs {name}")
        return found

    return find
