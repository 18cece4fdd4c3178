"""What alerts did for the workshop: emergencies and planned work, spares, time to a diagnosis, and how alerts ended."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from foreshock.alerts.outcomes.verdicts import Found, Judged
from foreshock.alerts.outcomes.work import NS, Job

SPARES_LEAD_S = 7 * 86400.0  # a part that is not on the shelf takes about so long
CLEARS_WITHIN_S = 86400.0  # an alert that is over so soon after the work was over because of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Figures of an interval.

    Attributes
    ----------
    emergency, planned
        Jobs that were not planned, and that were.
    emergency_h, planned_h
        Hours of those whose time is known, by down time or from opened to finished.
    replacements, foreseen
        Failures with a part replaced or repaired; how many had their first alert at least `spares_lead_s` before.
    diagnosed, diagnosis_s
        Alerts that were labelled, or whose work order names a failure mode; median time from raised to the first of these.
    after_action, by_itself, standing
        How alerts ended: within a day after work on them was done; without; not yet.
    """

    emergency: int
    planned: int
    emergency_h: float
    planned_h: float
    replacements: int
    foreseen: int
    spares_lead_s: float
    diagnosed: int
    diagnosis_s: float | None
    after_action: int
    by_itself: int
    standing: int


def maintenance(
    work: Sequence[Job], found: Sequence[Found], judged: Sequence[Judged], spares_lead_s: float = SPARES_LEAD_S
) -> Maintenance:
    """Sum up jobs, failures and alerts of an interval."""
    emergency, planned = [j for j in work if not j.planned], [j for j in work if j.planned]
    parts = [each for each in found if each.job.done]
    times = [at for each in judged if (at := _diagnosis_s(each)) is not None]
    over = [each for each in judged if each.incident.ended_ns is not None]
    after = sum(_after_action(each) for each in over)
    return Maintenance(
        emergency=len(emergency),
        planned=len(planned),
        emergency_h=_hours(emergency),
        planned_h=_hours(planned),
        replacements=len(parts),
        foreseen=sum(each.lead_s is not None and each.lead_s >= spares_lead_s for each in parts),
        spares_lead_s=spares_lead_s,
        diagnosed=len(times),
        diagnosis_s=statistics.median(times) if times else None,
        after_action=after,
        by_itself=len(over) - after,
        standing=len(judged) - len(over),
    )


def _hours(work: Sequence[Job]) -> float:
    return sum((each.repair_s or 0.0) / 3600 for each in work)


def _diagnosis_s(of: Judged) -> float | None:
    """From raised to the first word on what it was; what was known before is no diagnosis of it."""
    known = [of.judged_ns, *(job.diagnosed_ns for job in of.jobs)]
    times = [at - of.incident.raised_ns for at in known if at is not None and at >= of.incident.raised_ns]
    return min(times) / NS if times else None


def _after_action(of: Judged) -> bool:
    end_ns = of.incident.ended_ns
    done = [job.finished_ns or job.stopped_ns for job in of.jobs if job.done]
    # The work of a repair ends the alert by itself, so it may be over a little before the order is closed.
    return end_ns is not None and any(abs(end_ns - at) <= CLEARS_WITHIN_S * NS for at in done)
