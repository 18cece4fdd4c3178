"""Is it drifting, how fast, and when is the next level reached: from a series of scores, with how sure that is. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LEAST = 12  # scores: below it any slope is in the interval
MOST = 120  # medians of equal parts of the time; more rows say little more and are slower by the square
Z = 1.645  # 90 %
AHEAD = 3.0  # nothing is foreseen further than so many times as far as was looked back


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a score is heading.

    Attributes
    ----------
    level
        Median of the last tenth of the scores.
    span_h
        Hours from the first to the last.
    rows
        How many scores.
    rate, lower, upper
        Change of the score per hour with its 90 % interval; None: too few scores to say.
    """

    level: float
    span_h: float
    rows: int
    rate: float | None
    lower: float | None
    upper: float | None

    @property
    def word(self) -> str:
        """rising, falling, steady or unknown."""
        if self.lower is None or self.upper is None:
            return "unknown"
        return "rising" if self.lower > 0 else "falling" if self.upper < 0 else "steady"


@dataclass(frozen=True, slots=True)
class Reach:
    """When a level is reached at the present rate, in hours from the last score; None: not foreseeable."""

    level: float
    earliest_h: float | None
    likely_h: float | None
    latest_h: float | None


def progress(times_h: Sequence[float], values: Sequence[float]) -> Progress | None:
    """Fit a line that single scores cannot turn.

    The slope is Theil and Sen's: the median of the slopes of all pairs. Its interval is Sen's (1968, JASA 63), by the
    variance of Kendall's S, which is made larger by (1 + r) / (1 - r) for the correlation r of each residual with the
    last (after Hamed and Rao 1998, Journal of Hydrology 204): scores that follow one another say less than they count.

    Parameters
    ----------
    times_h
        Hours, ascending.
    values
        Scores at these times.

    Returns
    -------
    Progress or None
        None without any score.
    """
    if not values:
        return None
    last = statistics.median(values[-max(len(values) // 10, 1) :])
    span_h = times_h[-1] - times_h[0]
    times, medians = _thinned(times_h, values)
    found = _slopes(times, medians) if len(medians) >= LEAST and span_h > 0 else None
    return Progress(last, span_h, len(values), *(found or (None, None, None)))


def reach(of: Progress, level: float) -> Reach:
    """Say when a level is reached at this rate.

    Nothing is said where the rate may be zero as well, and nothing beyond three times the span of the scores.
    """
    need = level - of.level
    if of.rate is None or of.lower is None or of.upper is None or of.lower <= 0 or need <= 0:
        return Reach(level, None, None, None)
    furthest = AHEAD * of.span_h
    hours = [need / rate for rate in (of.upper, of.rate, of.lower)]
    earliest, likely, latest = (each if each <= furthest else None for each in hours)
    return Reach(level, earliest, likely, latest)


def _thinned(times: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Medians of at most so many equal parts of the time."""
    if len(values) <= MOST:
        return list(times), list(values)
    width = (times[-1] - times[0]) / MOST or 1.0
    parts: dict[int, tuple[list[float], list[float]]] = {}
    for at, value in zip(times, values, strict=True):
        part = parts.setdefault(min(int((at - times[0]) / width), MOST - 1), ([], []))
        part[0].append(at)
        part[1].append(value)
    ordered = [parts[number] for number in sorted(parts)]
    return [statistics.median(at) for at, _ in ordered], [statistics.median(value) for _, value in ordered]


def _slopes(times: Sequence[float], values: Sequence[float]) -> tuple[float, float, float] | None:
    """Theil-Sen slope with its interval; None where too few pairs are left for one."""
    count = len(values)
    slopes = sorted(
        (values[j] - values[i]) / (times[j] - times[i])
        for i in range(count)
        for j in range(i + 1, count)
        if times[j] > times[i]
    )
    if not slopes:
        return None
    rate = statistics.median(slopes)
    residuals = [value - rate * at for at, value in zip(times, values, strict=True)]
    correlation = min(max(_lag_one(residuals), 0.0), 0.95)
    variance = count * (count - 1) * (2 * count + 5) / 18 * (1 + correlation) / (1 - correlation)
    reach_of = Z * math.sqrt(variance)
    low, high = math.floor((len(slopes) - reach_of) / 2), math.ceil((len(slopes) + reach_of) / 2)
    if low < 0 or high >= len(slopes):
        return None
    return rate, slopes[low], slopes[high]


def _lag_one(residuals: Sequence[float]) -> float:
    mean = statistics.fmean(residuals)
    apart = [each - mean for each in residuals]
    total = sum(each * each for each in apart)
    return sum(a * b for a, b in pairwise(apart)) / total if total > 0 else 0.0
