"""Apache Kafka as one KRaft process on loopback: configuration, storage format, start, stop."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from foreshock.errors import Unavailable
from foreshock.local import jvm
from foreshock.local.process import GRACE_S, Process, free_port, listens
from foreshock.local.tls import Credentials
from foreshock.settings import KafkaSettings, Settings
from foreshock.streams.kafka import administration

START_S = 60.0
CHECKPOINT = "bootstrap.checkpoint"  # which features an empty cluster begins with
# One node holds every replica; few partitions of the internal topics keep a start and a stop short.
BASE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    # a checkpoint that a dead worker left open is given up when it is due, not up to ten seconds later
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # after a crash the new broker must wait until the session of the old one has ended (default 9 s)
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "800",
    "group.min.session.timeout.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "16777216",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """The three loopback ports of the broker."""

    client: int
    internal: int
    controller: int


def server_properties(data: Path, ports: Ports, tls: Credentials | None) -> dict[str, str]:
    """Give the broker's configuration; clients use one listener, plain or SASL_SSL, the broker itself another."""
    client = "SASL_SSL" if tls else "PLAINTEXT"
    listeners = {client: ports.client, "INTERNAL": ports.internal, "CONTROLLER": ports.controller}
    addresses = {name: f"{name}://127.0.0.1:{port}" for name, port in listeners.items()}
    return {
        **BASE,
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": f"{addresses[client]},{addresses['INTERNAL']}",
        "listener.security.protocol.map": f"{client}:{client},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "log.dirs": str(data),
        **(tls.server_properties() if tls else {}),
    }


class Broker:
    """One Kafka broker with its data folder.

    Parameters
    ----------
    folder
        Data, configuration and log; survives restarts.
    jars
        The verified class path.
    tls
        Certificates and account of a SASL_SSL listener, or None for a plain one.
    port
        Preferred client port where the folder remembers none; 0 for any.
    temporary
        The folder is deleted if this process dies.
    properties
        Broker properties over ours.
    training
        Where to write an archive of linked classes at the end.
    grace_s
        Seconds that a stop may take.
    """

    def __init__(
        self,
        folder: Path,
        jars: Sequence[Path],
        *,
        tls: Credentials | None = None,
        port: int = 0,
        temporary: bool = False,
        properties: Mapping[str, str] = MappingProxyType({}),
        training: Path | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.tls = tls
        self._own_properties = properties
        self.ports = _ports(folder, port)
        self._java = jvm.command(jars)
        self._checkpoint = jvm.head_start(jars) / CHECKPOINT
        self._properties = folder / "server.properties"
        self.process = Process(
            "Kafka",
            [*jvm.command(jars, training=training), "kafka.Kafka", str(self._properties)],
            log=folder / "kafka.log",
            remove=folder if temporary else None,
            grace_s=grace_s,
        )

    @property
    def bootstrap(self) -> str:
        """Address for clients."""
        return f"127.0.0.1:{self.ports.client}"

    def start(self) -> None:
        """Format the storage if it is new, start, and wait until the broker answers.

        Raises
        ------
        Unavailable
            With the last lines of the broker's log.
        """
        properties = {**server_properties(self.data, self.ports, self.tls), **self._own_properties}
        write_properties(self._properties, properties)
        if not (self.data / "meta.properties").exists():
            self._format()
        self.process.start()
        self.process.wait_ready(self._answers, START_S)

    def stop(self) -> None:
        """Stop in order; the data stays."""
        self.process.stop()

    def kill(self) -> None:
        """Kill as a crash would (SIGKILL)."""
        self.process.kill()

    def _format(self) -> None:
        """Make the data folder as Kafka's storage tool does; where it has shown how, without a second Java."""
        if self._checkpoint.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._checkpoint, self.data / CHECKPOINT)
            marks = {"version": "1", "cluster.id": _cluster_id(), "node.id": "1", "directory.id": _cluster_id()}
            write_properties(self.data / "meta.properties", marks)  # the last: its presence says that all is there
            return
        command = [*self._java, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(self._properties)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_S)
        if done.returncode:
            raise Unavailable(f"Kafka cannot format {self.data}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def _answers(self) -> bool:
        if not listens(self.ports.internal):
            return False
        inside = Settings(kafka=KafkaSettings(bootstrap=f"127.0.0.1:{self.ports.internal}"))
        try:
            with administration(inside, wait_s=0) as admin:
                return bool(admin.list_topics(timeout=5).brokers)
        except Unavailable:
            return False


def write_properties(path: Path, properties: Mapping[str, str]) -> None:
    """Write a Java properties file that only its owner can read (it may hold a password)."""
    lines = (f"{key}={value}" for key, value in properties.items())
    text = "\n".join(line.replace("\\", "\\\\") for line in lines) + "\n"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _cluster_id() -> str:
    """Draw an id as Kafka does: 16 bytes in URL-safe base 64, never with a dash in front, which its tools take for an option."""
    while (drawn := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return drawn


def _ports(folder: Path, preferred: int) -> Ports:
    """Take the ports of the last start again where they are free, so that clients find the broker after a restart."""
    file = folder / "ports.json"
    last = json.loads(file.read_text()) if file.exists() else {"client": preferred}
    ports = Ports(**{name: free_port(last.get(name, 0)) for name in ("client", "internal", "controller")})
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"client": ports.client, "internal": ports.internal, "controller": ports.controller}))
    return ports
