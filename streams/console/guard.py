"""What every request passes: who may call us, from where, with what; and how every answer is labelled.

Whatever a handler raises becomes JSON; nothing that a request holds is put into a page.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from foreshock.errors import ForeshockError
from foreshock.streams.console.listening import may_call, same_origin
from foreshock.streams.console.problems import Problem, of_error
from foreshock.streams.console.tokens import Tokens
from foreshock.streams.errors import outcome_of

log = logging.getLogger("foreshock.console")

COOKIE = "foreshock_console"
LARGEST = 64 * 1024  # bytes of a body
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
)
_SAFE = frozenset({"GET", "HEAD"})
_OPEN = frozenset({"/api/session", "/api/login", "/api/logout"})  # asked before anybody has signed in


class Guard:
    """The middleware.

    Parameters
    ----------
    tokens
    names
        By which browsers may call us, beside addresses and localhost.
    private
        Whether reading too wants a token: where others than this machine can reach us.
    """

    def __init__(self, tokens: Tokens, names: Sequence[str] = (), *, private: bool = False) -> None:
        self.tokens = tokens
        self.private = private
        self._names = tuple({*(each.lower() for each in names), socket.gethostname().lower()})

    def middleware(self) -> Middleware:
        """Give it as aiohttp wants it."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            found = await outcome_of(self._answer(request, handler))
            return refusal(request, found) if isinstance(found, Exception) else found

        return guard

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if not may_call(host, self._names):
            raise Problem("bad_host", "this console is not called so", "add the name to console.hosts")
        self._same_site(request, host)
        signed_in = self.signed_in(request)
        api = request.path.startswith("/api/")
        if self.private and api and request.path not in _OPEN and not signed_in:
            raise Problem("no_token", "sign in to read: this console listens beyond its own machine")
        return await handler(request)

    @staticmethod
    def _same_site(request: web.Request, host: str) -> None:
        """Refuse what a page of another site asks for: to change something, or to read with the user's cookie."""
        origin = request.headers.get("Origin")
        if origin is not None and not same_origin(origin, host):
            raise Problem("other_origin", "the request comes from a page of another site")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site in {"cross-site", "same-site"} and (
            request.method not in _SAFE or request.headers.get("Sec-Fetch-Mode") != "navigate"
        ):
            raise Problem("other_origin", "the request comes from a page of another site")
        if request.method not in _SAFE and request.content_type != "application/json":
            raise Problem("bad_type", "the body must be JSON: Content-Type: application/json")

    def signed_in(self, request: web.Request) -> bool:
        """Say whether a request has the token, or is of a session.

        Raises
        ------
        Problem
            It has a wrong one.
        """
        if self.tokens.bearer(request.headers.get("Authorization", ""), request.remote or ""):
            return True
        return self.tokens.known(request.cookies.get(COOKIE, ""))

    def may_listen(self, request: web.Request) -> bool:
        """Say whether an answer that goes on may go on: one for a session ends with that."""
        return (
            not self.private or "Authorization" in request.headers or self.tokens.known(request.cookies.get(COOKIE, ""))
        )

    def may_change(self, request: web.Request) -> None:
        """Let a request go on only if it may change something.

        Raises
        ------
        Problem
            There is no token in the settings, or none in the request.
        """
        if not self.tokens.configured:
            raise Problem("read_only", "this console is read-only: no token is configured", "set console.token_file")
        if not self.signed_in(request):
            raise Problem("no_token", "sign in first: this changes something")


async def labelled(request: web.Request, answer: web.StreamResponse) -> None:
    """Put the headers of safety on an answer, whoever made it."""
    del request
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.pop("Server", None)


def answer(tree: object, status: int = 200) -> web.Response:
    """Give an answer in JSON; numbers that are not finite are null."""
    return web.Response(
        body=orjson.dumps(tree, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS),
        status=status,
        content_type="application/json",
    )


def refusal(request: web.Request, exc: Exception) -> web.Response:
    """Give the answer to a request that failed; what nobody foresaw is told in the log, and not to the asker."""
    if isinstance(exc, web.HTTPException):
        exc = _of_http(exc)
    if isinstance(exc, ForeshockError):
        exc = of_error(exc)
    if not isinstance(exc, Problem):
        log.error("%s %s failed", request.method, request.path.encode("unicode_escape").decode(), exc_info=exc)
        exc = Problem("internal_error", "this console has a defect: its log says more")
    return answer(exc.tree(), exc.status)


def _of_http(exc: web.HTTPException) -> Problem:
    if exc.status == web.HTTPNotFound.status_code:
        return Problem("not_found", "there is nothing here")
    if exc.status == web.HTTPMethodNotAllowed.status_code:
        return Problem("bad_method", "this cannot be done here")
    if exc.status == web.HTTPRequestEntityTooLarge.status_code:
        return Problem("too_large", f"a body may have {LARGEST} bytes")
    return Problem("bad_request", "the request cannot be understood")
