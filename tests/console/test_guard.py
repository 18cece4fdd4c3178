"""Who may ask, from where, and what is answered to all others. Real HTTP, no broker."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from foreshock.alerts.vocabulary import CommandKind
from foreshock.errors import ConfigurationError, Unavailable
from foreshock.settings import Settings, load
from foreshock.streams.console import asked, pages
from foreshock.streams.console.changing import command
from foreshock.streams.console.guard import COOKIE, LARGEST, Guard, answer, labelled
from foreshock.streams.console.listening import Address, address, may_call, same_origin
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.process import checked, serve
from foreshock.streams.console.tokens import Tokens

TOKEN = "a-long-secret-token"
JSON = {"Content-Type": "application/json"}


async def served(guard: Guard, use: Callable[[TestClient], object]) -> None:
    """A small application behind the guard, with real requests."""

    async def read(request: web.Request) -> web.Response:
        return answer({"signed_in": guard.signed_in(request), "id": asked.asset_id(request)})

    async def change(request: web.Request) -> web.Response:
        guard.may_change(request)
        return answer({"got": await asked.body(request)})

    async def login(request: web.Request) -> web.Response:
        session = guard.tokens.login(asked.said(await asked.body(request), "token"))
        found = answer({})
        found.set_cookie(COOKIE, session, httponly=True, samesite="Strict")
        return found

    async def broken(request: web.Request) -> web.Response:
        raise RuntimeError(f"secret of {request.path}")

    app = web.Application(middlewares=[guard.middleware()], client_max_size=LARGEST)
    app.on_response_prepare.append(labelled)
    app.add_routes([web.get("/api/read", read), web.post("/api/change", change), web.post("/api/login", login)])
    app.add_routes([web.get("/api/broken", broken), web.get("/static/{name:.+}", pages.static)])
    app.router.add_get("/{path:.*}", pages.page)
    async with TestClient(TestServer(app)) as client:
        await use(client)


def run(use: Callable[[TestClient], object], token: str = TOKEN, **given: object) -> None:
    """Run requests against a guard."""
    asyncio.run(served(Guard(Tokens(token), **given), use))


async def refused(client: TestClient, method: str, path: str, **more: object) -> tuple[int, str]:
    """Status and code of a request that is to fail."""
    response = await client.request(method, path, **more)
    tree = await response.json()
    assert set(tree) <= {"error", "code", "fix"}
    assert response.headers["Cache-Control"] == "no-store"
    return response.status, tree["code"]


def test_reading_is_open_and_changing_is_not():
    """Without a token in the request nothing is changed; with it in the header, or a session's cookie, it is."""

    async def use(client):
        assert (await client.get("/api/read?id=x")).status == 200
        assert await refused(client, "POST", "/api/change", json={}) == (401, "no_token")
        wrong = {"Authorization": "Bearer nothing-of-ours"}
        assert await refused(client, "POST", "/api/change", json={}, headers=wrong) == (401, "wrong_token")
        assert await refused(client, "POST", "/api/login", json={"token": "wrong"}) == (401, "wrong_token")
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert (await client.post("/api/change", json={"a": 1}, headers=right)).status == 200
        login = await client.post("/api/login", json={"token": TOKEN})
        cookie = login.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert (await client.post("/api/change", json={})).status == 200

    run(use)


def test_without_a_configured_token_it_is_read_only():
    """Whatever a request brings."""

    async def use(client):
        assert await refused(client, "POST", "/api/change", json={}) == (403, "read_only")
        assert await refused(client, "POST", "/api/login", json={"token": ""}) == (400, "bad_request")
        assert await refused(client, "POST", "/api/login", json={"token": "x"}) == (403, "read_only")

    run(use, token="")


def test_beyond_this_machine_reading_wants_a_token_too():
    """The page itself is sent, its data is not."""

    async def use(client):
        assert await refused(client, "GET", "/api/read?id=x") == (401, "no_token")
        assert (await client.get("/api/read?id=x", headers={"Authorization": f"Bearer {TOKEN}"})).status == 200
        assert (await client.get("/")).status == 200

    run(use, private=True)


