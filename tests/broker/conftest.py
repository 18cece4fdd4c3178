"""A worker as its users start it, what they send to it, and what comes out of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition

from foreshock.contract import Origin, SensorBlock
from foreshock.settings import Settings
from foreshock.streams import topics, wire
from foreshock.streams.kafka import producer_config

START = "from foreshock.cli import main; main()"
NOW_NS = 1_760_000_000_000_000_000
NOWHERE = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)


def block(asset: str, i: int, *, samples: int = 256, **changes: Any) -> SensorBlock:
    """A block of noise, the i-th of its asset: the same arguments give the same block."""
    noise = np.random.default_rng([i, *asset.encode()]).normal(size=(1, samples)).astype(np.float32)
    fields: dict[str, Any] = {
        "origin": NOWHERE,
        "asset": asset,
        "point": "de",
        "channels": ("x",),
        "source_ns": NOW_NS + i * 160_000_000,
        "sampling_rate_hz": 1600.0,
        "quantity": "acceleration",
        "unit": "m/s2",
        "samples": noise,
        "sequence": i,
    }
    return SensorBlock(**fields | changes)


@dataclass
class WorkerProcess:
    """`foreshock worker` in a process of its own, with all that it prints."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, text: str, seconds: float = 120, *, times: int = 1) -> None:
        """Wait until a line with this text was printed; fail with everything that was."""
        said = lambda: sum(text in line for line in self.lines) >= times
        until(lambda: said() or self.process.poll() is not None, seconds, lambda: f"no {text!r} in:\n{self.shown()}")
        assert said(), f"ended with {self.process.poll()} without {text!r}:\n{self.shown()}"

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ends(seconds)

    def ends(self, seconds: float = 120) -> int:
        """Wait for the end; give the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            pytest.fail(f"the worker did not end within {seconds} s:\n{self.shown()}")

    def shown(self) -> str:
        return "\n".join(self.lines[-200:])


def until(true: Callable[[], object], seconds: float, why: Callable[[], str] | str = "it did not happen") -> None:
    """Poll until something is true, or fail at the deadline; a machine that is shared with others gets twice the time."""
    deadline = time.monotonic() + seconds * (2 if os.environ.get("CI") else 1)
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(why if isinstance(why, str) else why())
        time.sleep(0.05)


def environment(settings: Settings) -> dict[str, str]:
    """Hand settings to a process as FORESHOCK_* variables."""
    given = {
        "KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "REDIS__URL": settings.redis.url,
        "TOPICS__PREFIX": settings.topics.prefix,
        "TOPICS__CREATE": str(settings.topics.create).lower(),
        "TOPICS__PARTITIONS": settings.topics.partitions,
        "TOPICS__MAX_MESSAGE_BYTES": settings.topics.max_message_bytes,
        "WORKER__GROUP": settings.worker.group,
        "WORKER__INSTANCE_ID": settings.worker.instance_id,
        "WORKER__CHECKPOINT_S": settings.worker.checkpoint_s,
        "WORKER__STALL_S": settings.worker.stall_s,
        "WORKER__DATA_DIR": settings.worker.data_dir,
        "WORKER__PROCESSES": settings.worker.processes,
        "DETECTION__PROFILE": settings.detection.profile,
        "DETECTION__BUDGET": settings.detection.budget,
        "DETECTION__WARMUP_BLOCKS": settings.detection.warmup_blocks,
        "DETECTION__SILENT_S": settings.detection.silent_s,
        "FEATURES__EVERY_S": settings.features.every_s,
    }
    if settings.alerts.policies:
        given["ALERTS__POLICIES"] = ",".join(settings.alerts.policies)
    return {**os.environ, **{f"FORESHOCK_{name}": str(value) for name, value in given.items()}}


@pytest.fixture
def start_worker() -> Iterator[Callable[..., WorkerProcess]]:
    """Start workers; whatever is left of them ends with the test."""
    with ExitStack() as running:

        def start(
            settings: Settings,
            *arguments: str,
            cwd: Path | None = None,
            keep: tuple[int, ...] = (),
            script: str = START,
        ) -> WorkerProcess:
            process = subprocess.Popen(
                [sys.executable, "-c", script, "worker", *arguments],
                env=environment(settings),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=cwd,
                pass_fds=keep,
            )
            running.callback(end, process)
            return WorkerProcess(process)

        yield start


def end(process: subprocess.Popen[str]) -> None:
    """End a process that a test left behind."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Output:
    """One record of an output topic, decoded."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: dict[str, bytes]
    value: bytes
    record: dict[str, Any]

    @property
    def place(self) -> tuple[int, int]:
        """Coordinates of the input record behind it."""
        origin = self.record["origin"]
        return origin["partition"], origin["offset"]


class Topics:
    """The topics of one test: sends inputs, reads outputs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.found = topics.ensure(settings)
        self.producer = Producer({**producer_config(settings), "message.max.bytes": 8_000_000, "log_level": 2})
        self._watcher: Consumer | None = None
        self._encoder = wire.Encoder("single-object", topic=self.name("sensors.v1"))

    def name(self, topic: str) -> str:
        return self.settings.topics.prefix + topic

    def encode(self, block: SensorBlock) -> bytes:
        return self._encoder.encode(block)

    def send(self, value: bytes | None, key: bytes | None, partition: int = -1, headers: Any = None) -> None:
        """Send one record to the input topic, as it is."""
        while True:
            try:
                self.producer.produce(self.name("sensors.v1"), value, key, partition, headers=headers or [])
            except BufferError:
                self.producer.poll(0.1)
            else:
                return

    def send_block(self, block: SensorBlock) -> None:
        """Send a block as an integrator does."""
        self.send(self.encode(block), block.asset.encode())

    def flush(self) -> None:
        assert self.producer.flush(60) == 0

    def ends(self, topic: str) -> dict[int, int]:
        """Where each partition ends now."""
        if self._watcher is None:
            self._watcher = self._consumer()
        watch = self._watcher.get_watermark_offsets
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:  # the leader of a topic that is seconds old may still change
            with suppress(KafkaException):
                numbers = range(self.settings.topics.partitions)
                return {number: watch(TopicPartition(self.name(topic), number), timeout=10)[1] for number in numbers}
            time.sleep(0.1)
        pytest.fail(f"no answer about {topic}")

    def committed(self) -> dict[int, int]:
        """How far the worker's group is. A worker that ended in the middle of a checkpoint hides that for ten seconds."""
        consumer = self._consumer(self.settings.worker.group)
        asked = [TopicPartition(self.name("sensors.v1"), n) for n in range(self.settings.topics.partitions)]
        deadline = time.monotonic() + 60.0
        try:
            while True:  # the coordinator of a group may be moving or loading
                with suppress(KafkaException):
                    return {each.partition: max(each.offset, 0) for each in consumer.committed(asked, 40)}
                assert time.monotonic() < deadline, "no answer about the group"
                time.sleep(0.1)
        finally:
            consumer.close()

    def raw(self, topic: str) -> list[Message]:
        """Everything that is on a topic now, partition by partition in order."""
        ends = {number: end for number, end in self.ends(topic).items() if end}
        consumer = self._consumer()
        consumer.assign([TopicPartition(self.name(topic), number, OFFSET_BEGINNING) for number in ends])
        found: list[Message] = []
        deadline = time.monotonic() + 60
        try:
            while ends and time.monotonic() < deadline:
                for message in consumer.consume(5000, 0.2):
                    if message.error() is None:
                        found.append(message)
                        if message.offset() >= ends.get(message.partition(), sys.maxsize) - 1:
                            del ends[message.partition()]  # what comes after is read too, and waited for no more
        finally:
            consumer.close()
        assert not ends
        return sorted(found, key=lambda m: (m.partition(), m.offset()))

    def read(self, topic: str) -> list[Output]:
        """Everything that is on an output topic now, decoded."""
        return [
            Output(
                topic,
                message.partition(),
                message.offset(),
                message.key(),
                dict(message.headers() or ()),
                message.value(),
                wire.decode_output(message.value())["record"],
            )
            for message in self.raw(topic)
        ]

    def wait_for_outcomes(self, inputs: int, seconds: float = 90, worker: WorkerProcess | None = None) -> None:
        """Wait until scores and dead letters together are as many as the inputs."""
        count = lambda: sum(self.ends("scores.v1").values()) + sum(self.ends("dead-letters.v1").values())
        gone = lambda: worker is not None and worker.process.poll() is not None
        shown = lambda: f"{count()} of {inputs}\n{worker.shown() if worker else ''}"
        until(lambda: count() >= inputs or gone(), seconds, shown)
        assert count() >= inputs, shown()

    def close(self) -> None:
        """End the client that watches; where its broker is gone it would complain."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _consumer(self, group: str = "test-reader") -> Consumer:
        given = {"bootstrap.servers": self.settings.kafka.bootstrap, "group.id": group, "enable.auto.commit": False}
        return Consumer({**given, "log_level": 2})  # else a line for each attempt, while a test has the broker killed


@pytest.fixture
def open_topics() -> type[Topics]:
    """Make the topics of some settings."""
    return Topics


@pytest.fixture(scope="session")
def make_block() -> Callable[..., SensorBlock]:
    """Make blocks of noise."""
    return block


@pytest.fixture(scope="session")
def poll_until() -> Callable[..., None]:
    """Poll with a deadline."""
    return until


@pytest.fixture
def show_json() -> Callable[[Any], str]:
    """Print what a test found."""
    return lambda value: json.dumps(value, indent=1, default=str)


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Settings with checkpoints three times a second, and a short warm-up."""
    return replace(
        settings,
        detection=replace(settings.detection, warmup_blocks=12),
        worker=replace(settings.worker, checkpoint_s=0.3, instance_id="hall"),
    )


@pytest.fixture
def send(request: pytest.FixtureRequest, make_block: Callable[..., SensorBlock]) -> Callable[..., None]:
    """Send rounds of blocks, one of each asset a round: of the module's `ASSETS` where none are named."""

    def go(topics: Topics, first: int, last: int, assets: Sequence[str] | None = None) -> None:
        for i in range(first, last):
            for asset in request.module.ASSETS if assets is None else assets:
                topics.send_block(make_block(asset, i))
        topics.flush()

    return go
