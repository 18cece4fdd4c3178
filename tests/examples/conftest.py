"""One plant for all examples: topics and a worker of their own on the session's broker, and a way to look at its topics."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from foreshock.settings import Settings, load
from foreshock.streams.kafka import reader_config
from foreshock.streams.topics import TopicInfo, ensure
from foreshock.streams.wire import decode_output

DEADLINE_S = 90.0  # the worker's first start compiles its kernels


@dataclass(frozen=True)
class Plant:
    """A running worker and how to reach it."""

    settings: Settings
    topics: dict[str, TopicInfo]
    environment: dict[str, str]
    folder: Path
    root: Path = Path(__file__).parents[2]  # of the checkout

    def foreshock(self, *arguments: str | Path, code: int = 0, text: str = "") -> str:
        """Run a command as a user of this plant; give what it printed."""
        command = [Path(sys.executable).with_name("foreshock"), *arguments]
        done = subprocess.run(
            command,
            env=self.environment,
            cwd=self.folder,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def read(self, topic: str, asset: str, count: int) -> list[Message]:
        """Read a topic from its start until it holds so many records of an asset."""
        consumer = Consumer(reader_config(self.settings) | {"enable.partition.eof": False})
        info = self.topics[topic]
        consumer.assign([TopicPartition(info.name, number, OFFSET_BEGINNING) for number in range(info.partitions)])
        found: list[Message] = []
        deadline = time.monotonic() + DEADLINE_S
        try:
            while len(found) < count:
                assert time.monotonic() < deadline, f"{topic}: {len(found)} of {count} records of {asset}"
                messages = [message for message in consumer.consume(500, 0.2) if message.error() is None]
                found += [message for message in messages if message.key() == asset.encode()]
        finally:
            consumer.close()
        return found

    def records(self, topic: str, asset: str, count: int) -> list[dict]:
        """Read decoded outputs."""
        return [decode_output(message.value())["record"] for message in self.read(topic, asset, count)]


@contextmanager
def running_plant(stack, folder: Path, **more: str) -> Iterator[Plant]:
    """Start a worker on topics of its own; stop it at the end and show its log. `more` goes to its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_")} | {
        "FORESHOCK_KAFKA__BOOTSTRAP": stack.bootstrap,
        "FORESHOCK_REDIS__URL": stack.redis_url,
        "FORESHOCK_TOPICS__PREFIX": f"examples-{uuid.uuid4().hex[:6]}.",
        "FORESHOCK_WORKER__GROUP": f"examples-{uuid.uuid4().hex[:6]}",
        "FORESHOCK_WORKER__DATA_DIR": str(folder / "state"),
        **more,
    }
    settings = load(None, environment)
    with (folder / "worker.log").open("w") as log:
        command = [Path(sys.executable).with_name("foreshock"), "worker"]
        topics = ensure(settings)
        worker = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield Plant(settings, topics, environment, folder)
        finally:
            worker.terminate()
            worker.wait(30)
    print((folder / "worker.log").read_text())


@pytest.fixture(scope="session")
def plant(stack, tmp_path_factory) -> Iterator[Plant]:
    """One worker for all examples."""
    with running_plant(stack, tmp_path_factory.mktemp("plant")) as found:
        yield found


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
