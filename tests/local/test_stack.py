"""The embedded stack: real Kafka, real Valkey, real ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from redis import Redis

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.local.broker import _cluster_id
from foreshock.local.process import Process, is_free
from foreshock.local.stack import LocalStack
from foreshock.settings import load
from tests.conftest import start_or_skip

DEADLINE_S = 30.0

# A parent that holds a stack and tells the ids of its services, its guards and its temporary folder. "offline": jgo cannot be imported.
PARENT = """
import sys, signal
if sys.argv[1] == "offline":
    sys.modules["jgo"] = None
from foreshock.local.stack import LocalStack
with LocalStack() as stack:
    services = [stack.broker.process, stack.valkey.process]
    print(*[each.pid for each in services], *[each._guard.pid for each in services], stack.broker.folder.parent, flush=True)
    if sys.argv[1] == "wait":
        signal.pause()
"""


def write(bootstrap: str, topic: str, value: bytes) -> None:
    """Produce one record and have it acknowledged."""
    errors: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value, b"key", on_delivery=lambda error, _message: errors.append(error))
    assert producer.flush(20) == 0
    assert errors == [None]


def read(bootstrap: str, topic: str) -> bytes:
    """Read the first record of a topic of one partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message: Message | None = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert message.error() is None
    return message.value()


def make_topic(bootstrap: str) -> str:
    """Make a topic of one partition."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    name = uuid.uuid4().hex
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(20)
    return name


def alive(pid: int) -> bool:
    """Say whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a deadline."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "not within the deadline"
        time.sleep(0.05)


def parent(mode: str, tmp_path: Path, **env: str) -> subprocess.Popen[str]:
    """Start a parent of a stack in a process of its own, with a temporary folder of its own."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), **env}
    return subprocess.Popen([sys.executable, "-c", PARENT, mode], stdout=subprocess.PIPE, text=True, env=environment)


def test_ready_at_once(stack: LocalStack) -> None:
    """A started stack takes and gives records, and Valkey answers."""
    topic = make_topic(stack.bootstrap)
    write(stack.bootstrap, topic, b"value")
    assert read(stack.bootstrap, topic) == b"value"
    assert Redis.from_url(stack.redis_url).ping()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_parent(stack: LocalStack, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM or SIGKILL of the parent: no JVM, no Valkey, no guard, no temporary data is left."""
    process = parent("wait", tmp_path)
    assert process.stdout
    with process.stdout as out:
        *pids, folder = out.readline().split()
    assert all(alive(int(pid)) for pid in pids)
    assert Path(folder).is_relative_to(tmp_path)
    process.send_signal(number)
    process.wait(DEADLINE_S)
    eventually(lambda: not any(alive(int(pid)) for pid in pids))
    eventually(lambda: not Path(folder).exists())


def test_a_later_start_uses_no_network(stack: LocalStack, tmp_path: Path) -> None:
    """With the cache filled (the session's stack did that) a start needs neither jgo nor a way out."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    process = parent("offline", tmp_path, **nowhere, NO_PROXY="", no_proxy="", M2_REPO=str(tmp_path / "none"))
    assert process.wait(60) == 0
    assert process.stdout
    with process.stdout as out:
        assert len(out.readline().split()) == 5


def test_data_and_ports_survive_a_restart(stack: LocalStack, tmp_path: Path) -> None:
    """A data folder keeps topics, records, cache entries and addresses."""
    with LocalStack(tmp_path / "data") as first:
        addresses = first.settings_overrides()
        topic = make_topic(first.bootstrap)
        write(first.bootstrap, topic, b"kept")
        Redis.from_url(first.redis_url).set("key", "kept")
    with LocalStack(tmp_path / "data") as second:
        assert second.settings_overrides() == addresses
        assert read(second.bootstrap, topic) == b"kept"
        assert Redis.from_url(second.redis_url).get("key") == b"kept"
    assert is_free(int(addresses["kafka.bootstrap"].rpartition(":")[2]))


def test_no_cluster_id_looks_like_an_option() -> None:
    """One random id in 64 would start with a dash, and Kafka's storage tool would refuse to format."""
    drawn = [_cluster_id() for _ in range(2000)]
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", each) for each in drawn)
    assert len(set(drawn)) == len(drawn)


def test_a_data_folder_has_one_user(stack: LocalStack, tmp_path: Path) -> None:
    """A second stack on the same folder is refused and leaves the first alone."""
    with LocalStack(tmp_path, kafka=False) as first:
        with pytest.raises(ConfigurationError, match="in use by another foreshock"):
            LocalStack(tmp_path, kafka=False).start()
        assert Redis.from_url(first.redis_url).ping()
    with LocalStack(tmp_path, kafka=False) as after:
        assert Redis.from_url(after.redis_url).ping()


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """One clear line."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"file.* cannot be used for data"):
        LocalStack(tmp_path / "file").start()


def test_settings_for_a_child_process(stack: LocalStack) -> None:
    """Flags and environment variables give the same settings, whatever a settings file says about TLS."""
    by_flags = load(None, env={}, flags={"kafka.security.protocol": "SASL_SSL", **stack.settings_overrides()})
    assert load(None, env=stack.environment()) == by_flags
    assert by_flags.kafka.properties["security.protocol"] == "PLAINTEXT"


def test_a_killed_broker_comes_back_with_its_records(stack: LocalStack) -> None:
    """An outage can be played: SIGKILL, start again, same address, nothing lost."""
    with LocalStack(redis=False) as own:
        topic = make_topic(own.bootstrap)
        write(own.bootstrap, topic, b"before the kill")
        address, pid = own.bootstrap, own.broker.process.pid
        own.broker.kill()
        assert not alive(pid)
        own.broker.start()
        assert own.bootstrap == address
        assert read(address, topic) == b"before the kill"


def test_a_broker_that_cannot_start_says_why(stack: LocalStack, tmp_path: Path) -> None:
    """The error holds the end of the broker's log, and what did start is stopped."""
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=x\n")
    broken = LocalStack(tmp_path)
    with pytest.raises(Unavailable, match=r"Kafka ended while starting; the last lines(.|\n)*node.id"):
        broken.start()
    assert broken.valkey
    assert not broken.valkey.process.running


def test_where_the_stack_is_missing_tests_skip_and_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extra skips with the reason; in CI a missing part is a failure."""

    def missing(_self: LocalStack) -> None:
        raise Unavailable("no jars")

    monkeypatch.setattr(LocalStack, "start", missing)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no jars"):
        start_or_skip(LocalStack())
    monkeypatch.setenv("CI", "true")
    with pytest.raises(Unavailable):
        start_or_skip(LocalStack())


def test_the_guard_costs_little(stack: LocalStack) -> None:
    """A guard is a bare interpreter: under 20 MB resident, half of it shared."""
    process: Process = stack.broker.process
    assert process._guard
    status = Path(f"/proc/{process._guard.pid}/status").read_text()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    assert resident_kb < 20_000
