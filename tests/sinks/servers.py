"""Real servers that fail by script, and a proxy that cuts connections."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import web

_CERTIFICATES = Path(__file__).parent / "certificates"
AUTHORITY = _CERTIFICATES / "authority.pem"
Handle = Callable[[web.Request, Any], Awaitable[Any]]


@dataclass
class Script:
    """What a server does to each request: by chance, or one thing after the other."""

    actions: tuple[str, ...] = ("ok",)
    weights: tuple[float, ...] = ()
    once: list[str] = field(default_factory=list)  # these first, in order
    seed: int = 3
    did: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    def next(self) -> str:
        action = self.once.pop(0) if self.once else self._choose()
        self.did[action] += 1
        return action

    def _choose(self) -> str:
        return self._rng.choices(self.actions, self.weights or None)[0]


AFTER = frozenset({"500 after", "cut after", "late", "twice"})  # the work is done, and the answer says it badly or not
ANSWERS = {"500": 500, "503": 503, "429": 429, "400": 400, "401": 401, "redirect": 307}


class HttpServer:
    """An HTTP server on loopback.

    Actions: "ok"; an answer before anything is done ("500", "503", "429", "400", "401", "redirect", "cut": it closes before
    it answers); an answer after it was done that is no good ("500 after", "cut after": it breaks off in the middle, "late":
    after the client's patience, "twice": a second answer behind the first).
    """

    def __init__(self, handle: Handle, script: Script | None = None, *, late_s: float = 0.6) -> None:
        self.script = script or Script()
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.actions: list[tuple[str, str]] = []  # what was done to whom: idempotency key, action
        self._handle = handle
        self._late_s = late_s
        self.fixed_port = 0  # any

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.fixed_port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.headers.append(dict(request.headers))
        self.paths.append(request.path_qs)
        action = self.script.next()
        self.actions.append((request.headers.get("Idempotency-Key", ""), action))
        if action == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if action in ANSWERS:
            headers = {"Retry-After": "0"} if action in {"503", "429"} else {"Location": "/elsewhere"}
            return web.Response(status=ANSWERS[action], headers=headers, text="no, not now")
        answer = web.json_response(await self._handle(request, body))
        return await self._badly(request, answer, action) if action in AFTER else answer

    async def _badly(self, request: web.Request, answer: web.Response, action: str) -> web.StreamResponse:
        assert request.transport is not None
        if action == "500 after":
            return web.Response(status=500)
        if action == "late":
            await asyncio.sleep(self._late_s)
            return answer
        if action == "twice":
            await answer.prepare(request)
            await answer.write_eof()
            request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return answer
        broken = web.StreamResponse(headers={"Content-Length": "1000"})
        await broken.prepare(request)
        await broken.write(b'{"half":')
        request.transport.abort()
        return broken


@contextmanager
def serving(server: HttpServer, port: int = 0) -> Iterator[HttpServer]:
    """Run a server in a thread of its own, for a process that is not ours."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server.fixed_port = port
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class Proxy:
    """Passes bytes on to a port, and cuts connections after a random number of them."""

    def __init__(self, port: int, *, cut_after: tuple[int, int] = (0, 0), seed: int = 5) -> None:
        self._port = port
        self._cut_after = cut_after
        self._rng = random.Random(seed)
        self._pipes: set[asyncio.Task[None]] = set()
        self.cuts = 0
        self.mute = False  # swallow what the server says

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for pipe in list(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        left = [self._rng.randint(*self._cut_after) if self._cut_after[1] else -1]
        for source, sink in ((reader, up_writer), (up_reader, writer)):
            task = asyncio.create_task(self._pass(source, sink, left, (writer, up_writer)))
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        left: list[int],
        both: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        with suppress(OSError):
            while data := await source.read(512):
                if left[0] >= 0:
                    left[0] -= len(data)
                    if left[0] < 0:
                        self.cuts += 1
                        break
                if not (self.mute and sink is both[0]):
                    sink.write(data)
                    await sink.drain()
        for each in both:
            each.transport.abort()


@contextmanager
def mosquitto(folder: Path, port: int = 0) -> Iterator[int]:
    """Run an MQTT broker on loopback; give its port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is missing: .ci/run installs it")
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
    port = port or free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < deadline, "mosquitto did not start"
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def server_context() -> ssl.SSLContext:
    """TLS for a server on loopback; who trusts `AUTHORITY` trusts it. The key is for tests and guards nothing."""
    found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    found.load_cert_chain(_CERTIFICATES / "server.pem", _CERTIFICATES / "server.key")
    return found


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
