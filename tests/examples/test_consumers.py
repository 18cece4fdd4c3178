"""The example consumers of alerts, each run as its users run it, against the real broker: each transition is handled once."""

import dataclasses
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from foreshock.alerts.vocabulary import Change, SuppressedBy
from foreshock.streams.wire import Encoder
from tests.alerts.outcomes_samples import D, H, life, transition

ROOT = Path(__file__).parents[2]
CONSUMERS = ROOT / "examples" / "consumers"
SCHEMAS = ROOT / "avro_schemas"
DEADLINE_S = 120.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def python_command(tool, tmp_path, bootstrap, topic, group):
    """Python, with the packages of the environment."""
    options = ["--bootstrap", bootstrap, "--topic", topic, "--group", group, "--schemas", SCHEMAS]
    return [sys.executable, CONSUMERS / "python" / "consumer.py", *options], tmp_path


def java_command(tool, tmp_path, bootstrap, topic, group):
    """Java, compiled by Maven in a copy, so that the checkout stays as it is."""
    tool("javac")
    folder = tmp_path / "java"
    if not folder.exists():
        shutil.copytree(CONSUMERS / "java", folder, ignore=shutil.ignore_patterns("target"))
    return [
        tool("mvn"),
        "-q",
        "-B",
        "compile",
        "exec:java",
        f"-Dexec.args={bootstrap} {topic} {group} {SCHEMAS}",
    ], folder


def node_command(tool, tmp_path, bootstrap, topic, group):
    """Node, installed from its lock in a copy."""
    folder = tmp_path / "node"
    if not folder.exists():
        shutil.copytree(CONSUMERS / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
        subprocess.run([tool("npm"), "ci", "--silent"], cwd=folder, check=True, timeout=120)
    options = ["--bootstrap", bootstrap, "--topic", topic, "--group", group, "--schemas", SCHEMAS]
    return [tool("node"), "consumer.js", *options], folder


class Running:
    """A consumer that runs, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines = process, []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n").removeprefix("\x1b[0m"))  # Maven's, before the first line of a program

    def until(self, word: str) -> list[str]:
        """Lines, once one has a word in it."""
        deadline = time.monotonic() + DEADLINE_S
        while not any(word in line for line in list(self.lines)):
            assert time.monotonic() < deadline, f"no {word}: {self.lines}"
            assert self.process.poll() is None, self.lines
            self.reader.join(0.05)
        return list(self.lines)


@contextmanager
def running(command, folder) -> Iterator[Running]:
    """Run a consumer, and stop it as a service manager does."""
    with (folder / "stderr.log").open("a") as log:  # clients tell there what they retry
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    found = Running(process)
    try:
        yield found
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in {0, 128 + signal.SIGTERM}, found.lines  # a JVM says 143 after a clean end
    finally:
        if process.poll() is None:
            process.kill()
        found.reader.join(10)
        print((folder / "stderr.log").read_text())


def publish(bootstrap, topic, transitions) -> None:
    """Write transitions to one partition, in the framing of the product."""
    producer, encoder = Producer({"bootstrap.servers": bootstrap, "log_level": 2}), Encoder()
    for each in transitions:
        producer.produce(topic, encoder.encode(each), each.alert_id.encode(), partition=1)
    assert producer.flush(30) == 0


def last_line(name: str):
    """A transition that is the last of its kind: when it was printed, all before it were looked at."""
    return transition(name, Change.CLOSED, 9 * D, asset=name)


@pytest.mark.parametrize("command", [python_command, java_command, node_command], ids=["python", "java", "node"])
def test_every_transition_is_handled_once(command, tool, tmp_path, bootstrap, topic_prefix):
    """Repeats of a worker that crashed are dropped: those that come at once, and those that come after a restart of the consumer."""
    topic, group = f"{topic_prefix}alerts.v1", f"{topic_prefix}desk"
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)
    alert = life("a1b2c3d4e5", D, acknowledged=D + H, returned=D + 2 * H)
    held = dataclasses.replace(alert[0], event_id="s", alert_id="s1", change=Change.SUPPRESSED, score=None)
    held = dataclasses.replace(held, suppressed_by=SuppressedBy.MAINTENANCE_WINDOW)
    publish(bootstrap, topic, [*alert, *alert, held, alert[0], held, last_line("marker-one")])
    made = command(tool, tmp_path, bootstrap, topic, group)

    with running(*made) as consumer:
        first = consumer.until("marker-one")
    publish(bootstrap, topic, [*alert, held, last_line("marker-one"), last_line("marker-two")])
    with running(*command(tool, tmp_path, bootstrap, topic, group)) as consumer:
        second = consumer.until("marker-two")

    assert first == [
        "1970-01-02T00:00:00Z raised warning pump-7 score 2.50 [a1b2c3d4] maintenance: inspect",
        "1970-01-02T01:00:00Z acknowledged warning pump-7 score 2.50 [a1b2c3d4] maintenance: inspect",
        "1970-01-02T02:00:00Z returned_to_normal warning pump-7 score 2.50 [a1b2c3d4] maintenance: inspect",
        "1970-01-02T00:00:00Z suppressed (maintenance_window) warning pump-7 [s1] maintenance: inspect",
        "1970-01-10T00:00:00Z closed warning marker-one score 2.50 [marker-o] maintenance: inspect",
    ]
    assert second == ["1970-01-10T00:00:00Z closed warning marker-two score 2.50 [marker-t] maintenance: inspect"]
