"""The report: everything that alerts, labels and work orders of an interval say together."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from foreshock.alerts import budget
from foreshock.alerts.feedback import Label
from foreshock.alerts.files import DEFAULT
from foreshock.alerts.outcomes import load, value
from foreshock.alerts.outcomes.bounds import Bounded, changed, rate, share
from foreshock.alerts.outcomes.incidents import incidents, unique
from foreshock.alerts.outcomes.maintenance import SPARES_LEAD_S, Maintenance, maintenance
from foreshock.alerts.outcomes.reliability import Exposure, Reliability, reliability
from foreshock.alerts.outcomes.verdicts import HORIZON_S, Found, Judged, failures, judge, labels
from foreshock.alerts.outcomes.work import NS, jobs
from foreshock.alerts.policy import Policy
from foreshock.alerts.records import AlertTransition, Command, WorkOrder
from foreshock.alerts.vocabulary import Change, Verdict

MONTH_S = 365.25 / 12 * 86400
WEEK_S = 7 * 86400.0
DRIFT_OUTCOMES = 30  # judged alerts before a change of their precision is looked for
DRIFT_LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the report is of. Times are ns; the interval is [from_ns, until_ns)."""

    from_ns: int
    until_ns: int
    transitions: Sequence[AlertTransition]
    commands: Sequence[Command] = ()
    work_orders: Sequence[WorkOrder] = ()
    exposures: Mapping[str, Exposure]  # of every asset that was watched, with or without an alert
    budget_per_asset_month: float | None = (
        None  # None: that of the policies, by the time that their assets were watched
    )
    budget_per_engineer_week: float | None = None  # None: the least that one of them states
    policies: Mapping[str, Policy] = field(default_factory=dict)  # of each asset; without one `DEFAULT`
    engineers: int = 1
    horizon_s: float = HORIZON_S
    spares_lead_s: float = SPARES_LEAD_S
    assumptions: value.Assumptions = field(default_factory=value.Assumptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Alerts that were right. Those that nobody judged are counted as wrong once, and left out once."""

    true: int
    false: int
    neutral: int
    unlabelled: int
    counted_false: Bounded  # unlabelled are false: the lower bound
    left_out: Bounded  # unlabelled are left out: of what was judged


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPolicy:
    """The alerts of the assets that one policy is of, against its budget."""

    policy: str
    assets: int
    alerts: int
    per_asset_month: Bounded
    budget_per_asset_month: float  # that selects: the stricter of those it states
    budget_per_engineer_week: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How many alerts there were, against the budget."""

    alerts: int
    per_asset_month: Bounded
    false_per_asset_month: Bounded  # labelled false
    false_or_unlabelled_per_asset_month: Bounded
    budget_per_asset_month: float
    per_engineer_week: Bounded
    budget_per_engineer_week: float | None
    by_asset: tuple[tuple[str, int], ...]  # the busiest first
    by_policy: tuple[OfPolicy, ...]
    suppressed: tuple[tuple[str, int], ...]  # reason -> told
    refused: int  # commands


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Whether verdicts changed within the interval: the sign of a concept that is no longer the one that was learnt."""

    tested: bool
    drifted: bool
    before: Bounded  # precision of the first half of the judged alerts
    after: Bounded
    p_value: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Figures of an interval; see docs/reports.md for what each means."""

    from_ns: int
    until_ns: int
    assets: int
    asset_months: float
    horizon_s: float
    volume: Volume
    precision: Precision
    failures: int
    missed: tuple[Found, ...]
    median_lead_s: float | None
    leads_s: tuple[float, ...]
    actioned: Bounded
    acknowledged: int
    acknowledged_of: int
    acknowledged_in_time: Bounded
    floods: tuple[load.Flood, ...]
    chattering: tuple[str, ...]
    stale: tuple[str, ...]
    by_asset: tuple[Reliability, ...]
    by_class: tuple[Reliability, ...]
    rules: tuple[value.RuleValue, ...]
    avoided: value.Avoided
    dossiers: value.Dossiers
    maintenance: Maintenance
    drift: Drift


def report(given: Given) -> Report:
    """Join everything. What was raised, or failed, within the interval counts; labels of any time do.

    Raises
    ------
    ValueError
        The interval is empty.
    """
    if given.until_ns <= given.from_ns:
        raise ValueError("a report needs an interval that ends after it starts")
    every = unique(t for t in given.transitions if t.at_ns < given.until_ns)
    alerts = incidents(every)
    work = tuple(job for job in jobs(given.work_orders) if job.opened_ns < given.until_ns)
    refused = {each.command_id for each in every if each.change is Change.REFUSED}
    said = labels(given.commands, alerts, refused)
    inside = [each for each in alerts if each.raised_ns >= given.from_ns]
    done = [job for job in work if given.from_ns <= job.stopped_ns < given.until_ns]
    judged = judge(inside, said, work, until_ns=given.until_ns, horizon_s=given.horizon_s)
    found = failures(done, alerts, horizon_s=given.horizon_s)
    leads = sorted(each.lead_s for each in found if each.lead_s is not None)
    hits, of, in_time = load.acknowledged_in_time(inside, given.until_ns)
    by_asset, by_class = reliability(done, given.exposures)
    return Report(
        from_ns=given.from_ns,
        until_ns=given.until_ns,
        assets=len(given.exposures),
        asset_months=_asset_months(given),
        horizon_s=given.horizon_s,
        volume=_volume(given, every, judged),
        precision=precision(judged),
        failures=len(found),
        missed=tuple(each for each in found if each.incident is None),
        median_lead_s=statistics.median(leads) if leads else None,
        leads_s=tuple(leads),
        actioned=share(sum(each.actioned for each in judged), len(judged)),
        acknowledged=hits,
        acknowledged_of=of,
        acknowledged_in_time=in_time,
        floods=load.floods(alerts, given.from_ns, given.until_ns),
        chattering=load.chattering(inside),
        stale=load.stale(inside, given.until_ns),
        by_asset=by_asset,
        by_class=by_class,
        rules=value.rules(judged),
        avoided=value.avoided(judged, found, given.assumptions),
        dossiers=value.dossiers(judged, _noted(said)),
        maintenance=maintenance(done, found, judged, given.spares_lead_s),
        drift=drift(judged),
    )


def precision(judged: Sequence[Judged]) -> Precision:
    """Precision with both bounds; NEUTRAL counts neither way."""
    counts = Counter(each.verdict for each in judged)
    true, false, unlabelled = counts[Verdict.TRUE], counts[Verdict.FALSE], counts[None]
    return Precision(
        true=true,
        false=false,
        neutral=counts[Verdict.NEUTRAL],
        unlabelled=unlabelled,
        counted_false=share(true, true + false + unlabelled),
        left_out=share(true, true + false),
    )


def drift(judged: Sequence[Judged]) -> Drift:
    """Compare the precision of the earlier and the later half of the judged alerts by Fisher's exact test.

    Both halves have as many alerts (the later one more where the number is odd). With fewer than 30 judged alerts
    nothing is said.
    """
    verdicts = [e.verdict is Verdict.TRUE for e in judged if e.verdict in {Verdict.TRUE, Verdict.FALSE}]
    middle = len(verdicts) // 2
    first, second = verdicts[:middle], verdicts[middle:]
    before, after = share(sum(first), len(first)), share(sum(second), len(second))
    if len(verdicts) < DRIFT_OUTCOMES:
        sentence = f"insufficient evidence: {len(verdicts)} judged alerts, {DRIFT_OUTCOMES} are needed"
        return Drift(tested=False, drifted=False, before=before, after=after, p_value=None, sentence=sentence)
    p_value = changed(sum(first), len(first), sum(second), len(second))
    drifted = p_value < DRIFT_LEVEL and sum(second) / len(second) < sum(first) / len(first)
    word = "fell: what is normal has changed, or the machines have" if drifted else "did not fall beyond chance"
    sentence = f"precision {word}: {sum(first)} of {len(first)} were true, then {sum(second)} of {len(second)} (p = {p_value:.2g})"
    return Drift(tested=True, drifted=drifted, before=before, after=after, p_value=p_value, sentence=sentence)


def _volume(given: Given, every: Sequence[AlertTransition], judged: Sequence[Judged]) -> Volume:
    months = _asset_months(given)
    weeks = given.engineers * (given.until_ns - given.from_ns) / NS / WEEK_S
    false = sum(each.verdict is Verdict.FALSE for each in judged)
    unlabelled = sum(each.verdict is None for each in judged)
    inside = [each for each in every if each.at_ns >= given.from_ns]
    told = Counter(e.suppressed_by.value for e in inside if e.change is Change.SUPPRESSED and e.suppressed_by)
    busy = Counter(each.incident.asset for each in judged)
    policies = _by_policy(given, busy)
    weekly = [each.budget_per_engineer_week for each in policies if each.budget_per_engineer_week is not None]
    return Volume(
        alerts=len(judged),
        per_asset_month=rate(len(judged), months),
        false_per_asset_month=rate(false, months),
        false_or_unlabelled_per_asset_month=rate(false + unlabelled, months),
        budget_per_asset_month=_monthly(given),
        per_engineer_week=rate(len(judged), weeks),
        budget_per_engineer_week=given.budget_per_engineer_week or min(weekly, default=None),
        by_asset=tuple(sorted(busy.items(), key=lambda each: (-each[1], each[0]))),
        by_policy=policies,
        suppressed=tuple(sorted(told.items(), key=lambda each: (-each[1], each[0]))),
        refused=sum(each.change is Change.REFUSED for each in inside),
    )


def _policy(given: Given, asset: str) -> Policy:
    return given.policies.get(asset, DEFAULT)


def _monthly(given: Given) -> float:
    """The budget that was stated, or the mean of those of the policies, by the time that their assets were watched."""
    if given.budget_per_asset_month is not None:
        return given.budget_per_asset_month
    watched_s = sum(each.observed_s for each in given.exposures.values())
    allowed = sum(budget.of(_policy(given, each.asset)) * each.observed_s for each in given.exposures.values())
    return allowed / watched_s if watched_s > 0 else budget.of(DEFAULT)


def _by_policy(given: Given, busy: Mapping[str, int]) -> tuple[OfPolicy, ...]:
    groups: dict[str, list[Exposure]] = defaultdict(list)
    for name in sorted(given.exposures):
        groups[_policy(given, name).name].append(given.exposures[name])
    found = []
    for name in sorted(groups):
        policy = _policy(given, groups[name][0].asset)
        alerts = sum(busy.get(each.asset, 0) for each in groups[name])
        found.append(
            OfPolicy(
                policy=name,
                assets=len(groups[name]),
                alerts=alerts,
                per_asset_month=rate(alerts, sum(each.observed_s for each in groups[name]) / MONTH_S),
                budget_per_asset_month=budget.of(policy),
                budget_per_engineer_week=policy.budget_per_engineer_week,
            )
        )
    return tuple(found)


def _asset_months(given: Given) -> float:
    return sum(each.observed_s for each in given.exposures.values()) / MONTH_S


def _noted(said: Mapping[str, tuple[Label, ...]]) -> frozenset[str]:
    return frozenset(each.alert_id for group in said.values() for each in group if each.alert_id and each.note.strip())
