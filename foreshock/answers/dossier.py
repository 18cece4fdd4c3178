"""The dossier of an asset: is it drifting, how fast, which failure mode, what to do, and what was before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from foreshock.alerts.outcomes.incidents import incidents, unique
from foreshock.alerts.outcomes.verdicts import Judged, judge, labels
from foreshock.alerts.outcomes.work import Job, jobs
from foreshock.alerts.records import AlertTransition, Command, WorkOrder, ends
from foreshock.alerts.vocabulary import AlarmState, Change, Severity, WorkKind
from foreshock.answers.facts import NS, Record, ago, clock
from foreshock.answers.progress import Progress, Reach, progress, reach

HOUR_NS = 3600 * NS
_RENEWS = frozenset({WorkKind.REPAIR, WorkKind.REPLACEMENT})
_NO_STATE = frozenset({Change.REFUSED, Change.LABELLED})  # these change nothing of the alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was gathered of an asset.

    Attributes
    ----------
    now_ns
        Time of the question.
    scores
        Source time in ns and score of each measuring point, ascending.
    levels
        Scores at which each band begins for this asset, as its policy and the labels have it.
    transitions, commands, work_orders
        All of this asset.
    anomaly
        Its newest anomaly event; None: none was found.
    """

    now_ns: int
    asset: str
    scores: Mapping[str, Sequence[tuple[int, float]]]
    levels: Sequence[tuple[Severity, float]]
    transitions: Sequence[AlertTransition] = ()
    commands: Sequence[Command] = ()
    work_orders: Sequence[WorkOrder] = ()
    anomaly: Record | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """Where one measuring point is heading."""

    point: str
    progress: Progress
    severity: Severity | None  # of the next level; None: it is above all of them
    reach: Reach | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Past:
    """One line of the history, the newest first."""

    at_ns: int
    what: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """The answer."""

    asset: str
    headings: tuple[Heading, ...]
    repaired: str  # "" or what was repaired last: what was before says nothing of the machine as it is now
    failure_mode: str
    todo: tuple[str, ...]
    history: tuple[Past, ...] = field(default=())


def dossier(known: Known) -> Dossier:
    """Answer the four questions of an asset from what is known of it."""
    standing = open_alert(known.transitions)
    last = max((each for each in known.work_orders if each.kind in _RENEWS), key=lambda each: each.at_ns, default=None)
    since_ns = 0 if last is None else last.at_ns
    series = {point: [each for each in rows if each[0] > since_ns] for point, rows in known.scores.items()}
    return Dossier(
        asset=known.asset,
        headings=tuple(_heading(point, series[point], known) for point in sorted(series) if series[point]),
        repaired="" if last is None else f"{last.kind} of {clock(since_ns)} ({last.work_order})",
        failure_mode=_mode(known, standing, since_ns),
        todo=tuple(_todo(known, standing)),
        history=tuple(sorted(_history(known), key=lambda each: -each.at_ns)),
    )


def open_alert(transitions: Sequence[AlertTransition]) -> AlertTransition | None:
    """The last transition of the alert that stands; None where none does. An asset has one at a time."""
    last: dict[str, AlertTransition] = {}
    for each in unique(transitions):
        if each.alert_id and each.change not in _NO_STATE:
            last[each.alert_id] = each
    standing = [each for each in last.values() if not ends(each) and each.state is not AlarmState.NORMAL]
    return max(standing, key=lambda each: each.at_ns, default=None)


def _heading(point: str, series: Sequence[tuple[int, float]], known: Known) -> Heading:
    start_ns = series[0][0]
    found = progress([(at - start_ns) / HOUR_NS for at, _ in series], [value for _, value in series])
    assert found is not None  # the series is not empty
    level = next(((severity, at) for severity, at in known.levels if at > found.level), None)
    when = None if level is None else reach(found, level[1])
    return Heading(point, found, level[0] if level else None, when, _drifting(point, found, level, when))


def _drifting(point: str, of: Progress, level: tuple[Severity, float] | None, when: Reach | None) -> str:
    looked = f"{of.rows} scores over {_hours(of.span_h)}"
    if of.rate is None or of.lower is None or of.upper is None:
        return f"{point} is at {of.level:.2f}; {looked} are too few to say whether it drifts."
    rates = f"{_rates(of.rate, of.lower, of.upper)}, from {looked}"
    if of.word == "steady":
        return f"{point} is at {of.level:.2f} and does not drift beyond its scatter: {rates}."
    ahead = "" if of.word == "falling" else _ahead(level, when)
    return f"{point} is at {of.level:.2f} and {of.word}: {rates}.{ahead}"


