"""`foreshock up`, `doctor`, `topics` and `cache`, as a user runs them."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from foreshock.cli.up import kcat_line
from foreshock.contract import Origin, TelemetryFrame
from foreshock.local.jars import cache_root, jar_folder, lock_text, parse_lock
from foreshock.local.process import is_free
from foreshock.local.stack import LocalStack
from foreshock.settings import KafkaSettings, Settings, TopicSettings
from foreshock.streams.errands.samples import newest_keys
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import ensure, used
from foreshock.streams.topics_admin import commands
from foreshock.streams.wire import Decoder

FORESHOCK = [sys.executable, "-c", "from foreshock.cli import main; main()"]

# Stands in for kcat where it is not installed: the options of the line that we print, on the same client library.
KCAT = f"""#!{sys.executable}
import argparse, sys
from confluent_kafka import Producer
parser = argparse.ArgumentParser()
parser.add_argument("-P", action="store_true", required=True)
for option in ("-b", "-t", "-K"):
    parser.add_argument(option, required=True)
parser.add_argument("-X", action="append")
given = parser.parse_args()
producer = Producer({{"bootstrap.servers": given.b, **dict(each.split("=") for each in given.X)}})
for line in sys.stdin.read().splitlines():
    key, _, value = line.partition(given.K)
    producer.produce(given.t, value.encode(), key.encode())
sys.exit(producer.flush(20))
"""


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def foreshock(*arguments: str, **env: str) -> Ran:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        [*FORESHOCK, *arguments], capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **env}
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def place(settings: Settings, partitioner: str) -> None:
    """Write 60 keys to the input topic as a gateway with that partitioner would."""
    errors: list[object] = []

    def delivered(error: object, _message: Message) -> None:
        errors.append(error)

    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap, "partitioner": partitioner})
    for number in range(60):
        producer.produce(f"{settings.topics.prefix}sensors.v1", b"{}", f"fan-{number}", on_delivery=delivered)
    assert producer.flush(20) == 0
    assert set(errors) == {None}


def first_record(bootstrap: str, topic: str) -> Message:
    """Wait for the first record of a topic, in whatever partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(4)])
    message: Message | None = consumer.poll(60)
    consumer.close()
    assert message is not None
    assert message.error() is None
    return message


def origin_of(message: Message) -> Origin:
    """Give a record's coordinates."""
    where = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
    return Origin(**where, topic_id="", ingest_ns=message.timestamp()[1] * 1_000_000)


