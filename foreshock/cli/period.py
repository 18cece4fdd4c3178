"""Spans and times as people write them: 90s, 15min, 2h, 30d, 4w; 2026-11-21 or 2026-11-21T14:30Z."""

from __future__ import annotations

import datetime as dt
import re

from foreshock.errors import ConfigurationError

NS = 1_000_000_000
_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")


def span_s(text: str) -> float:
    """Seconds of a span.

    Raises
    ------
    ConfigurationError
        It is none.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ConfigurationError(f"{text!r} is no span of time: write 90s, 15min, 2h, 30d or 4w")
    return float(found[1]) * _UNITS[found[2]]


def time_ns(text: str) -> int:
    """Nanoseconds since 1970 of an ISO time; UTC where it names no zone.

    Raises
    ------
    ConfigurationError
        It is none.
    """
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigurationError(f"{text!r} is no time: write 2026-11-21 or 2026-11-21T14:30Z") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    return round(found.timestamp()) * NS
