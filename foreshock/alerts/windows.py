"""Maintenance windows: which are in force at a time, and when that changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from foreshock.alerts.policy import Policy, Window
from foreshock.alerts.states import Alarm


def in_force(windows: Iterable[Window], path: Sequence[str], at_ns: int) -> tuple[Window, ...]:
    """The windows that cover a place at a time.

    Parameters
    ----------
    path
        Place of the asset in the plant.
    at_ns
        Nanoseconds of UTC; a weekly window is compared in its own UTC offset.
    """
    raise NotImplementedError


def next_change_ns(windows: Iterable[Window], path: Sequence[str], after_ns: int) -> int | None:
    """The first time after `after_ns` at which a window that covers the place begins or ends."""
    raise NotImplementedError


def learning_held(policy: Policy, alarm: Alarm, path: Sequence[str], at_ns: int) -> str:
    """Why learning is held at a time (frozen by somebody, or a window), or "". Cheap where there is neither."""
    raise NotImplementedError