def doctor(settings: Settings, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run the doctor on a stack; give the exit code and the checks by name."""
    ran = foreshock(
        "doctor", "--json", "--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix, *arguments
    )
    return ran.code, {row["name"]: row for row in ran.rows}


def test_up_runs_until_it_is_asked_to_stop(stack: LocalStack, tmp_path: Path) -> None:
    """Addresses and topics as JSON, everything there, ends on SIGTERM with 0, and the data folder stays."""
    process = subprocess.Popen(
        [*FORESHOCK, "up", "--json", "--data", str(tmp_path / "data"), "--prefix", "up."],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process.stdout as out:
        facts = json.loads(out.readline())
    names = AdminClient({"bootstrap.servers": facts["bootstrap"]}).list_topics(timeout=10).topics
    assert set(facts["topics"]) == {f"up.{each.name}" for each in used()}
    assert set(facts["topics"]) <= set(names)
    code, checks = doctor(
        Settings(kafka=KafkaSettings(bootstrap=facts["bootstrap"]), topics=TopicSettings(prefix="up.")),
        *("--redis", facts["redis"]),
    )
    assert code == 0
    assert checks["redis"]["state"] == "ok"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert (tmp_path / "data" / "kafka" / "data" / "meta.properties").exists()


def test_up_ends_when_a_service_ends(stack: LocalStack) -> None:
    """A broker that dies is not passed over: exit 3, its name, and nothing left behind."""
    process = subprocess.Popen([*FORESHOCK, "up", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    facts = json.loads(process.stdout.readline())
    os.kill(facts["processes"]["Kafka"], signal.SIGKILL)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "foreshock: Kafka ended" in told
    assert is_free(int(facts["redis"].rpartition(":")[2].partition("/")[0]))


def test_up_uses_a_kafka_that_exists(settings: Settings) -> None:
    """With --bootstrap no broker is started, and the topics are made on the one that is named."""
    process = subprocess.Popen(
        [*FORESHOCK, "up", "--json", "--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process.stdout as out:
        facts = json.loads(out.readline())
    assert facts["bootstrap"] == settings.kafka.bootstrap
    assert list(facts["processes"]) == ["Valkey"]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert len(ensure(replace(settings, topics=replace(settings.topics, create=False)))) == len(used())


def test_the_kcat_line_works_as_pasted(settings: Settings, tmp_path: Path) -> None:
    """The line runs in a plain shell and puts one JSON frame where the configured partitioner wants it."""
    topic = ensure(settings)["sensors.v1"]
    (tmp_path / "kcat").write_text(KCAT)
    (tmp_path / "kcat").chmod(0o755)
    path = f"{os.environ['PATH']}:{tmp_path}"  # the real one first, where there is one
    line = kcat_line(settings)
    assert "-X partitioner=murmur2_random" in line
    subprocess.run(["/bin/sh", "-c", line], check=True, timeout=60, env={**os.environ, "PATH": path})
    assert newest_keys(settings, topic) == [(b"pump-7", partition_for(b"pump-7", 4))]
    message = first_record(settings.kafka.bootstrap, topic.name)
    frame = Decoder().decode(message.value(), origin=origin_of(message), key=message.key())
    assert isinstance(frame, TelemetryFrame)
    assert (frame.asset, frame.tags[0].name, frame.values.tolist()) == ("pump-7", "bearing_temperature", [[41.5]])
    code, checks = doctor(settings)
    assert (code, checks["partitioner"]["state"]) == (0, "ok")


def test_up_with_a_worker_scores_what_is_sent(stack: LocalStack, tmp_path: Path) -> None:
    """The shortest way: one command, the printed line pasted, and there is a Score; nothing runs on afterwards."""
    process = subprocess.Popen(
        [*FORESHOCK, "up", "--json", "--worker", "--data", str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process.stdout as out:
        facts = json.loads(out.readline())
    (tmp_path / "kcat").write_text(KCAT)
    (tmp_path / "kcat").chmod(0o755)
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:{tmp_path}"}
    subprocess.run(["/bin/sh", "-c", facts["kcat"]], check=True, timeout=60, env=env)
    assert first_record(facts["bootstrap"], "scores.v1").key() == b"pump-7", (tmp_path / "worker.log").read_text()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in facts["processes"].values())


def test_doctor_on_a_stack_that_is_right(settings: Settings) -> None:
    """Everything needed is there: exit 0, each check named."""
    ensure(settings)
    code, checks = doctor(settings)
    assert code == 0
    assert {"python", "packages", "java", "valkey", "kafka jars", "ports", "kafka", "topics"} <= checks.keys()
    assert checks["topics"]["found"] == "all 16 with 4 partitions"
    assert checks["redis"]["state"] == checks["registry"]["state"] == "unused"


@pytest.mark.slow
def test_doctor_without_a_broker(tmp_path: Path) -> None:
    """No Kafka and an empty cache: exit 1, and what to do about each."""
    ran = foreshock("doctor", "--bootstrap", "127.0.0.1:9", FORESHOCK_CACHE=str(tmp_path))
    assert ran.code == 1
    assert "MISSING  kafka" in ran.out
    assert "foreshock up" in ran.out
    assert "0 of 46" in ran.out
    assert "foreshock cache use BUNDLE" in ran.out


@pytest.mark.parametrize(
    ("partitioners", "told"),
    [
        (["consistent_random"], "is written with consistent_random"),
        (["consistent_random", "murmur2_random"], "written with several partitioners"),
    ],
)
def test_doctor_finds_the_wrong_partitioner(settings: Settings, partitioners: list[str], told: str) -> None:
    """Gateways with librdkafka's default are found out from the keys, alone or mixed with others."""
    ensure(settings)
    for each in partitioners:
        place(settings, each)
    code, checks = doctor(settings)
    assert code == 1
    assert told in checks["partitioner"]["found"]
    assert "partitioner=murmur2_random" in checks["partitioner"]["fix"]


def test_doctor_finds_topics_that_are_wrong(settings: Settings) -> None:
    """Wrong partition counts fail; topics that the worker will create only warn."""
    code, checks = doctor(settings)
    assert (code, checks["topics"]["state"]) == (0, "warning")
    ensure(replace(settings, topics=replace(settings.topics, partitions=3)))
    code, checks = doctor(settings)
    assert code == 1
    assert "found 3 partitions, wanted 4" in checks["topics"]["found"]


def test_doctor_tells_of_a_registry_and_a_cache_that_do_not_answer(settings: Settings, tmp_path: Path) -> None:
    """A registry that is set is needed; a cache never is."""
    (tmp_path / "foreshock.toml").write_text('[topics]\nregistry_url = "http://127.0.0.1:9"\n')
    code, checks = doctor(
        settings, "--redis", "redis://:secret@127.0.0.1:9/0", "--config", str(tmp_path / "foreshock.toml")
    )
    assert code == 1
    assert checks["registry"]["state"] == "missing"
    assert checks["redis"]["state"] == "warning"
    assert "secret" not in json.dumps(checks)


def test_topics_says_what_is_there(settings: Settings) -> None:
    """Not there: exit 1. Created: a line each with the id. Then right: exit 0."""
    where = ("--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix, "--json")
    before, made, after = (foreshock("topics", *where, *more) for more in ((), ("--create",), ()))
    assert (before.code, made.code, after.code) == (1, 0, 0)
    assert {row["topic"] for row in before.rows} == {settings.topics.prefix + each.name for each in used()}
    assert all(row["problems"] == ["not there"] for row in before.rows)
    assert made.rows == after.rows
    assert len({row["id"] for row in made.rows}) == len(used())


def test_topics_create_overrides_the_setting(settings: Settings) -> None:
    """Whoever types --create wants it, whatever `topics.create` says for the worker."""
    where = ("--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix)
    assert foreshock("topics", "--create", *where, FORESHOCK_TOPICS__CREATE="false").code == 0


def test_the_administrators_commands_are_whole(settings: Settings) -> None:
    """Each line is a shell command with what `ensure` would have set; executed as such they make what it accepts."""
    many = replace(settings, topics=replace(settings.topics, partitions=6, prefix="plant 7."))
    lines = [shlex.split(line) for line in commands(many) if not line.startswith("#")]
    create = {line[line.index("--topic") + 1]: line for line in lines if line[0] == "kafka-topics.sh"}
    assert set(create) == {f"plant 7.{each.name}" for each in used()}
    for each in used():
        line = create[f"plant 7.{each.name}"]
        assert line[line.index("--partitions") + 1] == "6"
        given = {line[at + 1] for at, word in enumerate(line) if word == "--config"}
        assert given == {f"{key}={value}" for key, value in each.config(many).items()}
    rights = [line for line in lines if line[0] == "kafka-acls.sh"]
    assert any("--group" in line and many.worker.group in line for line in rights)
    gateway = [line for line in rights if "User:gateway" in line]
    assert {line[line.index("--topic") + 1] for line in gateway} == {"plant 7.sensors.v1", "plant 7.assets.v1"}
    assert all("Read" not in line for line in gateway)
    operator = {line[line.index("--topic") + 1] for line in rights if "User:operator" in line}
    assert operator == {"plant 7.control.v1", "plant 7.maintenance.v1", "plant 7.alerts.v1"}


def test_topics_prints_without_a_broker() -> None:
    """The commands need nobody to be there."""
    ran = foreshock("topics", "--print", "--bootstrap", "nobody:1")
    assert ran.code == 0
    assert ran.out.count("kafka-topics.sh --bootstrap-server nobody:1 --create") == len(used())


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "--print", "--create"),
        ("topics", "--config", "/no/such.toml"),
        ("schema", "asyncapi", "--out", "/no/such/file.yaml"),
        ("backfill", "history.csv", "--asset", "a", "--unit", "furlong"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...]) -> None:
    """Exit code 2 and one clear line."""
    ran = foreshock(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("foreshock: ")
    assert ran.err.count("\n") == 1


@pytest.mark.slow
def test_tail_without_a_broker_is_one_line() -> None:
    """Exit code 3 and one clear line, not one for each attempt to connect."""
    ran = foreshock("tail", "scores.v1", "--bootstrap", "127.0.0.1:1")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("foreshock: Kafka at 127.0.0.1:1 cannot be reached")
    assert ran.err.count("\n") == 1


class TestBundle:
    """A bundle takes the jars to a site without a network."""

    @pytest.fixture
    def bundle(self, stack: LocalStack, tmp_path: Path) -> Path:
        """Make a bundle of the real cache (the session's stack filled it)."""
        ran = foreshock("cache", "prepare", "--out", str(tmp_path / "bundle.tar"))
        assert ran.code == 0
        assert "pip download" in ran.out
        return tmp_path / "bundle.tar"

    def test_there_and_back(self, bundle: Path, tmp_path: Path) -> None:
        """An empty cache gets every jar; a second time nothing is left to take; doctor finds them verified."""
        here = {"FORESHOCK_CACHE": str(tmp_path / "there")}
        taken = [foreshock("cache", "use", str(bundle), "--json", **here).rows[0]["taken"] for _ in range(2)]
        assert taken == [len(parse_lock(lock_text())), 0]
        assert "46 of 46 verified" in foreshock("doctor", "--bootstrap", "127.0.0.1:9", **here).out

    def test_same_jars_give_the_same_bytes(self, bundle: Path, tmp_path: Path) -> None:
        """Two bundles of one cache are equal, so that a site can check what it was sent."""
        assert foreshock("cache", "prepare", "--out", str(tmp_path / "again.tar")).code == 0
        assert (tmp_path / "again.tar").read_bytes() == bundle.read_bytes()

    def test_a_changed_bundle_is_refused_whole(self, bundle: Path, tmp_path: Path) -> None:
        """One byte of one jar changed: exit 2, a name, and nothing in the cache."""
        name = "kafka-clients-4.1.0.jar"
        with tarfile.open(bundle) as tar:
            at = tar.getmember(name).offset_data + 1000
        content = bytearray(bundle.read_bytes())
        content[at] ^= 1
        bundle.write_bytes(content)
        ran = foreshock("cache", "use", str(bundle), FORESHOCK_CACHE=str(tmp_path / "there"))
        assert ran.code == 2
        assert name in ran.err
        assert list((tmp_path / "there").rglob("*.jar")) == []

    def test_a_bundle_of_another_version_is_refused(self, bundle: Path, tmp_path: Path) -> None:
        """The lock in the bundle must be ours."""
        (tmp_path / "kafka.lock").write_text("# another\n")
        with tarfile.open(bundle, "w") as tar:
            tar.add(tmp_path / "kafka.lock", "kafka.lock")
        ran = foreshock("cache", "use", str(bundle), FORESHOCK_CACHE=str(tmp_path / "there"))
        assert (ran.code, "not a bundle of this version" in ran.err) == (2, True)

    @pytest.mark.slow
    def test_what_is_no_bundle_is_refused(self, tmp_path: Path) -> None:
        """Any other file, or none, is one clear line."""
        (tmp_path / "file").write_bytes(b"garbage" * 1000)
        for path in (tmp_path / "file", tmp_path / "none"):
            ran = foreshock("cache", "use", str(path), FORESHOCK_CACHE=str(tmp_path / "there"))
            assert (ran.code, ran.err.count("\n")) == (2, 1)

    def test_the_cache_of_this_machine_is_left_alone(self, bundle: Path) -> None:
        """Making a bundle changes nothing in the cache."""
        assert jar_folder().is_relative_to(cache_root())
        assert len(list(jar_folder().glob("*.jar"))) >= len(parse_lock(lock_text()))
