"""Sinks that speak HTTP: webhook, Alertmanager, chat. One attempt, one answer, nothing raised for what a server may do."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
from yarl import URL

from foreshock.errors import ConfigurationError
from foreshock.settings_deliver import AlertmanagerSettings, HttpSettings, SlackSettings, WebhookSettings
from foreshock.streams.sinks import shapes
from foreshock.streams.sinks.answers import Answer, Decision, asked_wait, decide
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.shapes import Payload
from foreshock.streams.sinks.template import Template
from foreshock.streams.sinks.words import words

ANSWER_BYTES = 1024 * 1024  # more than that is read of no answer
_TOLD = 200
_IDLE_S = 2.0
# What happens before anything of the request is on its way
_NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.InvalidURL, aiohttp.ConnectionTimeoutError)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request came to: the answer, and where it was understood its tree of JSON and its headers."""

    answer: Answer
    tree: Any = None
    headers: Mapping[str, str] | None = None


class Http:
    """A client for one server. It follows no redirects and checks certificates."""

    def __init__(self, settings: HttpSettings, scheme: str = "Bearer") -> None:
        self.settings = settings
        self._url = _checked(settings)
        self._tls = context(settings.ca_file, f"deliver.{settings.name}.ca_file", verify=settings.verify)
        self._headers = {"User-Agent": "foreshock", **_authorization(settings, scheme)}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; nothing is connected yet."""
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self.settings.timeout_s, sock_connect=self.settings.timeout_s / 2),
            # a connection that the server closes just as it is used again leaves us without an answer, and a chat, which
            # knows no keys, would show that message twice: servers keep one that is idle for longer than this
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=self.settings.parallel, keepalive_timeout=_IDLE_S),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """Send one request and read its answer to the end: an answer that breaks off is none."""
        assert self._session is not None, "open() comes first"
        url = URL(self._url.rstrip("/") + path if path else self._url, encoded=True)
        try:
            async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
                text = await answer.content.read(ANSWER_BYTES)
                while await answer.content.read(ANSWER_BYTES):
                    pass  # an endless answer ends with the timeout
        except _NOT_SENT as exc:
            return Reply(Answer("http", None, _said(exc), sent=False))
        except TimeoutError:
            return Reply(Answer("http", None, f"no answer within {self.settings.timeout_s:g} s"))
        except (aiohttp.ClientError, OSError) as exc:
            return Reply(Answer("http", None, _said(exc)))
        after = asked_wait(answer.headers.get("Retry-After"), datetime.now(UTC))
        detail = "" if answer.ok else _detail(answer, text)
        return Reply(Answer("http", answer.status, detail, after_s=after), _tree(text), answer.headers)


class HttpSink:
    """A sink of one request for each transition."""

    def __init__(self, settings: HttpSettings, shape: Callable[[Item], Payload], path: str = "") -> None:
        self._http = Http(settings)
        self._shape = shape
        self._path = path
        self._key = settings.signing_key if isinstance(settings, WebhookSettings) else ""

    async def open(self) -> None:
        """Get ready."""
        await self._http.open()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close()

    async def deliver(self, item: Item) -> Decision:
        """Make one attempt."""
        payload = self._shape(item)
        headers = {**payload.headers, **trace_headers(item), "Idempotency-Key": item.alert.event_id}
        if self._key:
            signed = shapes.signature(self._key, item.alert.event_id, payload.body)
            headers["X-Foreshock-Signature"] = f"sha256={signed}"
        return decide((await self._http.ask("POST", self._path, headers, payload.body)).answer)


def trace_headers(item: Item) -> dict[str, str]:
    """Give the headers that make what the receiver does part of the alert's trace."""
    return {"traceparent": item.traceparent} if item.traceparent else {}


def webhook(settings: WebhookSettings) -> HttpSink:
    """Make a sink for an endpoint of one's own."""
    link = linker(settings)
    if settings.format == "alertmanager":
        return HttpSink(settings, lambda item: shapes.alertmanager_webhook(item.alert, settings.name, link(item)))
    mode = shapes.binary if settings.format == "cloudevents-binary" else shapes.structured
    return HttpSink(settings, lambda item: mode(item.alert, item.traceparent, link(item)))


def alertmanager(settings: AlertmanagerSettings) -> HttpSink:
    """Make a sink for an Alertmanager."""
    link = linker(settings)
    shape = shapes.alertmanager_post
    return HttpSink(settings, lambda item: shape(item.alert, settings.resolve_after_s, link(item)), "/api/v2/alerts")


def slack(settings: SlackSettings) -> HttpSink:
    """Make a sink for a chat."""
    link = linker(settings)
    text = Template(settings.text, f"deliver.{settings.name}.text", ("link",))

    def shape(item: Item) -> Payload:
        filled = text.fill({**words(item.alert), "link": link(item)})
        return shapes.slack(item.alert, filled, settings.channel, link(item))

    return HttpSink(settings, shape)


def linker(settings: HttpSettings) -> Callable[[Item], str]:
    """Make what gives the address of a page about an alert; "" where none is wanted."""
    template = Template(settings.link, f"deliver.{settings.name}.link")
    return lambda item: template.fill(words(item.alert), lambda text: URL.build(path=text).raw_path)


def context(ca_file: str, place: str, *, verify: bool = True) -> ssl.SSLContext:
    """Make what checks certificates: against a file of authorities, or the system's.

    Raises
    ------
    ConfigurationError
        The file cannot be read.
    """
    try:
        found = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigurationError(f"{place}: cannot read {ca_file}: {exc}") from None
    if not verify:
        found.check_hostname = False
        found.verify_mode = ssl.CERT_NONE
    return found


def _authorization(settings: HttpSettings, scheme: str) -> dict[str, str]:
    if settings.token:
        return {"Authorization": f"{scheme} {settings.token}".strip()}
    if settings.user:
        pair = f"{settings.user}:{settings.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def _checked(settings: HttpSettings) -> str:
    """Give the URL.

    Raises
    ------
    ConfigurationError
        It is none for HTTP; it is not told, because it may be a secret.
    """
    try:
        url = URL(settings.url)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"deliver.{settings.name}.url must be an http:// or https:// URL with a host")
    return settings.url


def _said(exc: BaseException) -> str:
    """Tell what went wrong without the URL, which may be a secret."""
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {exc.certificate_error}"
    if isinstance(exc, aiohttp.ClientConnectorError):
        return f"cannot be reached: {exc.os_error.strerror or exc.os_error}"
    if isinstance(exc, aiohttp.InvalidURL):
        return "its URL cannot be used"
    return f"the connection ended before the answer did ({type(exc).__name__})"


def _detail(answer: aiohttp.ClientResponse, text: bytes) -> str:
    told = f"{answer.reason or ''}: {' '.join(text[:_TOLD].decode('utf-8', 'replace').split())}"
    return told.strip(": ")


def _tree(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
