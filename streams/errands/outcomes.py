"""Gathers what a report is made of: alerts, commands, work orders, and how long each asset was watched and ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from foreshock.alerts.files import resolve
from foreshock.alerts.outcomes.maintenance import SPARES_LEAD_S
from foreshock.alerts.outcomes.reliability import Exposure
from foreshock.alerts.outcomes.report import Given
from foreshock.alerts.outcomes.value import Assumptions
from foreshock.alerts.outcomes.verdicts import HORIZON_S
from foreshock.contract import Asset
from foreshock.policies import read_policies
from foreshock.settings import Settings
from foreshock.streams.errands.alertlog import AlertLog
from foreshock.streams.errands.registered import registered_assets
from foreshock.streams.errands.running import Heard, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. Times are ns."""

    from_ns: int
    until_ns: int
    budget: float | None = None  # alerts per asset and month; None: that of the policies
    weekly_budget: float | None = None
    engineers: int = 1
    horizon_s: float = HORIZON_S
    spares_lead_s: float = SPARES_LEAD_S
    assumptions: Assumptions = field(default_factory=Assumptions)


def gather(settings: Settings, wanted: Wanted) -> Given:
    """Read everything that the report of an interval needs.

    Raises
    ------
    Unavailable
        Kafka cannot be reached.
    """
    with AlertLog(settings) as read:
        transitions, commands, work_orders = read.transitions(), read.commands(), read.work_orders()
    registered = {each.asset: each for each in registered_assets(settings)}
    classes = {each.asset: each.asset_class for each in registered.values()}
    policies = read_policies(settings.alerts.policies)
    heard = running(settings, wanted.from_ns, wanted.until_ns)
    inside = (each.asset for each in transitions if wanted.from_ns <= each.at_ns < wanted.until_ns)
    watched = exposures(classes, heard, inside, (wanted.until_ns - wanted.from_ns) / 1e9)
    master = {name: registered.get(name) or Asset(asset=name, registered=False) for name in watched}
    return Given(
        from_ns=wanted.from_ns,
        until_ns=wanted.until_ns,
        transitions=transitions,
        commands=commands,
        work_orders=work_orders,
        exposures=watched,
        policies={name: resolve(policies, each) for name, each in master.items()},
        budget_per_asset_month=wanted.budget,
        budget_per_engineer_week=wanted.weekly_budget,
        engineers=wanted.engineers,
        horizon_s=wanted.horizon_s,
        spares_lead_s=wanted.spares_lead_s,
        assumptions=wanted.assumptions,
    )


def exposures(
    classes: Mapping[str, str], heard: Mapping[str, Heard], alerted: Iterable[str], whole_s: float
) -> dict[str, Exposure]:
    """How long each asset was watched: since it was first heard; registered or alerted and never sampled: all the time."""
    found = {}
    for name in sorted({*classes, *heard, *alerted}):
        seen = heard.get(name)
        observed_s = whole_s if seen is None else min(seen.observed_s, whole_s)
        found[name] = Exposure(
            asset=name,
            asset_class=classes.get(name, ""),
            observed_s=observed_s,
            running_s=None if seen is None else seen.share * observed_s,
        )
    return found