def _ahead(level: tuple[Severity, float] | None, when: Reach | None) -> str:
    """Say when the next level is reached, as far as that can be foreseen."""
    if level is None or when is None:
        return " It is above every level."
    name = f"{level[0]} ({level[1]:.2f})"
    if when.earliest_h is None:
        return f" When it reaches {name} is not foreseeable: not within three times what was looked at."
    if when.latest_h is None:
        return (
            f" At this rate it does not reach {name} within {_hours(when.earliest_h)}; when it does is not foreseeable."
        )
    likely = "" if when.likely_h is None else f"in {_hours(when.likely_h)}, "
    return f" At this rate it reaches {name} {likely}between {_hours(when.earliest_h)} and {_hours(when.latest_h)}."


def _mode(known: Known, standing: AlertTransition | None, since_ns: int) -> str:
    if standing is not None and standing.hypothesis:
        return f"{standing.hypothesis} (hypothesis of the alert that stands)"
    if known.anomaly is None:
        return "none: no anomaly of it is kept"
    when = f"{ago(known.now_ns - int(known.anomaly['ingest_ns']))} ago"
    before = "none since the repair; before it: " if int(known.anomaly["ingest_ns"]) <= since_ns else ""
    if known.anomaly["hypothesis"]:
        return f"{before}{known.anomaly['hypothesis']} (hypothesis of the last anomaly, {when})"
    parts = sorted(known.anomaly["contributions"], key=lambda each: -each["amount"])[:3]
    named = ", ".join(each["feature"] for each in parts)
    return f"{before}not known: the last anomaly ({when}) fits no known pattern; what moved most: {named}"


def _todo(known: Known, standing: AlertTransition | None) -> Iterator[str]:
    if standing is None:
        yield "Nothing: no alert of it stands."
        return
    since = ago(known.now_ns - standing.raised_ns)
    yield f"{standing.severity} alert {standing.alert_id[:8]} stands since {since}, {standing.state.replace('_', ' ')}."
    if standing.suppressed_by:
        yield f"It is held back: {standing.suppressed_by.replace('_', ' ')}."
    if standing.action:
        yield standing.action
    yield from (f"{number}. {step}" for number, step in enumerate(standing.runbook, start=1))
    if standing.state is AlarmState.UNACKNOWLEDGED and standing.respond_by_ns is not None:
        left = standing.respond_by_ns - known.now_ns
        due = f"in {ago(left)}" if left > 0 else f"{ago(-left)} ago: overdue"
        yield f"{standing.owner or 'Nobody'} owns it; an answer is due {due}."
    elif standing.owner:
        yield f"{standing.owner} owns it."
    if standing.work_order:
        yield f"Work order {standing.work_order} is its own."


def _history(known: Known) -> Iterator[Past]:
    found = incidents(known.transitions)
    refused = {each.command_id for each in known.transitions if each.change is Change.REFUSED}
    said = labels(known.commands, found, refused)
    work = jobs(known.work_orders)
    for each in judge(found, said, work, until_ns=known.now_ns):
        yield Past(each.incident.raised_ns, _alert(each))
    for job in work:
        yield Past(job.opened_ns, _job(job))


def _alert(each: Judged) -> str:
    alert = each.incident
    length = "stands" if alert.ended_ns is None else f"for {ago(alert.ended_ns - alert.raised_ns)}"
    verdict = {"label": f"labelled {each.verdict}", "failure": "a failure followed", "": "unlabelled"}[each.source]
    score = "" if alert.score is None else f", score {alert.score:.2f}"
    mode = f", {alert.hypothesis}" if alert.hypothesis else ""
    return f"alert {alert.alert_id[:8]} {alert.worst}{score}{mode}, {length}, {verdict}"


def _job(job: Job) -> str:
    kind = "planned work" if job.planned else "failure" if job.failure else "work"
    mode = f", {job.failure_mode}" if job.failure_mode else ""
    end = "open" if job.finished_ns is None else f"finished {clock(job.finished_ns)}"
    return f"{kind} {job.work_order}{mode}, {end}"


def _hours(hours: float) -> str:
    return ago(int(hours * HOUR_NS))


def _rates(rate: float, lower: float, upper: float) -> str:
    """A rate with its interval in the unit that can be read: per minute, hour or day."""
    most = max(abs(rate), min(abs(lower), abs(upper)))
    factor, unit = (1 / 60, "a minute") if most >= 6.0 else (1.0, "an hour") if most >= 0.05 else (24.0, "a day")
    middle, low, high = (f"{factor * each:+.2g}" for each in (rate, lower, upper))
    return f"{middle} {unit} (90 %: {low} to {high})"
