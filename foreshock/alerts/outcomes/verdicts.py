"""Alerts, labels and jobs joined: which alert was right, which failure had none, how long before it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from foreshock.alerts.feedback import Label, take
from foreshock.alerts.outcomes.incidents import Incident
from foreshock.alerts.outcomes.work import NS, Job
from foreshock.alerts.records import Command
from foreshock.alerts.vocabulary import CommandKind, Verdict

HORIZON_S = 14 * 86400.0  # an alert that stood within so long before a failure is of that failure


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert with what people and maintenance say of it.

    Attributes
    ----------
    verdict
        Of its label in force; without one TRUE where it is of a failure; else None: unlabelled.
    source
        label, failure or "".
    jobs
        Jobs of this alert: they name it, it names them, or, where nobody stated it, they are failures that it stood before.
    judged_ns
        When its label was proposed; None: it has none.
    """

    incident: Incident
    verdict: Verdict | None
    source: str
    jobs: tuple[Job, ...]
    judged_ns: int | None = None

    @property
    def actioned(self) -> bool:
        """Whether work was ordered for it."""
        return bool(self.jobs) or self.incident.work_order != ""


@dataclass(frozen=True, slots=True)
class Found:
    """A failure with the first alert that stood before it; None: it was missed."""

    job: Job
    incident: Incident | None

    @property
    def lead_s(self) -> float | None:
        """From the alert to the stop, or to the work, where the stop is not stated."""
        return None if self.incident is None else (self.job.stopped_ns - self.incident.raised_ns) / NS


def labels(
    commands: Iterable[Command], known: Iterable[Incident], refused: Iterable[str] = ()
) -> dict[str, tuple[Label, ...]]:
    """Labels of each asset, by the rules that the alerts themselves follow.

    Parameters
    ----------
    commands
        Of `control.v1`, in the order of the topic; only those that label count.
    known
        Alerts, for the intervals of labels that name one.
    refused
        Ids of commands that the service refused.
    """
    by_id = {each.alert_id: each for each in known}
    leave = set(refused)
    found: dict[str, tuple[Label, ...]] = {}
    for each in commands:
        if each.kind is not CommandKind.LABEL or each.command_id in leave:
            continue
        alert = by_id.get(each.alert_id)
        interval = None if alert is None else (alert.raised_ns, alert.ended_ns or each.at_ns)
        score = None if alert is None else alert.score
        found[each.asset] = take(found.get(each.asset, ()), each, score=score, interval=interval).labels
    return found


def judge(
    alerts: Iterable[Incident],
    of: Mapping[str, tuple[Label, ...]],
    work: Iterable[Job],
    *,
    until_ns: int,
    horizon_s: float = HORIZON_S,
) -> tuple[Judged, ...]:
    """Give each alert its verdict and its jobs.

    Parameters
    ----------
    alerts, of, work
        Alerts, labels by asset, and jobs.
    until_ns
        End of what was observed: an alert that is not over stands until then.
    horizon_s
        See `failures`.
    """
    jobs_of: dict[str, list[Job]] = {}
    alerts = tuple(alerts)
    for job, mine in _joined(work, alerts, horizon_s):
        for each in mine:
            jobs_of.setdefault(each.alert_id, []).append(job)
    return tuple(
        _judged(each, of.get(each.asset, ()), tuple(jobs_of.get(each.alert_id, ())), until_ns) for each in alerts
    )


def _judged(alert: Incident, of: tuple[Label, ...], mine: tuple[Job, ...], until_ns: int) -> Judged:
    label = _label(alert, of, until_ns)
    if label is not None:
        return Judged(alert, label.verdict, "label", mine, label.proposed_ns)
    if any(job.failure for job in mine):
        return Judged(alert, Verdict.TRUE, "failure", mine)
    return Judged(alert, None, "", mine)


def _label(alert: Incident, of: tuple[Label, ...], until_ns: int) -> Label | None:
    """The label in force that names the alert, else the one that covers most of it; of equals the earliest."""
    end_ns = max(alert.ended_ns or until_ns, alert.raised_ns + 1)
    best, most = None, 0
    for each in of:
        if not each.in_force or (each.alert_id and each.alert_id != alert.alert_id):
            continue
        if each.alert_id == alert.alert_id:
            return each
        covers = min(each.until_ns, end_ns) - max(each.from_ns, alert.raised_ns)
        if covers > most:
            best, most = each, covers
    return best


def failures(work: Iterable[Job], alerts: Iterable[Incident], *, horizon_s: float = HORIZON_S) -> tuple[Found, ...]:
    """Give each failure its first alert: of those that it names, or that name it; else of those that stood before it.

    Parameters
    ----------
    work, alerts
        Jobs, and alerts of any time.
    horizon_s
        An alert stood before a failure when it was raised before the stop, and was not over for longer than this then.
    """
    found = []
    for job, mine in _joined(work, tuple(alerts), horizon_s):
        if job.failure:
            before = [each for each in mine if each.raised_ns <= job.stopped_ns]
            found.append(Found(job, min(before, key=lambda each: (each.raised_ns, each.alert_id), default=None)))
    return tuple(found)


def _joined(
    work: Iterable[Job], alerts: tuple[Incident, ...], horizon_s: float
) -> Iterator[tuple[Job, list[Incident]]]:
    """Give each job the alerts that it is of. Only where nobody stated them, a failure has those that stood before it."""
    by_asset: dict[str, list[Incident]] = {}
    for alert in alerts:
        by_asset.setdefault(alert.asset, []).append(alert)
    for job in work:
        near = by_asset.get(job.asset, [])
        named = [each for each in near if each.alert_id in job.alert_ids or each.work_order == job.work_order != ""]
        yield job, named or [each for each in near if job.failure and _before(each, job, horizon_s)]


def _before(alert: Incident, job: Job, horizon_s: float) -> bool:
    """Whether an alert was raised before the stop, and stood in the horizon before it."""
    end_ns = alert.ended_ns if alert.ended_ns is not None else job.stopped_ns
    return alert.raised_ns <= job.stopped_ns and end_ns >= job.stopped_ns - int(horizon_s * NS)
