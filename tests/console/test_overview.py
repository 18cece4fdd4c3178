"""What is told before anybody signed in, and streams whose asker reads nothing or may read no more. Real HTTP, no broker."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from foreshock.settings import load
from foreshock.streams.console import feed as feeding
from foreshock.streams.console import overview
from foreshock.streams.console.feed import Feed
from foreshock.streams.console.guard import LARGEST, Guard
from foreshock.streams.console.overview import Overview
from foreshock.streams.console.tokens import Tokens
from tests.console.making import NOW_MS, plant

TOKEN = "a-long-secret-token"
DEADLINE_S = 60.0


def run(use: Callable[[TestClient, Feed], Awaitable[None]], *, private: bool) -> None:
    """Run requests against the overview's routes behind a guard."""

    async def served() -> None:
        guard = Guard(Tokens(TOKEN), private=private)
        held = plant()
        about = SimpleNamespace(
            settings=load(env={}, flags={"kafka.bootstrap": "secret-broker:9092"}),
            plant=held,
            feed=held.feed,
            guard=guard,
            follower=None,
            ready=True,
            now_ms=NOW_MS,
            started_ms=NOW_MS,
            version="0",
            problem="",
        )
        app = web.Application(middlewares=[guard.middleware()], client_max_size=LARGEST)
        app.add_routes(Overview(about).routes())
        async with TestClient(TestServer(app)) as client:
            await use(client, held.feed)

    asyncio.run(served())


def test_who_has_not_signed_in_learns_no_address_of_ours():
    """Where reading wants a token `/api/session` says that, and neither where the brokers are nor what is held."""

    async def use(client: TestClient, feed: Feed) -> None:
        before = await (await client.get("/api/session")).json()
        with_token = {"Authorization": f"Bearer {TOKEN}"}
        after = await (await client.get("/api/session", headers=with_token)).json()

        assert set(before) == {"write", "private", "signed_in", "now_ms", "ready"}
        assert (before["private"], before["signed_in"]) == (True, False)
        assert after["signed_in"]
        assert after["bootstrap"] == "secret-broker:9092"

    run(use, private=True)


def test_a_page_that_reads_nothing_gives_its_place_to_others(monkeypatch: pytest.MonkeyPatch):
    """It is cut off, so that clients that hang cannot hold all the places there are."""
    monkeypatch.setattr(overview, "UNREAD_S", 0.2)
    monkeypatch.setattr(feeding, "LISTENERS", 1)

    async def use(client: TestClient, feed: Feed) -> None:
        with socket.socket() as hung:
            hung.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            hung.connect((client.host, client.port))
            hung.sendall(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            deadline = time.monotonic() + DEADLINE_S
            while not feed.full:
                assert time.monotonic() < deadline, "it never listened"
                await asyncio.sleep(0.01)
            while feed.full:
                assert time.monotonic() < deadline, "it still holds its place"
                feed.whisper("beat", {"text": "x" * 500_000})
                await asyncio.sleep(0.01)

    run(use, private=False)


def test_a_stream_ends_with_its_session():
    """After the log-out nothing more is told to a page that listened with that session."""

    async def use(client: TestClient, feed: Feed) -> None:
        headers = {"Host": f"127.0.0.1:{client.port}"}
        assert (await client.post("/api/login", json={"token": TOKEN}, headers=headers)).status == 200
        cookies = {each.key: each.value for each in client.session.cookie_jar}
        stream = await client.get("/api/events", headers=headers, cookies=cookies)
        assert stream.status == 200
        assert (await client.post("/api/logout", json={}, headers=headers, cookies=cookies)).status == 200
        feed.whisper("beat", {})
        feed.whisper("alert", {"asset": "pump-7"})

        said = await asyncio.wait_for(stream.content.read(), DEADLINE_S)

        assert b"hello" in said
        assert feed.full is False

    run(use, private=True)
