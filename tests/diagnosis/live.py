"""A small plant that runs for real - broker, cache, two workers, delivery to a server - and that can be hurt in many ways."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from foreshock.answers.diagnosis.diagnose import diagnose
from foreshock.answers.diagnosis.finding import Diagnosis
from foreshock.local.stack import LocalStack
from foreshock.settings import Settings, load
from foreshock.streams.coders import encoder_for
from foreshock.streams.errands.vitals import gather
from foreshock.streams.partitioner import partition_for
from tests.broker.conftest import START, Topics, WorkerProcess, block, end, until
from tests.sinks.making import lives
from tests.sinks.receivers import Endpoint
from tests.sinks.servers import HttpServer, Script, serving

ASSETS = tuple(f"pump-{n}" for n in range(12))
EVERY_S = 0.25  # a block of each asset
RATE_HZ = 1600.0
SAMPLES = 400
CALM = 24  # scores of each asset before anything is done to it
LOOK_S = 4.0
Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def free_ports(count: int) -> int:
    """The first of some ports in a row that are free now."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            with suppress(OSError):
                for n in range(1, count):
                    held.enter_context(socket.create_server(("127.0.0.1", first + n)))
                return int(first)


class Feed(threading.Thread):
    """Machines that turn: a tone and noise, four blocks a second of each; `changes` says whose blocks are sent otherwise."""

    def __init__(self, topics: Topics) -> None:
        super().__init__(daemon=True)
        self.changes: dict[str, Change] = {}
        self.more: tuple[str, ...] = ()  # further assets
        self.raw: Callable[[bytes, str], tuple[bytes, bytes, int]] | None = None
        self._topics = topics
        self._over = threading.Event()
        self._rng = np.random.default_rng(5)

    def run(self) -> None:
        began = time.time()
        for number in count(1):
            # Sampled without a gap and told in time, as a device does.
            if self._over.wait(max(0.0, began + number * EVERY_S - time.time())):
                return
            for asset in (*ASSETS, *self.more):
                self._send(asset, number, int((began + number * EVERY_S) * 1e9))
            self._topics.producer.poll(0)

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _send(self, asset: str, number: int, at_ns: int) -> None:
        t = np.arange(SAMPLES) / RATE_HZ
        samples = np.sin(2 * np.pi * 50 * t) + 0.3 * self._rng.normal(size=SAMPLES)
        fields: dict[str, Any] = {
            "source_ns": at_ns,
            "sampling_rate_hz": RATE_HZ,
            "interval_s": EVERY_S,  # promised: a rhythm that nobody promises is known after a minute only
            "samples": samples.astype(np.float32).reshape(1, -1),
            "sequence": number,
        }
        changed = self.changes.get(asset, dict)(fields)
        if changed is None:
            return
        value, key, partition = self._topics.encode(replace(block(asset, number), **changed)), asset.encode(), -1
        if self.raw is not None:
            value, key, partition = self.raw(value, asset)
        self._topics.send(value, key, partition)


