"""What alerts ask of people: how many, how dense, how long they stand, whether somebody answered in time.

Figures of EEMUA 191 and ISA-18.2 are of alarms on one operator's screen; alerts that go to a planner's list are judged
by the budget instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foreshock.alerts.outcomes.bounds import Bounded, share
from foreshock.alerts.outcomes.incidents import Incident
from foreshock.alerts.outcomes.work import NS

FLOOD_WINDOW_S = 600.0  # ISA-18.2, EEMUA 191: regular windows of ten minutes
FLOOD_BEGINS = 10  # with more than so many new alarms in a window a flood begins ...
FLOOD_ENDS = 5  # ... and it ends with the first window that has fewer than so many
CHATTERING_COUNT, CHATTERING_S = 3, 60.0  # announced so often within so long
STALE_S = 86400.0  # stands for longer


@dataclass(frozen=True, slots=True)
class Flood:
    """Floods of the alarms of one owner."""

    owner: str
    windows: int  # of ten minutes, in flood
    time_share: float  # of the interval
    most: int  # alarms in the worst window


def floods(alerts: Sequence[Incident], from_ns: int, until_ns: int) -> tuple[Flood, ...]:
    """Share of time in flood, for each owner of alerts: windows count from the start of the interval."""
    width = int(FLOOD_WINDOW_S * NS)
    total = max(-(-(until_ns - from_ns) // width), 1)
    announced: dict[str, Counter[int]] = {}
    for alert in alerts:
        counts = announced.setdefault(alert.owner, Counter())
        counts.update((at - from_ns) // width for at in alert.announced_ns if from_ns <= at < until_ns)
    found = []
    for owner, counts in sorted(announced.items()):
        windows = _in_flood(counts, total)
        found.append(Flood(owner, windows, windows / total, max(counts.values(), default=0)))
    return tuple(found)


def _in_flood(counts: Counter[int], total: int) -> int:
    """Windows in flood. A window without alarms ends one, so only those that have some are looked at."""
    inside, windows, last = False, 0, -2
    for number in sorted(counts):
        inside = inside and number == last + 1
        inside = counts[number] >= FLOOD_ENDS if inside else counts[number] > FLOOD_BEGINS
        windows += inside and number < total
        last = number
    return windows


def chattering(alerts: Sequence[Incident]) -> tuple[str, ...]:
    """Ids of alerts that were announced three times or more within 60 s."""
    span = int(CHATTERING_S * NS)
    return tuple(
        alert.alert_id
        for alert in alerts
        if any(
            last - first <= span
            for first, last in zip(alert.announced_ns, alert.announced_ns[CHATTERING_COUNT - 1 :], strict=False)
        )
    )


def stale(alerts: Sequence[Incident], until_ns: int) -> tuple[str, ...]:
    """Ids of alerts that stood for more than 24 h."""
    return tuple(a.alert_id for a in alerts if (a.ended_ns or until_ns) - a.raised_ns > int(STALE_S * NS))


def acknowledged_in_time(alerts: Sequence[Incident], until_ns: int) -> tuple[int, int, Bounded]:
    """Alerts acknowledged within their response window, of those whose window has ended or that were acknowledged.

    Returns
    -------
    tuple of int, int and Bounded
        In time, of how many, and the share. An alert without a response window does not count.
    """
    due = [a for a in alerts if a.respond_by_ns is not None and (a.respond_by_ns < until_ns or a.acknowledged_ns)]
    hits = sum(
        a.acknowledged_ns is not None and a.respond_by_ns is not None and a.acknowledged_ns <= a.respond_by_ns
        for a in due
    )
    return hits, len(due), share(hits, len(due))
