"""All that shows the metrics of a process: its values, its health, the endpoint, the export by OTLP."""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections.abc import Callable, Sequence
from shutil import disk_usage
from socket import socket

import foreshock
from foreshock.errors import ConfigurationError
from foreshock.settings import MetricsSettings, Settings
from foreshock.streams.errors import aside, guarded
from foreshock.streams.metrics.certificates import expiries
from foreshock.streams.metrics.endpoint import Endpoint, Health, bind
from foreshock.streams.metrics.model import Process
from foreshock.streams.metrics.prices import read_prices
from foreshock.streams.metrics.process import account
from foreshock.streams.metrics.push import Push
from foreshock.streams.metrics.values import Values
from foreshock.streams.spans.sending import service_name

log = logging.getLogger("foreshock.metrics")

PERIOD_S = 2.0
CERTIFICATES_S = 600.0


class Surface:
    """Takes the address at once, so that a port that is taken is told before anything else is done.

    Parameters
    ----------
    settings
        `metrics`, `kafka` (certificates), `telemetry` (name of the service), `worker.stall_s`.
    process
        Which metrics there are.
    name
        Of this process in traces and headers.
    slot
        Its number among those of one supervisor.

    Raises
    ------
    ConfigurationError
        The address is none, or was asked for and is taken; the price file is none.
    """

    def __init__(self, settings: Settings, process: Process, *, name: str, slot: int = 0) -> None:
        self.prices = read_prices(settings.metrics.prices) if process is Process.WORKER else None
        taken = _address(settings, process, slot)
        self.values = Values(process)
        self.name = name
        # the case writer waits for the brokers in its one thread, for minutes
        self.health = Health(silent_s=600.0 if process is Process.CASES else max(2 * settings.worker.stall_s, 30.0))
        self._settings = settings
        info = (foreshock.__version__, platform.python_version(), name, process.value)
        self.values.put("foreshock_build_info", 1.0, info)
        self._looks: list[Callable[[], None]] = [
            account(self.values),
            self._readiness,
            self._disk,
            self._certificates(),
        ]
        self._over = threading.Event()
        self._endpoint = Endpoint(taken, self.values, self.health) if taken else None
        self._push = Push(self.values, _service(settings, process), name)
        self._thread = threading.Thread(name="metrics-look", daemon=True, target=guarded(self._run))
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it is scraped; "" for nowhere."""
        return self._endpoint.address if self._endpoint else ""

    def watch(self, looks: Sequence[Callable[[], None]]) -> None:
        """Have something looked at every few seconds, in a thread of its own, before each export."""
        self._looks += looks

    def close(self) -> None:
        """Export once more, and end; nobody waits for a receiver that does not answer."""
        self._over.set()
        self._push.close()
        if self._endpoint:
            self._endpoint.close()

    def _run(self) -> None:
        while True:
            for look in list(self._looks):
                aside(look)
            if self._over.wait(PERIOD_S):
                return

    def _readiness(self) -> None:
        self.values.put("foreshock_ready", float(self.health.ready()[0]))

    def _disk(self) -> None:
        folder = self._settings.worker.data_dir
        there = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
        if there is not None:
            found = disk_usage(there)
            self.values.put("foreshock_disk_free_bytes", float(found.free))
            self.values.put("foreshock_disk_total_bytes", float(found.total))

    def _certificates(self) -> Callable[[], None]:
        looked = -CERTIFICATES_S

        def look() -> None:
            nonlocal looked
            if time.monotonic() - looked >= CERTIFICATES_S:
                looked = time.monotonic()
                found = expiries(self._settings.kafka.properties)
                self.values.replace(
                    "foreshock_certificate_expiry_timestamp_seconds", {(k,): v for k, v in found.items()}
                )

        return look


def _service(settings: Settings, process: Process) -> str:
    return settings.telemetry.service_name if process is Process.WORKER else service_name(settings, process.value)


def _address(settings: Settings, process: Process, slot: int) -> socket | None:
    """Take the address; where nobody asked for the one that is taken, a second worker on a machine goes on without."""
    key = {Process.WORKER: "listen", Process.DELIVER: "deliver_listen", Process.CASES: "cases_listen"}[process]
    listen = getattr(settings.metrics, key)
    try:
        return bind(listen, f"metrics.{key}", slot)
    except ConfigurationError as exc:
        if listen != getattr(MetricsSettings(), key):
            raise
        log.warning("%s; this process is scraped nowhere", exc)
        return None