@dataclass
class Plant:
    """Everything of one cause: topics of its own on a stack that others use too."""

    stack: LocalStack
    folder: Path
    prefix: str
    more: str = ""  # settings
    processes: int = 2
    running: ExitStack = field(default_factory=ExitStack)
    server: HttpServer | None = None
    delivery: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        self.endpoint = Endpoint()
        self.server = self.running.enter_context(serving(HttpServer(self.endpoint, Script(), late_s=5.0)))
        self.config = self.folder / "foreshock.toml"
        self.ports = free_ports(3)
        self.configure()
        self.topics = Topics(self.settings)
        self.running.callback(self.topics.close)
        self.feed = Feed(self.topics)
        self.worker: WorkerProcess | None = None

    def configure(self, more: str | None = None, key: str = "a-key-of-32-characters-for-tests") -> None:
        """Write the settings file; processes that run keep theirs."""
        self.more = self.more if more is None else more
        (self.folder / "key").write_text(key)
        (self.folder / "key").chmod(0o600)
        assert self.server is not None
        self.config.write_text(
            f'[kafka]\nbootstrap = "{self.stack.bootstrap}"\nsession.timeout.ms = "10000"\n'
            f'[redis]\nurl = "{self.stack.redis_url}"\n'
            f'[topics]\nprefix = "{self.prefix}"\n'
            f'[worker]\ngroup = "{self.prefix}group"\ninstance_id = "hall"\nprocesses = {self.processes}\ncheckpoint_s = 1.0\n'
            f'data_dir = "{self.folder / "data"}"\n'
            f'[state]\nkey_file = "{self.folder / "key"}"\n'
            f'[metrics]\nlisten = "127.0.0.1:{self.ports}"\ndeliver_listen = "127.0.0.1:{self.ports + 2}"\n'
            f"[detection]\nwarmup_blocks = 12\nsilent_s = 3.0\n{self.more}\n"
            f'[deliver.hook]\nkind = "webhook"\nurl = "{self.server.url}"\nstart = "beginning"\ntimeout_s = 2.0\n'
            "backoff_s = 0.2\nlongest_backoff_s = 1.0\n",
            encoding="utf-8",
        )

    @property
    def settings(self) -> Settings:
        return load(self.config, env={})

    def start_worker(self, *arguments: str) -> WorkerProcess:
        """Start both workers under their supervisor, and wait for both."""
        self.worker = WorkerProcess(self._start("worker", *arguments))
        self.worker.wait_for("worker ready", 240, times=2)
        return self.worker

    def start_failing(self, names: str) -> None:
        """Start one worker with a defect (`tests/chaos/failing.py`), without a supervisor."""
        self.processes = 1
        self.configure()
        self.worker = WorkerProcess(self._start("worker", "--slot", "0", entry=("-m", "tests.chaos.failing", names)))
        self.worker.wait_for("worker ready", 240)

    def start_delivery(self) -> None:
        """Start `foreshock deliver`."""
        self.delivery = self._start("deliver")
        WorkerProcess(self.delivery)  # reads what it prints

    def _start(self, *command: str, entry: tuple[str, ...] = ("-c", START)) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *entry, *command, "--config", str(self.config)],
            env={name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.callback(end, process)
        return process

    def calm(self) -> None:
        """Run until every asset is scored for a while."""
        self.start_worker()
        self.start_delivery()
        self.feed.start()
        self.running.callback(self.feed.stop)
        scored = lambda: sum(self.topics.ends("scores.v1").values()) >= CALM * len(ASSETS)
        until(scored, 120, lambda: self.worker.shown() if self.worker else "")

    def hurt(self, number: int, *slots: int) -> list[int]:
        """Send a signal to workers, not to their supervisor."""
        assert self.worker is not None
        found = {}
        for pid in Path(f"/proc/{self.worker.process.pid}/task/{self.worker.process.pid}/children").read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"--slot" in words:
                found[int(words[words.index(b"--slot") + 1])] = int(pid)
        pids = [found[slot] for slot in slots]
        for pid in pids:
            os.kill(pid, number)
        return pids

    def stop_worker(self) -> None:
        """Stop the supervisor and its workers in order."""
        assert self.worker is not None
        self.worker.stop()

    def alerts(self, count: int = 40) -> None:
        """Put alerts on alerts.v1, so that there is something to deliver."""
        encoder = encoder_for(self.settings, "alerts.v1")
        for each in lives(count):
            partition = partition_for(each.asset.encode(), self.settings.topics.partitions)
            self.topics.producer.produce(
                self.topics.name("alerts.v1"), encoder.encode(each), each.alert_id.encode(), partition
            )
        self.topics.flush()

    @contextmanager
    def stuttering(self, stop_s: float, go_s: float) -> Iterator[None]:
        """The broker runs only a part of the time: it answers, and slowly."""
        over = threading.Event()
        pid = self.stack.broker.process.pid

        def stutter() -> None:
            while not over.is_set():
                os.kill(pid, signal.SIGSTOP)
                time.sleep(stop_s)
                os.kill(pid, signal.SIGCONT)
                over.wait(go_s)

        thread = threading.Thread(target=stutter)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def diagnose(self, since_s: float) -> Diagnosis:
        """What the command would say."""
        return diagnose(gather(self.settings, urls=(), span_s=LOOK_S, since_s=since_s))
