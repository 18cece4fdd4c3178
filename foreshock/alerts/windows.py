"""Maintenance windows: which are in force at a time, and when that changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from foreshock.alerts.patterns import on_path
from foreshock.alerts.policy import Policy, Window
from foreshock.alerts.states import Alarm
from foreshock.alerts.vocabulary import Holds

NS = 1_000_000_000
DAY_S = 86_400
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday; 0 is Monday


def in_force(windows: Iterable[Window], path: Sequence[str], at_ns: int) -> tuple[Window, ...]:
    """The windows that cover a place at a time.

    Parameters
    ----------
    path
        Place of the asset in the plant.
    at_ns
        Nanoseconds of UTC; a weekly window is compared in its own UTC offset. A window includes its first moment and
        excludes its last; a weekly one whose end is not after its start ends on the next day.
    """
    return tuple(each for each in windows if _is_open(each, at_ns) and _covers(each, path))


def next_change_ns(windows: Iterable[Window], path: Sequence[str], after_ns: int) -> int | None:
    """The first time after `after_ns` at which a window that covers the place begins or ends; None: never again."""
    edges = (edge for each in windows if _covers(each, path) for edge in _edges(each, after_ns))
    return min((edge for edge in edges if edge > after_ns), default=None)


def holds_alerting(policy: Policy, alarm: Alarm, path: Sequence[str], at_ns: int) -> Window | None:
    """The first window in force at a time that holds alerting."""
    if not policy.windows and not alarm.windows:
        return None
    found = in_force((*policy.windows, *alarm.windows), path, at_ns)
    return next((each for each in found if each.holds is not Holds.LEARNING), None)


def learning_held(policy: Policy, alarm: Alarm, path: Sequence[str], at_ns: int) -> str:
    """Why learning is held at a time (frozen by somebody, or a window), or "". Cheap where there is neither."""
    if alarm.frozen is not None:
        return f"frozen by {alarm.frozen.actor}: {alarm.frozen.reason}"
    if not policy.windows and not alarm.windows:
        return ""
    found = in_force((*policy.windows, *alarm.windows), path, at_ns)
    window = next((each for each in found if each.holds is not Holds.ALERTING), None)
    return f"maintenance window {window.name}" if window else ""


def _covers(window: Window, path: Sequence[str]) -> bool:
    return not window.lines or on_path(window.lines, path)


def _is_open(window: Window, at_ns: int) -> bool:
    if not _within(window, at_ns):
        return False
    if not window.weekdays:
        return window.starts_ns is not None or window.ends_ns is not None
    return any(start <= at_ns < end for start, end in _occasions(window, at_ns))


def _within(window: Window, at_ns: int) -> bool:
    """Say whether a time lies between the two ends of a window, as far as it states them."""
    begun = window.starts_ns is None or window.starts_ns <= at_ns
    return begun and (window.ends_ns is None or at_ns < window.ends_ns)


def _occasions(window: Window, at_ns: int) -> Iterator[tuple[int, int]]:
    """Give the start and end of a weekly window from the day before a time to a week after it."""
    offset_ns = window.utc_offset_s * NS
    today = (at_ns + offset_ns) // (DAY_S * NS)
    length_s = window.to_s - window.from_s
    length_s += DAY_S if length_s <= 0 else 0
    for day in range(today - 1, today + 8):
        if (day + _EPOCH_WEEKDAY) % 7 in window.weekdays:
            start = (day * DAY_S + window.from_s) * NS - offset_ns
            yield start, start + length_s * NS


def _edges(window: Window, after_ns: int) -> Iterator[int]:
    """Give times from `after_ns` on at which a window may begin or end."""
    yield from (edge for edge in (window.starts_ns, window.ends_ns) if edge is not None)
    if window.weekdays:
        first_ns = max(after_ns, window.starts_ns) if window.starts_ns is not None else after_ns
        for occasion in _occasions(window, first_ns):
            yield from (edge for edge in occasion if _within(window, edge) or _within(window, edge - 1))
