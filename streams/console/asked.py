"""What a request asks for: its parameters, read strictly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from foreshock.streams.console.problems import Problem

LONGEST = 500  # characters of a parameter
MINUTE_MS = 60_000.0
_WIDEST_MS = 400 * 24 * 3.6e6


def text(request: web.Request, name: str, default: str = "") -> str:
    """Give a parameter as text.

    Raises
    ------
    Problem
        It is too long.
    """
    found = request.query.get(name, default)
    if len(found) > LONGEST:
        raise Problem("bad_request", f"{name} has {len(found)} characters, {LONGEST} are allowed")
    return found


def asset_id(request: web.Request) -> str:
    """Give the asset that is asked about.

    Raises
    ------
    Problem
        None is named.
    """
    found = text(request, "id")
    if not found:
        raise Problem("bad_request", "name the asset: ?id=")
    return found


def whole(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """Give a parameter as a whole number within limits.

    Raises
    ------
    Problem
        It is none, or beyond them.
    """
    found = text(request, name)
    if not found:
        return default
    try:
        value = int(found)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise Problem("bad_request", f"{name} must be a whole number from {least} to {most}")
    return value


def number(request: web.Request, name: str) -> float | None:
    """Give a parameter as a number; None: it is not given.

    Raises
    ------
    Problem
        It is none.
    """
    found = text(request, name)
    try:
        value = float(found) if found else None
    except ValueError:
        value = math.nan
    if value is not None and not math.isfinite(value):
        raise Problem("bad_request", f"{name} must be a number")
    return value


def interval(request: web.Request, now_ms: float, minutes: float) -> tuple[float, float]:
    """Give the interval that is asked for: `from_ms` and `to_ms`, or so many `minutes` up to now.

    Raises
    ------
    Problem
        It is none, or too long.
    """
    length = number(request, "minutes")
    start, end = number(request, "from_ms"), number(request, "to_ms")
    until = now_ms if end is None else end
    since = until - (minutes if length is None else length) * MINUTE_MS if start is None else start
    if not 0 < until - since <= _WIDEST_MS:
        raise Problem("bad_request", "the interval must be longer than nothing and shorter than 400 days")
    return since, until


def words(request: web.Request, name: str) -> tuple[str, ...]:
    """Give a parameter that is a list with commas."""
    return tuple(each for each in text(request, name).split(",") if each)


async def body(request: web.Request) -> Mapping[str, Any]:
    """Give the body.

    Raises
    ------
    Problem
        It is no JSON object.
    """
    data = await request.read()
    try:
        found = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Problem("bad_request", "the body must be a JSON object")
    return found


def said(given: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """Give a text of a body.

    Raises
    ------
    Problem
        It is missing, no text, or too long.
    """
    found = given.get(name, default)
    if not isinstance(found, str) or (default is None and not found.strip()):
        raise Problem("bad_request", f"{name} must be given, as text")
    if len(found) > LONGEST:
        raise Problem("bad_request", f"{name} has {len(found)} characters, {LONGEST} are allowed")
    return found.strip()


def time_ns(given: Mapping[str, Any], name: str) -> int | None:
    """Give a time of a body (ms of UTC) in ns; None: it is not given.

    Raises
    ------
    Problem
        It is none.
    """
    found = given.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < 1e14:
        raise Problem("bad_request", f"{name} must be a time in ms since 1970 UTC")
    return int(found * 1_000_000)
