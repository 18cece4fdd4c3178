"""What a tag usually is at this time of the day, and of the week: medians of its hourly means of the last four weeks.

Hours are those of UTC: a plant that changes its clocks is an hour off for the weeks after. Between the middles of two
hours the profile is a straight line. Only the running machine counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from foreshock.features.scalar.fold import HOUR_NS
from foreshock.features.scalar.state import HOURS
from foreshock.features.scalar.statistics import median, sort

DAY, WEEK = 24, 168
LEAST_DAYS = 3
"""Days that have a value at the hour, before there is a daily profile."""
LEAST_WEEKS = 2


@njit(cache=True, nogil=True)
def _usual(hour: Any, open_hour: int, number: int, period: int, least: int) -> float:
    """Median of the complete hours a whole number of periods before an hour; NaN where there are too few."""
    found, n = np.empty(HOURS // DAY), 0
    k = number - period
    while k > open_hour - HOURS:
        if 0 <= k < open_hour and not np.isnan(hour[k % HOURS]):
            found[n] = hour[k % HOURS]
            n += 1
        k -= period
    if n < least:
        return np.nan
    sort(found[:n])
    return median(found[:n])


@njit(cache=True, nogil=True)
def usual(hour: Any, open_hour: int, at_ns: int, period: int, least: int) -> float:
    """What the hours of one tag say that it is at a time; NaN where they are too few.

    Parameters
    ----------
    hour : float32 [HOURS]
        Ring of hourly means; hour number n since 1970 stands at n % HOURS.
    open_hour : int
        The hour that is being filled: those before it are complete.
    period : int
        Hours: `DAY` or `WEEK`.
    """
    middle = at_ns - HOUR_NS // 2
    number = middle // HOUR_NS
    share = (middle - number * HOUR_NS) / HOUR_NS
    before = _usual(hour, open_hour, number, period, least)
    after = _usual(hour, open_hour, number + 1, period, least)
    if np.isnan(before):
        return after if share > 0.5 else np.nan
    if np.isnan(after):
        return before if share <= 0.5 else np.nan
    return before + share * (after - before)
