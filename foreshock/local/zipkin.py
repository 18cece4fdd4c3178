"""A real Zipkin on loopback: one jar on the same Java runtime as Kafka, its traces in memory."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path
from types import TracebackType
from typing import Self

from foreshock.local.jars import Progress, cache_root, fetched, lock_text, parse_lock
from foreshock.local.jvm import java
from foreshock.local.process import Process, free_port

PORT = 9411
START_S = 120.0  # 5 s on a quiet machine
# Its spans are a few KB each with our attributes; more of them than this do not fit into the heap.
FLAGS = (
    *("-Xms64m", "-Xmx320m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"),
    *("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"),
    "-Dzipkin.storage.mem.max-spans=40000",
    *("-Darmeria.ports[0].ip=127.0.0.1", "-Darmeria.ports[0].protocols=http"),
)


def zipkin_jar(progress: Progress | None = None) -> Path:
    """Give the verified jar; it is 131 MB, fetched once.

    Raises
    ------
    ConfigurationError
        The jar does not match the lock.
    Unavailable
        It is missing and cannot be fetched.
    """
    (jar,) = parse_lock(lock_text("zipkin.lock"))
    (path,) = fetched([jar], cache_root() / f"zipkin-{jar.version}", progress)
    return path


class Zipkin:
    """One Zipkin server.

    Parameters
    ----------
    folder
        Of its log.
    port
        Preferred port; taken where it is free.
    progress
        Called with (bytes done, bytes in all) while the jar is fetched on the first start.
    """

    def __init__(self, folder: Path, *, port: int = PORT, progress: Progress | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port(port)
        command = [str(java()), *FLAGS, f"-Darmeria.ports[0].port={self.port}", "-jar", str(zipkin_jar(progress))]
        self.process = Process("Zipkin", command, log=folder / "zipkin.log")

    @property
    def url(self) -> str:
        """Address of its pages."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Give what makes workers and those who send report their spans here."""
        return {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{self.url}/api/v2/spans"}

    def start(self) -> None:
        """Start it; it gets ready by itself."""
        self.process.start()

    def wait_ready(self) -> None:
        """Wait until it answers."""
        self.process.wait_ready(self._answers, START_S)

    def stop(self) -> None:
        """Stop it; its traces go with it."""
        self.process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            finally:
                connection.close()
        return False