def test_pages_of_others_reach_nothing():
    """Another origin, a rebound name, a form: refused before anything is done, also with the cookie."""

    async def use(client):
        await client.post("/api/login", json={"token": TOKEN})
        here = f"http://127.0.0.1:{client.port}"
        assert (await client.post("/api/change", json={}, headers={"Origin": here})).status == 200
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{client.port + 1}", f"{here}.evil.example"):
            assert await refused(client, "POST", "/api/change", json={}, headers={"Origin": origin}) == (
                403,
                "other_origin",
            )
        for site in ("cross-site", "same-site"):
            given = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
            assert await refused(client, "GET", "/api/read?id=x", headers=given) == (403, "other_origin")
        assert await refused(client, "GET", "/api/read?id=x", headers={"Host": "evil.example"}) == (421, "bad_host")
        assert await refused(client, "GET", "/", headers={"Host": "evil.example"}) == (421, "bad_host")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert await refused(client, "POST", "/api/change", data="a=1", headers=form) == (415, "bad_type")

    run(use)


def test_what_cannot_be_meant_is_said():
    """Malformed bodies, large ones, missing parameters, unknown paths and methods: JSON with a code."""

    async def use(client):
        right = {"Authorization": f"Bearer {TOKEN}", **JSON}
        assert await refused(client, "POST", "/api/change", data=b"{", headers=right) == (400, "bad_request")
        assert await refused(client, "POST", "/api/change", data=b"[]", headers=right) == (400, "bad_request")
        large = b'"' + b"x" * (LARGEST + 1) + b'"'
        assert await refused(client, "POST", "/api/change", data=large, headers=right) == (413, "too_large")
        assert await refused(client, "GET", "/api/read") == (400, "bad_request")
        assert await refused(client, "GET", f"/api/read?id={'x' * 600}") == (400, "bad_request")
        assert await refused(client, "GET", "/api/nothing") == (404, "not_found")
        assert await refused(client, "PUT", "/api/read") == (415, "bad_type")
        assert await refused(client, "PUT", "/api/read", json={}) == (405, "bad_method")
        for name in ("../app.py", "..%2fapp.py", ".hidden.js", "x.py", "js/..%2f../guard.py", "%00.js"):
            url = URL(f"http://127.0.0.1:{client.port}/static/{name}", encoded=True)
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                assert response.status in {400, 404}

    run(use)


def test_a_defect_tells_the_log_and_not_the_asker(caplog):
    """What nobody foresaw is a 500 without its words; the path in the log cannot break a line."""

    async def use(client):
        response = await client.get("/api/broken")
        assert response.status == 500
        assert "secret" not in await response.text()

    run(use)
    assert "secret of /api/broken" in caplog.text


def test_every_answer_is_labelled():
    """No script of others, no framing, no guessing of types; data is never stored."""

    async def use(client):
        for path in ("/", "/api/read?id=x", "/api/nothing"):
            found = (await client.get(path)).headers
            assert "script-src 'self'" in found["Content-Security-Policy"]
            assert "unsafe" not in found["Content-Security-Policy"]
            assert found["X-Content-Type-Options"] == "nosniff"
            assert found["X-Frame-Options"] == "DENY"
            assert "Server" not in found
        assert (await client.get("/api/read?id=x")).headers["Cache-Control"] == "no-store"
        page = await client.get("/asset?id=%3Cscript%3E")
        assert page.content_type == "text/html"
        assert "<script>" not in (await page.text()).split("</head>")[1]
        again = await client.get("/", headers={"If-None-Match": (await client.get("/")).headers["ETag"]})
        assert again.status == 304

    run(use)


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "../../etc/passwd", "a\nb\r\nX: y", "\u202eevil", ".."]
)
def test_hostile_names_come_back_as_data(name):
    """An asset id is text, whatever it looks like."""

    async def use(client):
        response = await client.get("/api/read", params={"id": name})
        assert response.content_type == "application/json"
        assert json.loads(await response.text())["id"] == name

    run(use)


