"""Statistics of the last values of one tag, and of its newest value against those before it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from foreshock.features.scalar.state import WINDOW

MAD_TO_SIGMA = 1.482602218505602
"""Standard deviation over median absolute deviation, of a normal distribution."""
MEAN_TO_SIGMA = 1.2533141373155001
"""The same over the mean absolute deviation; it takes the place of a median that is 0 (Iglewicz and Hoaglin 1993)."""
LEAST_BEFORE = 8
"""Values before the newest one that it can be held against."""
LEAST_INTERVALS = 3
_GAPS = np.array([701, 301, 132, 57, 23, 10, 4, 1], np.int64)
RATE_RATIO = 1.5
"""The rate has changed where the intervals of the older and of the newer half differ by more than this."""


@njit(cache=True, nogil=True)
def sort(values: Any) -> None:
    """Sort in place after Shell, with the gaps of Ciura (2001): quick for some thousand values, and little to compile."""
    for gap in _GAPS:
        for i in range(gap, values.shape[0]):
            value, k = values[i], i
            while k >= gap and values[k - gap] > value:
                values[k] = values[k - gap]
                k -= gap
            values[k] = value


@njit(cache=True, nogil=True)
def median(ordered: Any) -> float:
    """Median of sorted values, at least one."""
    n = ordered.shape[0]
    return float(ordered[n // 2]) if n % 2 else float(0.5 * (ordered[n // 2 - 1] + ordered[n // 2]))


@njit(cache=True, nogil=True)
def spread(values: Any, middle: float) -> tuple[float, float]:
    """Median absolute deviation from `middle`, and a robust standard deviation: 0 where nothing varies."""
    deviations = np.abs(values - middle)
    sort(deviations)
    mad = median(deviations)
    if mad > 0.0:
        return mad, MAD_TO_SIGMA * mad
    total = 0.0
    for each in deviations:
        total += each
    return mad, MEAN_TO_SIGMA * total / deviations.shape[0]


@njit(cache=True, nogil=True)
def in_order(ring: Any, seen: int) -> Any:
    """Values of a ring, oldest first."""
    count = min(seen, WINDOW)
    out = np.empty(count, ring.dtype)
    for k in range(count):
        out[k] = ring[(seen - count + k) % WINDOW]
    return out


@njit(cache=True, nogil=True)
def rolling(values: Any, out: Any) -> None:
    """Put mean, standard deviation, smallest, largest, median and median absolute deviation of some values into `out`."""
    n, total, squares = values.shape[0], 0.0, 0.0
    for each in values:
        total += each - values[0]
    mean = total / n
    for each in values:
        deviation = each - values[0] - mean
        squares += deviation * deviation
    ordered = values.copy()
    sort(ordered)
    middle = median(ordered)
    out[0] = values[0] + mean
    out[1] = math.sqrt(squares / n)
    out[2] = ordered[0]
    out[3] = ordered[n - 1]
    out[4] = middle
    out[5] = spread(values, middle)[0]


@njit(cache=True, nogil=True)
def robust_z(values: Any) -> float:
    """Distance of the newest value from the median of those before it, in robust standard deviations.

    NaN where they are constant, and fewer than `LEAST_BEFORE` say nothing either.
    """
    before = values[:-1].copy()
    if before.shape[0] < LEAST_BEFORE:
        return math.nan
    sort(before)
    middle = median(before)
    scale = spread(before, middle)[1]
    return (values[-1] - middle) / scale if scale > 0.0 else math.nan


@njit(cache=True, nogil=True)
def intervals(at_ns: Any) -> tuple[float, float]:
    """Median interval of the values in seconds, and how many times longer that of one half is than that of the other.

    0 and 1 where there are fewer than three.
    """
    n = at_ns.shape[0] - 1
    if n < LEAST_INTERVALS:
        return 0.0, 1.0
    steps = np.empty(n)
    for k in range(n):
        steps[k] = (at_ns[k + 1] - at_ns[k]) * 1e-9
    older, newer, both = steps[: n // 2].copy(), steps[n // 2 :].copy(), steps
    sort(older)
    sort(newer)
    sort(both)
    ratio = median(newer) / median(older)
    return median(both), max(ratio, 1.0 / ratio)
