"""The embedded stack: Apache Kafka and Valkey as child processes that never outlive this one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from foreshock.errors import ConfigurationError
from foreshock.local import tls
from foreshock.local.broker import Broker
from foreshock.local.jars import Progress, kafka_jars
from foreshock.local.jvm import java
from foreshock.local.process import Process
from foreshock.local.valkey import Valkey


class LocalStack:
    """Kafka, and Valkey if `redis`, on free loopback ports.

    Parameters
    ----------
    data_dir
        Where topics and cache are kept; they survive restarts, and so do the ports where these are free. None: a temporary folder
        that goes with the stack.
    sasl_ssl
        Clients must use TLS and a password (`settings_overrides` names both).
    redis
        Start Valkey too.
    kafka
        Start Kafka; False where one exists already and only Valkey is wanted.
    ports
        Preferred ports of Kafka and Valkey, taken where they are free and nothing else is remembered in `data_dir`; 0 for any.
    broker_properties
        Properties of the broker over ours, for tests: an authorizer, a shorter retention.
    progress
        Called with (bytes done, bytes in all) while Kafka's jars are fetched on the first start.

    Raises
    ------
    ConfigurationError
        The extra `local` is not installed, or a jar does not match its hash.
    Unavailable
        The jars cannot be fetched, or a service did not start; the message has the end of its log.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        sasl_ssl: bool = False,
        redis: bool = True,
        kafka: bool = True,
        ports: tuple[int, int] = (0, 0),
        broker_properties: Mapping[str, str] = MappingProxyType({}),
        progress: Progress | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._sasl_ssl = sasl_ssl
        self._redis = redis
        self._kafka = kafka
        self._ports = ports
        self._broker_properties = broker_properties
        self._progress = progress
        self._prepared = False
        self._temporary: Path | None = None
        self._mine: int | None = None  # holds the lock of the data folder
        self.folder = Path()  # of everything that is kept; known once started
        self._broker: Broker | None = None
        self.valkey: Valkey | None = None

    @property
    def broker(self) -> Broker:
        """The broker: stop, start and kill it to play an outage; its port stays."""
        if self._broker is None:
            raise RuntimeError("this stack has no broker, or it is not started")
        return self._broker

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self.broker.bootstrap

    @property
    def redis_url(self) -> str:
        """Valkey's address, "" where there is none."""
        return self.valkey.url if self.valkey else ""

    def settings_overrides(self) -> dict[str, str]:
        """Give the settings of a client of this stack, as `settings.load` takes its flags."""
        flags = {"redis.url": self.redis_url} if self._redis else {}
        if self._kafka:
            credentials = self.broker.tls
            # said even where it is the default: a settings file made for another Kafka may say otherwise
            properties = credentials.client_properties() if credentials else {"security.protocol": "PLAINTEXT"}
            flags["kafka.bootstrap"] = self.bootstrap
            flags |= {f"kafka.{name}": value for name, value in properties.items()}
        return flags

    def environment(self) -> dict[str, str]:
        """Give the same as environment variables, for a child process."""
        return {
            f"FORESHOCK_{name.replace('.', '__', 1).replace('.', '_').upper()}": value
            for name, value in self.settings_overrides().items()
        }

    @property
    def processes(self) -> tuple[Process, ...]:
        """The services that run."""
        return tuple(each.process for each in (self._broker, self.valkey) if each)

    def prepare(self) -> None:
        """Get everything ready to be started; the addresses are known from here on."""
        jars = kafka_jars(self._progress) if self._kafka else []
        self.folder = self._make_folder()
        try:
            self._make(self.folder, jars, temporary=self._temporary is not None)
        except BaseException:
            self.stop()
            raise
        self._prepared = True

    def start(self) -> None:
        """Start everything; what did start is stopped again if something does not."""
        if not self._prepared:
            self.prepare()
        try:
            for service in (self.valkey, self._broker):
                if service:
                    service.start()
        except BaseException:
            self.stop()
            raise

    def _make(self, folder: Path, jars: Sequence[Path], *, temporary: bool) -> None:
        if self._redis:
            self.valkey = Valkey(folder / "valkey", port=self._ports[1], temporary=temporary)
        if self._kafka:
            credentials = tls.make(folder / "kafka" / "tls", java().with_name("keytool")) if self._sasl_ssl else None
            self._broker = Broker(
                folder / "kafka",
                jars,
                tls=credentials,
                port=self._ports[0],
                temporary=temporary,
                properties=self._broker_properties,
            )

    def stop(self) -> None:
        """Stop everything in order; only temporary data goes."""
        self._prepared = False
        if self._broker:
            self._broker.stop()
        if self.valkey:
            self.valkey.stop()
        if self._mine is not None:
            os.close(self._mine)
            self._mine = None
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    @contextmanager
    def started(self) -> Iterator[None]:
        """Stop a stack that was started at the end of the block, however it ends."""
        try:
            yield
        finally:
            self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_folder(self) -> Path:
        if self._data_dir is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="foreshock-"))
            return self._temporary
        folder = self._data_dir.absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._mine = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.stop()
            raise ConfigurationError(
                f"{folder} is in use by another foreshock: stop it or take another folder"
            ) from None
        except OSError as exc:
            raise ConfigurationError(f"{folder} cannot be used for data: {exc.strerror}") from exc
        return folder
