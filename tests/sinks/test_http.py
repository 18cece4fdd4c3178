"""Sinks that speak HTTP, with a real server: what is sent, what each answer leads to, what is never told."""

import asyncio
import logging

import pytest
from aiohttp import web

from foreshock.errors import ConfigurationError
from foreshock.streams.sinks import shapes
from foreshock.streams.sinks.answers import Ambiguous, Dead, Delivered, Retry
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.make import make
from tests.sinks.making import TRACEPARENT, a_sink, alert
from tests.sinks.receivers import Endpoint
from tests.sinks.servers import AUTHORITY, HttpServer, Script, free_port, server_context


async def nowhere(*_):
    pass


def attempt(kind="webhook", action="ok", **changes):
    """Make one attempt; give the decision, the server and what it received."""

    async def scenario():
        endpoint = Endpoint()
        async with HttpServer(endpoint, Script(once=[action]), late_s=0.5) as found:
            sink = make(a_sink(kind, **{"url": f"{found.url}/in?x=1", "timeout_s": 0.3} | changes), nowhere)
            await sink.open()
            try:
                return await sink.deliver(Item((0, 0), alert(), TRACEPARENT)), found, endpoint
            finally:
                await sink.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("action", "decision"),
    [
        ("ok", Delivered),
        ("twice", Delivered),
        ("400", Dead),
        ("401", Retry),
        ("redirect", Dead),
        ("429", Retry),
        ("503", Retry),
        ("500", Ambiguous),
        ("cut", Ambiguous),
        ("cut after", Ambiguous),
        ("late", Ambiguous),
    ],
)
def test_each_way_to_answer_leads_to_its_decision(action, decision):
    """Taken, refused, later, or in doubt: as the server answers, breaks off, or is late."""
    found, server, endpoint = attempt(action=action)

    assert isinstance(found, decision)
    assert len(server.paths) == 1  # a redirect is not followed
    assert len(endpoint.received) == (action in {"ok", "twice", "cut after", "late"})


def test_server_that_is_not_there_leaves_no_doubt():
    """Nothing was sent: that is no ambiguous answer."""
    found, *_ = attempt(url=f"http://127.0.0.1:{free_port()}/")

    assert isinstance(found, Retry)
    assert "cannot be reached" in found.why


def test_key_trace_and_account_are_in_the_headers():
    """Idempotency-Key is the event, traceparent the delivery's span; the token is a bearer's; the URL stays as it is."""
    _, server, _ = attempt(token="t0ken", signing_key="k3y")
    headers = server.headers[0]
    body = shapes.structured(alert(), TRACEPARENT).body

    assert headers["Idempotency-Key"] == alert().event_id
    assert headers["traceparent"] == TRACEPARENT
    assert headers["Authorization"] == "Bearer t0ken"
    assert headers["X-Foreshock-Signature"] == f"sha256={shapes.signature('k3y', alert().event_id, body)}"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert server.paths == ["/in?x=1"]


def test_alertmanager_is_posted_to_its_api():
    """The URL is Alertmanager's own; the path is ours to know."""
    _, server, _ = attempt_at_root("alertmanager")

    assert server.paths == ["/api/v2/alerts"]


def attempt_at_root(kind):
    async def scenario():
        endpoint = Endpoint()
        async with HttpServer(endpoint) as found:
            sink = make(a_sink(kind, url=f"{found.url}/", user="me", password="pw"), nowhere)
            await sink.open()
            decision = await sink.deliver(Item((0, 0), alert(), TRACEPARENT))
            await sink.close()
            return decision, found, endpoint

    return asyncio.run(scenario())


def test_basic_account():
    """User and password are sent as RFC 7617 says."""
    _, server, _ = attempt_at_root("alertmanager")

    assert server.headers[0]["Authorization"] == "Basic bWU6cHc="


def test_secrets_are_told_nowhere(caplog):
    """Neither settings nor decisions nor logs show a token, a key, or a URL that is one."""
    caplog.set_level(logging.DEBUG)
    secrets = {"token": "t0ken", "signing_key": "s1gn", "password": "pa55"}
    url = f"http://127.0.0.1:{free_port()}/services/S3CRET"
    settings = a_sink("webhook", url=url, user="u", **secrets)
    chat = a_sink("slack", url=url)
    told = [
        repr(settings),
        repr(chat),
        str(attempt(url=url, **secrets)[0]),
        *(each.getMessage() for each in caplog.records),
    ]
    told += [str(attempt(action=action, **secrets)[0]) for action in ("400", "500", "cut")]

    for secret in ("S3CRET", *secrets.values()):
        assert not any(secret in text for text in told), secret


@pytest.mark.parametrize("url", ["", "ftp://x/", "plant.example", "http://", "mailto:a@b"])
def test_url_that_is_none_is_refused_without_being_told(url):
    """The URL may be a secret, so the message only says what it must be."""
    with pytest.raises(
        ConfigurationError, match=r"^deliver\.test\.url must be an http:// or https:// URL with a host$"
    ):
        make(a_sink("slack", url=url), nowhere)


@pytest.mark.parametrize(("trusted", "decision"), [(True, Delivered), (False, Retry)])
def test_certificates_are_checked(trusted, decision):
    """With the plant's own authority it is delivered; without it nothing is sent, and the reason is told."""
    context = server_context()

    async def scenario():
        runner = web.AppRunner(_accepting())
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
        sink = make(a_sink("webhook", url=url, ca_file=str(AUTHORITY) if trusted else ""), nowhere)
        await sink.open()
        try:
            return await sink.deliver(Item((0, 0), alert(), TRACEPARENT))
        finally:
            await sink.close()
            await runner.cleanup()

    found = asyncio.run(scenario())

    assert isinstance(found, decision)
    if not trusted:
        assert "its certificate is not trusted" in found.why


def _accepting():
    app = web.Application()

    async def accept(_):
        return web.Response()

    app.router.add_post("/", accept)
    return app
