"""What alerts were good for: by rule, in money, and whether what belongs together is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foreshock.alerts.outcomes.reliability import unavailable_h
from foreshock.alerts.outcomes.verdicts import Found, Judged
from foreshock.alerts.vocabulary import Verdict

RETIRE_FROM = 5  # alerts of a rule before "it never changed anything" says much


@dataclass(frozen=True, slots=True)
class RuleValue:
    """What became of the alerts of one rule. `idle`: none of them led to work or was true."""

    policy: str
    rule: str
    severity: str
    alerts: int
    actioned: int
    true: int
    false: int
    unlabelled: int

    @property
    def idle(self) -> bool:
        """Whether it never changed an outcome."""
        return self.actioned == 0 and self.true == 0


def rules(judged: Sequence[Judged]) -> tuple[RuleValue, ...]:
    """Rules by the number of their alerts, those without any use first. A policy counts by its name, in all versions."""
    groups: dict[tuple[str, str, str], list[Judged]] = {}
    for each in judged:
        alert = each.incident
        groups.setdefault((alert.policy.partition("@")[0], alert.rule, alert.severity.value), []).append(each)
    found = [
        RuleValue(
            *key,
            alerts=len(group),
            actioned=sum(each.actioned for each in group),
            true=sum(each.verdict is Verdict.TRUE for each in group),
            false=sum(each.verdict is Verdict.FALSE for each in group),
            unlabelled=sum(each.verdict is None for each in group),
        )
        for key, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda each: (not each.idle, -each.alerts, each.policy, each.rule)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a figure in money rests on; nothing here can be measured from topics. All must be given by who reads it."""

    currency: str = "EUR"
    downtime_cost_h: float | None = None  # of an hour that a failure stops the machine without warning
    failure_hours: float | None = None  # that it would have; None: mean of the failures without an alert, where stated
    would_have_failed: float = 1.0  # share of true alerts that would have become a failure
    check_cost: float = 0.0  # of looking at one alert that was not true


@dataclass(frozen=True, slots=True)
class Avoided:
    """Avoided cost with what it rests on; `value` None: it cannot be said, and `assumptions` says what is missing."""

    value: float | None
    currency: str
    assumptions: tuple[str, ...]


def avoided(judged: Sequence[Judged], found: Sequence[Found], given: Assumptions) -> Avoided:
    """Cost that alerts avoided: `caught * p * hours * cost - stated down time of the work * cost - idle * check`.

    Caught is a true alert with work that was done on it; two alerts of one job count once. An alert without a verdict
    counts as not true.
    """
    caught = {
        (job.asset, job.work_order): job
        for each in judged
        if each.verdict is Verdict.TRUE
        for job in each.jobs
        if job.done
    }
    missed = [each.job for each in found if each.incident is None]
    hours = given.failure_hours if given.failure_hours is not None else unavailable_h(missed)
    source = "as given" if given.failure_hours is not None else "the mean of the failures that had no alert"
    if given.downtime_cost_h is None or hours is None:
        lacking = (
            "the cost of an hour of down time"
            if given.downtime_cost_h is None
            else "hours of a failure without warning"
        )
        return Avoided(None, given.currency, (f"not computed: {lacking} is not known",))
    stopped = sum((job.downtime_s or 0.0) / 3600 for job in caught.values())
    idle = sum(each.verdict is not Verdict.TRUE for each in judged)
    value = (
        len(caught) * given.would_have_failed * hours * given.downtime_cost_h
        - stopped * given.downtime_cost_h
        - idle * given.check_cost
    )
    return Avoided(
        value,
        given.currency,
        (
            f"jobs done on true alerts: {len(caught)}; {given.would_have_failed:.0%} of them would have become failures",
            f"a failure without warning stops the machine for {hours:.1f} h ({source})",
            f"an hour of it costs {given.downtime_cost_h:,.0f} {given.currency}",
            f"the work itself stopped machines for {stopped:.1f} h, at the same cost; where it is not stated it counts as none",
            f"looking at each of the {idle} other alerts costs {given.check_cost:,.0f} {given.currency}",
        ),
    )


@dataclass(frozen=True, slots=True)
class Dossiers:
    """How many alerts have all that belongs to them: work order, technician's note, trend."""

    alerts: int
    complete: int
    with_work_order: int
    with_note: int
    with_trend: int


def dossiers(judged: Sequence[Judged], noted: frozenset[str]) -> Dossiers:
    """Count what alerts have. `noted` are the ids of alerts with a note in their label."""
    order = [each.actioned for each in judged]
    note = [each.incident.alert_id in noted or any(job.notes for job in each.jobs) for each in judged]
    trend = [each.incident.trend is not None for each in judged]
    whole = sum(all(each) for each in zip(order, note, trend, strict=True))
    return Dossiers(len(judged), whole, sum(order), sum(note), sum(trend))
