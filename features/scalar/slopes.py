"""Robust slopes: the median of the slopes of all pairs of points, with the interval that Kendall's variance gives.

Theil (1950) and Sen, "Estimates of the regression coefficient based on Kendall's tau", J. Am. Stat. Assoc. 63 (1968).
Up to 29 % of the points may be anything. The interval holds for points whose scatter is independent of each other;
neighbouring bins of a slow process are not quite, so it is rather too narrow than too wide.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from foreshock.features.scalar.state import BINS
from foreshock.features.scalar.statistics import sort

CONFIDENCE = 0.95
_Z = 1.959963984540054  # quantile of the normal distribution for 95 % on both sides
LEAST_BINS = 10
"""Bins of a horizon before it has a slope ..."""
LEAST_SPAN = 0.5
"""... and share of the horizon that they span."""


@njit(cache=True, nogil=True)
def _ties(ordered: Any) -> float:
    """Sum over groups of equal values of k (k - 1) (2 k + 5)."""
    total, k = 0.0, 1
    for i in range(1, ordered.shape[0] + 1):
        if i < ordered.shape[0] and ordered[i] == ordered[i - 1]:
            k += 1
        else:
            total += k * (k - 1.0) * (2.0 * k + 5.0)
            k = 1
    return total


@njit(cache=True, nogil=True)
def _ranked(values: Any, k: int) -> float:
    """Value number `k` in ascending order, by Hoare's selection; the values are moved about."""
    low, high = 0, values.shape[0] - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return float(values[k])


@njit(cache=True, nogil=True)
def theil_sen(t: Any, x: Any, out: Any) -> None:
    """Put slope, lower and upper end of its 95 % interval into `out`; at least two points of different times.

    Parameters
    ----------
    t : float64 [n]
        Strictly increasing.
    x : float64 [n]
    out : float64 [3]
        In the unit of `x` per that of `t`.
    """
    n, count = t.shape[0], 0
    slopes = np.empty(n * (n - 1) // 2)
    for i in range(n):
        for j in range(i + 1, n):
            slopes[count] = (x[j] - x[i]) / (t[j] - t[i])
            count += 1
    middle = count // 2
    out[0] = _ranked(slopes, middle)
    if count % 2 == 0:
        out[0] = 0.5 * (_ranked(slopes, middle - 1) + out[0])
    ordered = x.copy()
    sort(ordered)
    variance = (n * (n - 1.0) * (2.0 * n + 5.0) - _ties(ordered)) / 18.0
    half = _Z * math.sqrt(max(variance, 0.0))
    out[1] = _ranked(slopes, max(int(np.rint(0.5 * (count - half))) - 1, 0))
    out[2] = _ranked(slopes, min(int(np.rint(0.5 * (count + half))), count - 1))


@njit(cache=True, nogil=True)
def of_bins(at_s: Any, value: Any, bins: int, now_s: float, horizon_s: float, out: Any) -> bool:
    """Slope through the complete bins of one horizon, per second; False where they are too few.

    Parameters
    ----------
    at_s, value : float64 [BINS]
        Rings of times and means, of which `bins` were written so far.
    now_s : float
        Start of the bin that is being filled; what is older than the horizon before it does not count.
    """
    t, x, n = np.empty(BINS), np.empty(BINS), 0
    for k in range(max(0, bins - BINS), bins):
        if at_s[k % BINS] >= now_s - horizon_s:
            t[n] = at_s[k % BINS] - now_s
            x[n] = value[k % BINS]
            n += 1
    if n < LEAST_BINS or t[n - 1] - t[0] < LEAST_SPAN * horizon_s:
        return False
    theil_sen(t[:n], x[:n], out)
    return True