def test_guessing_is_slowed_down_and_sessions_end():
    """Five wrong tokens a minute of an address, which lock out no other; a session ends after half a day, or when somebody leaves."""
    now = [0.0]
    tokens = Tokens(TOKEN, clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(Problem, match="wrong"):
            tokens.login("guess", "10.0.0.7")
    for guess in (TOKEN, "guess"):
        with pytest.raises(Problem, match="too many"):
            tokens.login(guess, "10.0.0.7")
    assert tokens.known(tokens.login(TOKEN, "10.0.0.8"))
    assert tokens.bearer(f"Bearer {TOKEN}", "10.0.0.8")
    now[0] = 61.0
    assert tokens.known(tokens.login(TOKEN, "10.0.0.7"))
    session = tokens.login(TOKEN)
    assert tokens.known(session)
    assert not tokens.known("other")
    now[0] += 13 * 3600
    assert not tokens.known(session)
    tokens.logout(session)
    with pytest.raises(ConfigurationError, match="16"):
        Tokens("short")


@pytest.mark.parametrize(
    ("text", "host", "local"),
    [
        ("127.0.0.1:8470", "127.0.0.1", True),
        (":0", "127.0.0.1", True),
        ("[::1]:80", "::1", True),
        ("localhost:80", "localhost", True),
        ("0.0.0.0:80", "0.0.0.0", False),
        ("plant.example:80", "plant.example", False),
    ],
)
def test_addresses(text, host, local):
    """Only this machine's own are local."""
    found = address(text)

    assert (found.host, found.local) == (host, local)


@pytest.mark.parametrize("text", ["8470", "127.0.0.1", "x:y", "a b:80", "127.0.0.1:99999", "http://x:80"])
def test_addresses_that_are_none(text):
    """They are refused with a line."""
    with pytest.raises(ConfigurationError, match="host:port"):
        address(text)


def test_it_does_not_listen_beyond_this_machine_without_a_token(tmp_path):
    """The token comes from a file; in the settings themselves it is refused, and it stands in no repr."""
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n", encoding="utf-8")
    flags = {"console.listen": "0.0.0.0:0"}
    with pytest.raises(ConfigurationError, match="token"):
        checked(load(env={}, flags=flags))

    with pytest.raises(ConfigurationError, match="trace_id"):
        checked(load(env={}, flags={"console.trace_link": "javascript:alert(1)"}))

    settings: Settings = load(env={"FORESHOCK_CONSOLE__TOKEN_FILE": str(file)}, flags=flags)

    assert not checked(settings).local
    assert TOKEN not in repr(settings)
    with pytest.raises(ConfigurationError, match="token_file"):
        load(env={"FORESHOCK_CONSOLE__TOKEN": TOKEN})


@given(st.text(max_size=40), st.text(max_size=40))
def test_hosts_and_origins_are_read_safely(host, origin):
    """Any text at all: an answer, never an exception; and an origin is ours only if its host is the one that was called."""
    may_call(host, ("plant.example",))
    if same_origin(origin, host):
        assert origin.strip().lower().endswith(host.strip().lower())


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "localhost", "[::1]:80", "10.0.0.7:80", "Plant.Example:80"])
def test_names_that_are_ours(host):
    """Addresses cannot be rebound; names are known."""
    assert may_call(host, ("plant.example",))


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example", "localhost:x", "[::1", "[evil]:80"])
def test_names_that_are_not(host):
    """All others."""
    assert not may_call(host, ("plant.example",))


@pytest.mark.parametrize(
    ("given_", "missing"),
    [
        ({"reason": "x"}, "actor"),
        ({"actor": "x"}, "reason"),
        ({"actor": " ", "reason": "x"}, "actor"),
        ({"actor": "x", "reason": "y" * 501}, "reason"),
        ({"actor": 7, "reason": "x"}, "actor"),
        ({"actor": "a", "reason": "r"}, "hours"),
        ({"actor": "a", "reason": "r", "hours": -1}, "hours"),
        ({"actor": "a", "reason": "r", "hours": True}, "hours"),
    ],
)
def test_a_command_names_who_and_why(given_, missing):
    """A shelf without actor, reason or length is refused before it is sent."""
    with pytest.raises(Problem, match=missing):
        command(CommandKind.SHELVE, "pump-7", "", given_, 0)


def test_a_taken_port_is_one_line():
    """The line says what to do."""

    class Bare:
        app = web.Application()

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match="taken"):
        asyncio.run(serve(Bare(), Address("127.0.0.1", taken.getsockname()[1], local=True)))
