"""Who may change something: the token from the settings, and the sessions of browsers that gave it once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from foreshock.errors import ConfigurationError
from foreshock.streams.console.problems import Problem

LEAST = 16  # characters of a token
SESSION_S = 12 * 3600.0
_SESSIONS = 100
_WRONG, _WRONG_S = 5, 60.0  # wrong tokens of one address that are answered within a minute
_ASKERS = 1_000  # addresses whose wrong tokens are counted


class Tokens:
    """Checks tokens and keeps sessions. A session is a random text in a cookie; it ends with the process.

    Parameters
    ----------
    token
        The configured one; "" for none: then nothing can be changed.
    clock
        Monotonic seconds.

    Raises
    ------
    ConfigurationError
        The token is too short to be one.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        token = token.strip()
        if token and len(token) < LEAST:
            raise ConfigurationError(f"console.token has {len(token)} characters, {LEAST} or more are wanted")
        self._token = _digest(token) if token else b""
        self._clock = clock
        self._sessions: OrderedDict[bytes, float] = OrderedDict()  # digest -> until when
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()  # by address: one that guesses locks out no other

    @property
    def configured(self) -> bool:
        """Whether anything can be changed at all."""
        return bool(self._token)

    def login(self, given: str, asker: str = "") -> str:
        """Take a token from an address and give the session's text.

        Raises
        ------
        Problem
            It is wrong, there is none, or too many wrong ones came.
        """
        self._check(given, asker)
        session = secrets.token_urlsafe(32)
        self._sessions[_digest(session)] = self._clock() + SESSION_S
        while len(self._sessions) > _SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def logout(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(session), None)

    def known(self, session: str) -> bool:
        """Say whether a session stands."""
        until = self._sessions.get(_digest(session))
        return until is not None and self._clock() < until

    def bearer(self, header: str, asker: str = "") -> bool:
        """Say whether an `Authorization` header holds the token; "" is no header.

        Raises
        ------
        Problem
            It holds something else.
        """
        if not header:
            return False
        kind, _, given = header.partition(" ")
        if kind.lower() != "bearer":
            raise Problem("wrong_token", "the Authorization header is not of the kind Bearer")
        self._check(given.strip(), asker)
        return True

    def _check(self, given: str, asker: str) -> None:
        if not self._token:
            raise Problem("read_only", "this console is read-only: no token is configured", "set console.token_file")
        now = self._clock()
        wrong = self._wrong.get(asker)
        if wrong is not None and len(wrong) == _WRONG and now - wrong[0] < _WRONG_S:
            raise Problem("busy", "too many wrong tokens", f"try again in {_WRONG_S:.0f} s")
        if not hmac.compare_digest(_digest(given), self._token):
            self._wrong.setdefault(asker, deque(maxlen=_WRONG)).append(now)
            self._wrong.move_to_end(asker)
            if len(self._wrong) > _ASKERS:
                self._wrong.popitem(last=False)
            raise Problem("wrong_token", "the token is wrong")


def _digest(text: str) -> bytes:
    """Give what is compared and kept in place of a secret: of one length whatever was given."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
