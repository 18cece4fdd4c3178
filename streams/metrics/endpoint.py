"""Where a process is scraped: `/metrics`, `/healthz`, `/readyz`, on a thread and an event loop of their own.

Whoever asks cannot hold anybody up: a few connections at a time, each for a few seconds, one request each, no body.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from foreshock.errors import ConfigurationError
from foreshock.streams.errors import aside, guarded
from foreshock.streams.metrics.exposition import Exposition
from foreshock.streams.metrics.values import Values

log = logging.getLogger("foreshock.metrics")

CONNECTIONS = 16
REQUEST_BYTES = 8192
REQUEST_S = 10.0
_TEXT = "text/plain; charset=utf-8"
_PAGES = b"/metrics, /healthz and /readyz are here\n"
_STATUS = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(slots=True)
class Health:
    """What `/healthz` and `/readyz` say.

    Attributes
    ----------
    silent_s
        The process is not well when it has shown no sign of life for so long; before the first one it is starting.
    """

    silent_s: float
    _beat: float = 0.0  # monotonic
    _unready: str = "starting"
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def beat(self, unready: str) -> None:
        """Show a sign of life; `unready` says why nothing can be done for now, "" where it can."""
        self._beat, self._unready = time.monotonic(), unready

    def alive(self) -> tuple[bool, str]:
        """Say whether the process is well."""
        silent = time.monotonic() - self._beat if self._beat else 0.0
        if silent > self.silent_s:
            return False, f"no sign of life for {silent:.0f} s"
        return True, "ok" if self._beat else "starting"

    def ready(self) -> tuple[bool, str]:
        """Say whether it does its work now."""
        alive, why = self.alive()
        if not alive or self._unready:
            return False, self._unready if alive else why
        return True, "ready"


def bind(listen: str, setting: str, slot: int = 0) -> socket.socket | None:
    """Take the address that is scraped; None for "".

    Parameters
    ----------
    listen
        host:port; port 0 is any that is free.
    setting
        Its name, for errors.
    slot
        Number of this process: it listens on port + slot.

    Raises
    ------
    ConfigurationError
        It is no address, or somebody else has it.
    """
    if not listen:
        return None
    try:
        parts = urlsplit(f"//{listen}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None or parts.path or parts.username is not None:
        raise ConfigurationError(
            f'{setting} must be host:port, such as "127.0.0.1:9464", or "" for none; not {listen!r}'
        )
    port += slot if port else 0
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(CONNECTIONS)
    except (OSError, OverflowError) as exc:
        raise ConfigurationError(
            f'{setting}: {host}:{port} cannot be used: {exc}; set another address, or "" to be scraped nowhere'
        ) from None
    return found


class Endpoint:
    """Answers on a socket.

    Parameters
    ----------
    taken
        As `bind` gave it.
    values, health
        What is shown.
    """

    def __init__(self, taken: socket.socket, values: Values, health: Health) -> None:
        self._socket = taken
        self._values = values
        self._health = health
        self._exposition = Exposition(values)
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        host, port = taken.getsockname()[:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._thread = threading.Thread(name="metrics", daemon=True, target=guarded(self._run))
        self._thread.start()
        log.info("metrics at %s/metrics", self.address)

    def close(self) -> None:
        """Answer no more."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(1.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, sock=self._socket, limit=REQUEST_BYTES)
        async with server:
            await self._over.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, within the time, and close."""
        self._open += 1
        served = False
        writer.transport.set_write_buffer_limits(high=0)  # `drain` waits for all of it, so what is slow is seen
        try:
            if self._open <= CONNECTIONS:
                async with asyncio.timeout(REQUEST_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                    served = await self._page(head.decode("latin-1"), writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open -= 1
            self._values.add("foreshock_scrapes_total", ("served" if served else "refused",))
            writer.close() if served else writer.transport.abort()

    async def _page(self, head: str, writer: asyncio.StreamWriter) -> bool:
        line, *fields = head.split("\r\n")
        method, _, rest = line.partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        accept = next(
            (value for name, _, value in (each.partition(":") for each in fields) if name.lower() == "accept"), ""
        )
        status, content_type, body = self._content(method, path, accept.strip())
        start = (
            f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        )
        writer.write(f"{start}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode("latin-1"))
        if method != "HEAD":
            writer.write(body)
        await writer.drain()
        return status in {200, 503}

    def _content(self, method: str, path: str, accept: str) -> tuple[int, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return 405, _TEXT, b"GET and HEAD alone are answered\n"
        if path == "/metrics":
            made: list[tuple[bytes, str]] = []
            aside(lambda: made.append(self._exposition.write(accept)))
            return (
                (200, made[0][1], made[0][0]) if made else (500, _TEXT, b"a metric could not be taken; see the log\n")
            )
        if path in {"/healthz", "/readyz"}:
            well, why = self._health.alive() if path == "/healthz" else self._health.ready()
            return 200 if well else 503, _TEXT, f"{why}\n".encode()
        return 404, _TEXT, _PAGES
