"""How sure a figure is: exact intervals for shares, rates and times between failures, and for a share that changed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import betaincinv, chdtri

CONFIDENCE = 0.9  # of every interval here: 5 % on each side


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure with its interval.

    Attributes
    ----------
    value
        The estimate; None where there is nothing to estimate from.
    lower, upper
        Bounds of the 90 % interval; `upper` None: no bound.
    """

    value: float | None
    lower: float
    upper: float | None


def share(hits: int, of: int) -> Bounded:
    """A share with its Clopper-Pearson interval: exact, never narrower than it says.

    Raises
    ------
    ValueError
        More hits than there are, or fewer than none.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if of == 0:
        return Bounded(None, 0.0, 1.0)
    side = (1 - CONFIDENCE) / 2
    lower = float(betaincinv(hits, of - hits + 1, side)) if hits else 0.0
    upper = float(betaincinv(hits + 1, of - hits, 1 - side)) if hits < of else 1.0
    return Bounded(hits / of, lower, upper)


def rate(events: int, exposure: float) -> Bounded:
    """Events per unit of exposure with the exact Poisson interval (Garwood)."""
    if exposure <= 0:
        return Bounded(None, 0.0, None)
    most, least = _chi_square(2 * events + 2, upper=True), _chi_square(2 * events, upper=False)
    return Bounded(events / exposure, least / 2 / exposure, most / 2 / exposure)


def time_between(events: int, exposure: float) -> Bounded:
    """Mean time between events of an observation that a clock ended, not an event.

    Lower and upper bound are `2 T / chi2(1 - a/2; 2 r + 2)` and `2 T / chi2(a/2; 2 r)`, for a constant rate
    (IEC 60605-4, time-terminated). The last, unfinished time between events is in T: censored, not left out.

    Parameters
    ----------
    events
        r.
    exposure
        T, in the unit of the answer.

    Returns
    -------
    Bounded
        Without an event there is no estimate, and only a lower bound.
    """
    if exposure <= 0:
        return Bounded(None, 0.0, None)
    lower = 2 * exposure / _chi_square(2 * events + 2, upper=True)
    if events == 0:
        return Bounded(None, lower, None)
    return Bounded(exposure / events, lower, 2 * exposure / _chi_square(2 * events, upper=False))


def _chi_square(degrees: int, *, upper: bool) -> float:
    """Quantile of chi square at 0.95, or at 0.05; of no degrees of freedom it is 0."""
    side = (1 - CONFIDENCE) / 2
    return float(chdtri(degrees, side if upper else 1 - side)) if degrees else 0.0


def changed(hits_before: int, before: int, hits_after: int, after: int) -> float:
    """Probability of shares so different by chance alone: Fisher's exact test, two-sided.

    It is the sum of the probabilities of all tables with the same sums that are no likelier than the one that is.
    """
    hits, total = hits_before + hits_after, before + after
    if not before or not after:
        return 1.0
    ways = [math.comb(before, k) * math.comb(after, hits - k) if 0 <= hits - k <= after else 0 for k in range(hits + 1)]
    found = math.comb(before, hits_before) * math.comb(after, hits_after)
    return sum(way for way in ways if way <= found) / math.comb(total, hits)
