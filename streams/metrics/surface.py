"""All that shows the metrics of a process: its values, its health, the endpoint, the export by OTLP."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Sequence

import foreshock
from foreshock.settings import Settings
from foreshock.streams.errors import aside, guarded
from foreshock.streams.metrics.certificates import expiries
from foreshock.streams.metrics.endpoint import Endpoint, Health, bind
from foreshock.streams.metrics.model import Process
from foreshock.streams.metrics.prices import read_prices
from foreshock.streams.metrics.process import account
from foreshock.streams.metrics.push import Push
from foreshock.streams.metrics.values import Values

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
        The address is none, or taken; the price file is none.
    """

    def __init__(self, settings: Settings, process: Process, *, name: str, slot: int = 0) -> None:
        listen = {
            Process.WORKER: ("metrics.listen", settings.metrics.listen),
            Process.DELIVER: ("metrics.deliver_listen", settings.metrics.deliver_listen),
            Process.CASES: ("metrics.cases_listen", settings.metrics.cases_listen),
        }[process]
        self.prices = read_prices(settings.metrics.prices) if process is Process.WORKER else None
        taken = bind(listen[1], listen[0], slot)
        self.values = Values(process)
        self.health = Health(silent_s=max(2 * settings.worker.stall_s, 30.0))
        self._settings = settings
        info = (foreshock.__version__, platform.python_version(), name, process.value)
        self.values.put("foreshock_build_info", 1.0, info)
        self._looks: list[Callable[[], None]] = [account(self.values), self._readiness, self._certificates()]
        self._over = threading.Event()
        self._endpoint = Endpoint(taken, self.values, self.health) if taken else None
        self._push = Push(self.values, settings.telemetry.service_name, name)
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
