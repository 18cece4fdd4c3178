"""Where the page listens, and by which names it may be called. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from foreshock.errors import ConfigurationError

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")
LOCAL = "localhost"


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen at.

    Attributes
    ----------
    host, port
        As they were given; port 0 is any that is free.
    local
        Whether only this machine can reach it.
    """

    host: str
    port: int
    local: bool


def address(text: str) -> Address:
    """Read ``host:port``, ``[::1]:port`` or ``:port`` (this machine).

    Raises
    ------
    ConfigurationError
        It is neither.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not colon or not port.isdecimal() or int(port) > 65535 or not (_ip(host) or _NAME.fullmatch(host.lower())):
        raise ConfigurationError(f"console.listen is {text!r}: it must be host:port, such as 127.0.0.1:8470")
    found = _ip(host)
    return Address(host, int(port), host.lower() == LOCAL or (found is not None and found.is_loopback))


def may_call(header: str, names: Sequence[str]) -> bool:
    """Say whether a Host header is one of ours.

    A page of somebody else can have its own name lead to us (DNS rebinding); an address cannot be rebound, and the names
    that are ours are known.

    Parameters
    ----------
    header
        As it came: a name or address, with a port or without.
    names
        That are ours, in lower case.
    """
    host = header.strip().lower()
    if host.startswith("["):
        inside, bracket, rest = host[1:].partition("]")
        return bool(bracket) and (not rest or _port(rest)) and _ip(inside) is not None
    name, colon, port = host.partition(":")
    if colon and not port.isdecimal():
        return False
    return _ip(name) is not None or name in {LOCAL, *names}


def same_origin(origin: str, host: str) -> bool:
    """Say whether an Origin header is that of a page which we sent ourselves."""
    scheme, _, rest = origin.strip().lower().partition("://")
    return scheme in {"http", "https"} and bool(rest) and rest == host.strip().lower()


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _port(text: str) -> bool:
    return text.startswith(":") and text[1:].isdecimal()
