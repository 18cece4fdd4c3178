"""Policy as data: at which level an alert is raised, who acts on it, and what keeps it from being raised.

Policies come from files (`alerts/files.py`), one for an asset class, a site, or everything. A policy is a value: the one
that decided is named in every event by the hash of its content. Durations are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from foreshock.alerts.vocabulary import GroupBy, Holds, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The least change that matters: what is within it of the expected value is no alert.

    A feature counts as changed when it is further from expected than `absolute` (its own unit) and `relative` (share of the
    expected value), as far as they are stated; one changed feature is enough.
    """

    features: tuple[str, ...] = ()  # glob patterns; empty: all
    absolute: float | None = None
    relative: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One severity: when it begins, when it ends, and who does what."""

    severity: Severity
    raise_at: float  # score: 1 is the boundary of normal at the alarm budget
    clear_at: float  # below raise_at: the deadband
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    n: int = 1  # n of the last m rows at or above raise_at
    m: int = 1
    trend_at: float | None = None  # growth per hour that is enough by itself, from `trend_score` on
    trend_score: float = 0.8
    hypotheses: tuple[str, ...] = ()  # glob patterns: with one of these it begins at hypothesis_at
    hypothesis_at: float | None = None
    owner: str
    runbook: tuple[str, ...]
    action: str
    respond_within_s: float
    escalation: tuple[str, ...]  # who is told, one after the other, each time the response window ends unanswered


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A time that maintenance announced: once, or every week."""

    name: str
    holds: Holds = Holds.BOTH
    lines: tuple[str, ...] = ()  # glob patterns on the path; empty: all that the policy covers
    starts_ns: int | None = None  # once
    ends_ns: int | None = None
    weekdays: tuple[int, ...] = ()  # weekly; 0 is Monday
    from_s: int = 0  # of the day, UTC offset by `utc_offset_s`
    to_s: int = 0
    utc_offset_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """Weights of what makes an alert urgent; the score is a sum, 1 to 4 come from its cuts."""

    severity: float = 1.0
    criticality: float = 1.0
    spares_lead_days: float = 0.02  # per day of lead time
    running_production: float = 0.5
    lead_days: tuple[tuple[str, float], ...] = ()  # asset class or asset pattern -> days
    cuts: tuple[float, ...] = (5.0, 4.0, 2.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for the assets that it covers."""

    name: str
    covers: tuple[str, ...] = ()  # asset classes; empty: any
    sites: tuple[str, ...] = ()  # glob patterns on the path; empty: any
    bands: tuple[Band, ...]
    minimum_effect: Effect | None = None
    refractory_s: float = 0.0  # after closed, nothing is raised for so long
    most_per_hour: int | None = None  # transitions to raised, of one asset
    chattering_per_min: int = 3  # raised so often is chattering (ISA-18.2)
    close_after_s: float = 3600.0  # returned to normal and acknowledged for so long: closed
    stale_after_s: float = 86400.0
    longest_shelf_s: float = 7 * 86400.0
    realarm_after_s: float | None = None
    inhibit_on: tuple[str, ...] = (
        "silent",
        "frozen",
        "out_of_range",
        "clipped",
        "wrong_rate",
    )  # quality kinds of that point
    parents: tuple[tuple[str, str], ...] = ()  # child, parent (glob patterns)
    page_delayed_s: float = 300.0  # what is later than this and cleared already is never raised
    budget_per_asset_month: float = 1.0
    budget_per_engineer_week: float | None = None
    assets_per_engineer: float | None = None  # that the policy is of; with it the week's budget selects as well
    windows: tuple[Window, ...] = ()
    priority: Priority = field(default_factory=Priority)
    group_by: GroupBy = GroupBy.ASSET
    group_window_s: float = 600.0  # alerts of a line that are raised within it are one incident
    version: str = ""  # sha256 of the canonical content; set by whoever loads it
