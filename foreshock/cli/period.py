"""The interval of a command: how long, and until when."""

from __future__ import annotations

import time

from foreshock.alerts.fields import seconds_of
from foreshock.cli.control import NS, when
from foreshock.errors import ConfigurationError


def span_s(text: str) -> float:
    """Seconds of a span.

    Raises
    ------
    ConfigurationError
        It is none.
    """
    found = seconds_of(text)
    if found is None or found <= 0:
        raise ConfigurationError(f"{text!r} is no span of time: write 90s, 15m, 2h or 30d")
    return found


def interval_ns(last: str, until: str) -> tuple[int, int]:
    """Start and end of an interval in nanoseconds; it ends now where `until` is "".

    Raises
    ------
    ConfigurationError
        One of the texts is none.
    """
    end = when(until) if until else time.time_ns()
    return end - int(span_s(last) * NS), end
