"""How reliable machines are: time between failures and time to repair, for each asset and each class (ISO 14224)."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foreshock.alerts.outcomes.bounds import Bounded, time_between
from foreshock.alerts.outcomes.work import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How long an asset was observed, and how much of that it ran."""

    asset: str
    asset_class: str = ""
    observed_s: float
    running_s: float | None = None  # None: not known; then it is the time observed less the stated down time


@dataclass(frozen=True, slots=True)
class Reliability:
    """Figures of one asset, or of all of a class.

    Attributes
    ----------
    failures
        Corrective jobs in the interval; planned work is not among them.
    running_h
        Hours; `measured` says whether these were measured for all of it.
    mtbf_h
        Running hours by failures, with its 90 % interval; the interval of observation ends by the clock.
    mttr_h
        Mean repair time in hours of `repaired` failures that are finished; None without one.
    open
        Failures that are not finished: not in the mean, so it is too small while there are some.
    """

    name: str
    assets: int
    failures: int
    running_h: float
    measured: bool
    mtbf_h: Bounded
    mttr_h: float | None
    repaired: int
    open: int


def reliability(
    jobs: Sequence[Job], exposures: Mapping[str, Exposure]
) -> tuple[tuple[Reliability, ...], tuple[Reliability, ...]]:
    """Figures for each asset that failed, and for each class.

    Parameters
    ----------
    jobs
        Of the interval.
    exposures
        By asset. A job of an asset that is not among them does not count: nobody knows how long it ran.

    Returns
    -------
    tuple of tuple and tuple
        By asset, and by class ("" is without a class).
    """
    mine: dict[str, list[Job]] = {name: [] for name in exposures}
    for job in jobs:
        if job.asset in mine:
            mine[job.asset].append(job)
    classes: dict[str, list[str]] = {}
    for name, exposure in sorted(exposures.items()):
        classes.setdefault(exposure.asset_class, []).append(name)
    assets = [
        _figures(name, [name], mine, exposures) for name in sorted(mine) if any(job.failure for job in mine[name])
    ]
    return tuple(assets), tuple(_figures(name, members, mine, exposures) for name, members in sorted(classes.items()))


def _figures(
    name: str, members: Sequence[str], jobs: Mapping[str, Sequence[Job]], exposures: Mapping[str, Exposure]
) -> Reliability:
    failed = [job for member in members for job in jobs[member] if job.failure]
    hours = sum(_running_s(exposures[member], jobs[member]) for member in members) / 3600
    repairs = [job.repair_s / 3600 for job in failed if job.repair_s is not None]
    return Reliability(
        name=name,
        assets=len(members),
        failures=len(failed),
        running_h=hours,
        measured=all(exposures[member].running_s is not None for member in members),
        mtbf_h=time_between(len(failed), hours),
        mttr_h=statistics.fmean(repairs) if repairs else None,
        repaired=len(repairs),
        open=len(failed) - len(repairs),
    )


def _running_s(exposure: Exposure, jobs: Sequence[Job]) -> float:
    """Measured running time; else what was observed less the down time that jobs state."""
    if exposure.running_s is not None:
        return exposure.running_s
    return max(exposure.observed_s - sum(job.downtime_s or 0.0 for job in jobs), 0.0)


def unavailable_h(jobs: Sequence[Job]) -> float | None:
    """Mean stated down time of failures in hours; None where none is stated."""
    stated = [job.downtime_s / 3600 for job in jobs if job.failure and job.downtime_s is not None]
    return statistics.fmean(stated) if stated else None
