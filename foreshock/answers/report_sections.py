"""The report as sections of sentences and tables: what every format of it shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foreshock.alerts.outcomes.bounds import Bounded
from foreshock.alerts.outcomes.load import CHATTERING_COUNT, CHATTERING_S, FLOOD_BEGINS, FLOOD_ENDS, STALE_S
from foreshock.alerts.outcomes.reliability import Reliability
from foreshock.alerts.outcomes.report import Report
from foreshock.alerts.outcomes.value import RETIRE_FROM
from foreshock.answers.facts import ago, clock, counted

SHOWN = 20  # rows of a table; what is left out is counted
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; columns with a `>` before their name are numbers."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report."""

    title: str
    sentences: tuple[str, ...]
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure of the first lines, with what it means."""

    name: str
    figure: str
    meaning: str
    good: bool | None = None  # None: neither


def headlines(found: Report) -> tuple[Headline, ...]:
    """The five figures that a reader looks at first."""
    volume, precision = found.volume, found.precision
    within = _within(volume.false_or_unlabelled_per_asset_month, volume.budget_per_asset_month)
    lead = "none" if found.median_lead_s is None else ago(int(found.median_lead_s * 1e9))
    return (
        Headline(
            "Alerts per asset and month",
            figure(volume.per_asset_month),
            f"{counted(volume.alerts, 'alert')}; budget {volume.budget_per_asset_month:g} false ones",
            within,
        ),
        Headline(
            "Precision",
            f"{percent(precision.counted_false)} to {percent(precision.left_out)}",
            f"{precision.unlabelled} unlabelled: counted as false, and left out",
        ),
        Headline(
            "Missed failures",
            f"{len(found.missed)} of {found.failures}",
            f"no alert in the {found.horizon_s / 86400:g} d before",
            not found.missed if found.failures else None,
        ),
        Headline("Median lead time", lead, "from the first alert to the stop, or to the work"),
        Headline(
            "Acknowledged in time",
            percent(found.acknowledged_in_time),
            f"{found.acknowledged} of {found.acknowledged_of} in their response window",
        ),
    )


def sections(found: Report) -> tuple[Section, ...]:
    """All parts of the report, in order."""
    return tuple(_sections(found))


def period(found: Report) -> str:
    """Say what the report is of."""
    span = f"{clock(found.from_ns)} to {clock(found.until_ns)}"
    return f"{span}, {counted(found.assets, 'asset')}, {number(found.asset_months)} asset-months"


def _sections(found: Report) -> Iterator[Section]:
    yield _volume(found)
    yield _precision(found)
    yield _missed(found)
    yield _answered(found)
    yield _load(found)
    yield _rules(found)
    yield _reliability(found)
    yield _workshop(found)
    yield _money(found)
    yield Section("Has the concept drifted?", (f"{found.drift.sentence[0].upper()}{found.drift.sentence[1:]}.",))


def _volume(found: Report) -> Section:
    volume = found.volume
    week = f"{figure(volume.per_engineer_week)} per engineer and week"
    if volume.budget_per_engineer_week is not None:
        week += f", budget {volume.budget_per_engineer_week:g}"
    lines = [
        f"{counted(volume.alerts, 'alert')}: {figure(volume.per_asset_month)} per asset and month, {week}.",
        (
            f"False alerts per asset and month, against a budget of {volume.budget_per_asset_month:g}: "
            f"{figure(volume.false_per_asset_month)} were labelled so, "
            f"{figure(volume.false_or_unlabelled_per_asset_month)} if each unlabelled one is false."
        ),
    ]
    if len(volume.by_policy) > 1:
        of = (
            f"{each.policy} {figure(each.per_asset_month)} of {each.budget_per_asset_month:g} ({counted(each.alerts, 'alert')} of "
            f"{counted(each.assets, 'asset')})"
            for each in volume.by_policy
        )
        lines.append(f"Alerts per asset and month by policy, of its budget: {'; '.join(of)}.")
    if volume.suppressed:
        told = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in volume.suppressed)
        lines.append(f"Over a level of the policy and not alerted, each told with its reason: {told}.")
    if volume.refused:
        lines.append(f"{counted(volume.refused, 'command')} refused.")
    return Section(
        "Alerts against the budget",
        tuple(lines),
        _table(("asset", ">alerts"), [(name, str(count)) for name, count in volume.by_asset]),
    )


def _precision(found: Report) -> Section:
    precision = found.precision
    judged = f"{precision.true} true, {precision.false} false, {precision.neutral} neutral, {precision.unlabelled} unlabelled"
    return Section(
        "Were they right?",
        (
            (
                f"{judged}. Precision is {percent(precision.counted_false)} where unlabelled alerts count as false, and "
                f"{percent(precision.left_out)} where they are left out (90 % intervals: {interval(precision.counted_false)}, "
                f"{interval(precision.left_out)})."
            ),
            "An alert is true by its label, or because a failure followed that it stood before.",
        ),
    )


def _missed(found: Report) -> Section:
    lines = [
        (
            f"{counted(found.failures, 'failure')}, {len(found.missed)} of them without an alert in the "
            f"{found.horizon_s / 86400:g} days before. Planned work is no failure."
        )
    ]
    if found.leads_s:
        leads = [ago(int(each * 1e9)) for each in (found.leads_s[0], found.median_lead_s or 0.0, found.leads_s[-1])]
        lines.append(
            f"Lead time, from the first alert to the stop: {leads[0]} at least, {leads[1]} median, {leads[2]} at most."
        )
    rows = [
        (each.job.asset, each.job.work_order, clock(each.job.stopped_ns), each.job.failure_mode or "not stated")
        for each in found.missed
    ]
    return Section("Failures", tuple(lines), _table(("missed: asset", "work order", "stopped", "failure mode"), rows))


def _answered(found: Report) -> Section:
    dossiers = found.dossiers
    return Section(
        "Was something done?",
        (
            f"{percent(found.actioned)} of the alerts led to work ({interval(found.actioned)}).",
            (
                f"{found.acknowledged} of {found.acknowledged_of} alerts that were due were acknowledged within their response "
                f"window: {percent(found.acknowledged_in_time)} ({interval(found.acknowledged_in_time)})."
            ),
            (
                f"{dossiers.complete} of {dossiers.alerts} alerts have all that belongs to them; {dossiers.with_work_order} have a "
                f"work order, {dossiers.with_note} a note, {dossiers.with_trend} a trend."
            ),
        ),
    )


def _load(found: Report) -> Section:
    rows = [(each.owner, f"{each.time_share:.2%}", str(each.windows), str(each.most)) for each in found.floods]
    return Section(
        "On an operator's screen",
        (
            (
                f"{counted(len(found.chattering), 'alert')} chattered (announced {CHATTERING_COUNT} times or more in "
                f"{CHATTERING_S:.0f} s), {counted(len(found.stale), 'alert')} stood for more than {STALE_S / 3600:.0f} h."
            ),
            (
                f"A flood begins with more than {FLOOD_BEGINS} alarms in ten minutes and ends with fewer than {FLOOD_ENDS} "
                "(EEMUA 191, ISA-18.2). These figures are meant for alarms that an operator answers at once."
            ),
        ),
        _table(("owner", ">time in flood", ">windows", ">most in ten minutes"), rows),
    )


def _rules(found: Report) -> Section:
    idle = [each for each in found.rules if each.idle]
    known = sum(each.alerts >= RETIRE_FROM for each in idle)
    sentence = f"{counted(len(idle), 'rule')} of {len(found.rules)} never changed an outcome: no work, nothing true."
    if known:
        sentence += f" {known} of them had {RETIRE_FROM} alerts or more: redesign or retire."
    rows = [
        (
            each.policy,
            each.severity,
            each.rule,
            *map(str, (each.alerts, each.actioned, each.true, each.false, each.unlabelled)),
            "never" if each.idle else "",
        )
        for each in found.rules
    ]
    columns = ("policy", "severity", "rule", ">alerts", ">work", ">true", ">false", ">unlabelled", "changed an outcome")
    return Section("Rules", (sentence,), _table(columns, rows))


def _reliability(found: Report) -> Section:
    every = [("class", each) for each in found.by_class] + [("asset", each) for each in found.by_asset]
    return Section(
        "Reliability (ISO 14224)",
        (
            (
                "MTBF is running hours by corrective failures; planned work is left out. The observation ends by the clock, so "
                "the last, unfinished time counts as running without failure (chi-square bounds, 90 %)."
            ),
            (
                "Running hours marked ~ were not measured: time observed less stated down time. MTTR is the mean of stated "
                "down time, or of opened to finished; open repairs are not in it."
            ),
        ),
        _table(
            ("", "name", ">assets", ">failures", ">running h", ">MTBF h", ">90 %", ">MTTR h", ">open"),
            [_reliable(kind, each) for kind, each in every],
        ),
    )


def _workshop(found: Report) -> Section:
    of = found.maintenance
    diagnosis = "" if of.diagnosis_s is None else f", {ago(int(of.diagnosis_s * 1e9))} after they were raised (median)"
    return Section(
        "The workshop",
        (
            (
                f"{counted(of.emergency, 'job')} not planned ({number(of.emergency_h)} h), {of.planned} planned "
                f"({number(of.planned_h)} h)."
            ),
            (
                f"{of.foreseen} of {counted(of.replacements, 'repaired failure')} had an alert {ago(int(of.spares_lead_s * 1e9))} "
                "before or earlier: time to order the part."
            ),
            f"{counted(of.diagnosed, 'alert')} diagnosed, by a label or a failure mode{diagnosis}.",
            f"How alerts ended: {of.after_action} after work on them, {of.by_itself} by themselves, {of.standing} still stand.",
        ),
    )


def _reliable(kind: str, each: Reliability) -> Row:
    mtbf, upper = each.mtbf_h, each.mtbf_h.upper
    return (
        kind,
        each.name or "(none)",
        str(each.assets),
        str(each.failures),
        f"{'' if each.measured else '~'}{each.running_h:,.0f}",
        "-" if mtbf.value is None else f"{mtbf.value:,.0f}",
        f"{mtbf.lower:,.0f} to {'any' if upper is None else f'{upper:,.0f}'}",
        "-" if each.mttr_h is None else f"{each.mttr_h:.1f}",
        str(each.open),
    )


def _money(found: Report) -> Section:
    saved = found.avoided
    if saved.value is None:
        return Section("Avoided cost", (f"{saved.assumptions[0][0].upper()}{saved.assumptions[0][1:]}.",))
    assumed = tuple(f"Assumed: {each}." for each in saved.assumptions)
    return Section("Avoided cost", (f"{saved.value:,.0f} {saved.currency}, if what follows holds.", *assumed))


def figure(of: Bounded) -> str:
    """A rate with its interval."""
    if of.value is None:
        return "not known"
    return f"{number(of.value)} ({number(of.lower)} to {'any' if of.upper is None else number(of.upper)})"


def number(value: float) -> str:
    """A number with two digits that say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"


def percent(of: Bounded) -> str:
    """A share."""
    return "not known" if of.value is None else f"{of.value:.0%}"


def interval(of: Bounded) -> str:
    """The interval of a share."""
    return f"{of.lower:.0%} to {1.0 if of.upper is None else of.upper:.0%}"


def _within(of: Bounded, budget: float) -> bool | None:
    """Whether a rate is within a budget: not, where even its lower bound is over it; None where it cannot be said."""
    if of.lower > budget:
        return False
    return True if of.upper is not None and of.upper <= budget else None


def _table(columns: tuple[str, ...], rows: Sequence[Row]) -> Table | None:
    return Table(columns, tuple(rows[:SHOWN]), max(len(rows) - SHOWN, 0)) if rows else None
