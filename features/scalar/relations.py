"""What a tag is by the others: correlations of the means of windows, and each tag's residual given the rest.

Tags of different rates are aligned by window: a pair is learnt from the windows that have a value of both, and a mean of a
window stands for as many values as its tag sent in it. Nothing is interpolated or held. Means, variances and covariances
have a memory of `MEMORY` windows: all count alike at first, then the older ones less and less.

The residuals of all tags come from one inverse P of the correlation matrix of those that are there: with z the standardised
means, tag i is expected at z_i - (P z)_i / P_ii, with a variance of 1 / P_ii, and the others explain 1 - 1 / P_ii of it
(Whittaker, "Graphical Models in Applied Multivariate Statistics", 1990, chapter 5).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

LEAST_WINDOWS = 30
"""Windows behind a tag, or a pair, before it says anything."""
MEMORY = 2_880
"""Two days of windows of a minute: a cycle of load is in it."""
CLIP = 8.0
"""A mean farther off than so many standard deviations is learnt as if it were this far off."""
RIDGES = np.array([1e-9, 1e-6, 1e-3, 1e-2, 1e-1, 1.0])
"""Added to the diagonal: the first one that makes the matrix safe to invert; pairs are of different windows."""
_FLAT = 1e-12  # a standard deviation below this share of the mean is rounding

THERE, TOO_FEW, FLAT, ABSENT = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def place(i: int, j: int) -> int:
    """Place of a pair of tags in the list of all pairs."""
    low, high = min(i, j), max(i, j)
    return high * (high - 1) // 2 + low


@njit(cache=True, nogil=True)
def correlation(pair: Any) -> float:
    """Pearson correlation of a pair; NaN where it is of too few windows, or one of them is constant."""
    flat_a, flat_b = _FLAT * abs(pair[1]), _FLAT * abs(pair[2])
    if pair[0] < LEAST_WINDOWS or not (pair[3] > flat_a * flat_a and pair[4] > flat_b * flat_b):
        return math.nan
    return float(min(1.0, max(-1.0, pair[5] / math.sqrt(pair[3]) / math.sqrt(pair[4]))))


@njit(cache=True, nogil=True)
def learn(own: Any, pairs: Any, x: Any) -> None:
    """Take in the means of a window [related], NaN where a tag has none."""
    y = x.copy()
    for i in range(y.shape[0]):
        count, far = own[i, 0], CLIP * math.sqrt(own[i, 2])
        if count >= LEAST_WINDOWS and far > 0.0:
            y[i] = min(max(y[i], own[i, 1] - far), own[i, 1] + far) if math.isfinite(y[i]) else y[i]
    for i in range(y.shape[0]):
        if not math.isfinite(y[i]):
            continue
        n = own[i, 0] = min(own[i, 0] + 1.0, MEMORY)
        deviation = y[i] - own[i, 1]
        own[i, 1] += deviation / n
        own[i, 2] += (deviation * (y[i] - own[i, 1]) - own[i, 2]) / n
        for j in range(i):
            if math.isfinite(y[j]):
                pair = pairs[place(i, j)]
                n = pair[0] = min(pair[0] + 1.0, MEMORY)
                a, b = y[j] - pair[1], y[i] - pair[2]
                pair[1] += a / n
                pair[2] += b / n
                pair[3] += (a * (y[j] - pair[1]) - pair[3]) / n
                pair[4] += (b * (y[i] - pair[2]) - pair[4]) / n
                pair[5] += (a * (y[i] - pair[2]) - pair[5]) / n


@njit(cache=True, nogil=True)
def _invert(matrix: Any, ridge: float) -> bool:
    """Invert a symmetric matrix in place, with a ridge; False where it is not positive definite then."""
    n = matrix.shape[0]
    for i in range(n):
        matrix[i, i] += ridge
    for k in range(n):  # Gauss-Jordan without pivoting, which positive definite matrices do not need
        pivot = matrix[k, k]
        if not pivot > 0.5 * ridge:
            return False
        matrix[k, k] = 1.0
        for j in range(n):
            matrix[k, j] /= pivot
        for i in range(n):
            if i != k:
                factor = matrix[i, k]
                matrix[i, k] = 0.0
                for j in range(n):
                    matrix[i, j] -= factor * matrix[k, j]
    return True


@njit(cache=True, nogil=True)
def _precision(pairs: Any, which: Any) -> Any:
    """Inverse of the correlation matrix of some tags; a pair that was never seen together counts as unrelated."""
    n = which.shape[0]
    inverse = np.empty((n, n))
    for ridge in RIDGES:
        for i in range(n):
            inverse[i, i] = 1.0
            for j in range(i):
                r = correlation(pairs[place(which[i], which[j])])
                inverse[i, j] = inverse[j, i] = r if math.isfinite(r) else 0.0
        if _invert(inverse, ridge):
            return inverse
    return np.eye(n)


@njit(cache=True, nogil=True)
def given_others(own: Any, pairs: Any, x: Any, out: Any, state: Any) -> None:
    """Say for each tag what the others make of it.

    Parameters
    ----------
    own, pairs
        What was learnt from the windows before.
    x : float64 [related]
        Means of this window, NaN where a tag has none.
    out : float64 [related, 4]
        Share of the variance that the others explain, value expected, residual, residual in standard deviations.
    state : int64 [related]
        `THERE`, or why a tag has none of them: `TOO_FEW` windows so far, `FLAT`: constant, `ABSENT`: no mean of this
        window, or of any other tag.
    """
    which, n = np.empty(x.shape[0], np.int64), 0
    for i in range(x.shape[0]):
        state[i] = THERE
        flat = _FLAT * abs(own[i, 1])
        if not math.isfinite(x[i]):
            state[i] = ABSENT
        elif own[i, 0] < LEAST_WINDOWS:
            state[i] = TOO_FEW
        elif not own[i, 2] > flat * flat:
            state[i] = FLAT
        else:
            which[n] = i
            n += 1
    which = which[:n]
    if n < 2:
        state[which] = ABSENT
        return
    inverse, z = _precision(pairs, which), np.empty(n)
    for k in range(n):
        z[k] = (x[which[k]] - own[which[k], 1]) / math.sqrt(own[which[k], 2])
    for k in range(n):
        i, total = which[k], 0.0
        for j in range(n):
            total += inverse[k, j] * z[j]
        error, sigma = total / inverse[k, k], math.sqrt(own[i, 2])
        out[i, 0] = min(1.0, max(0.0, 1.0 - 1.0 / inverse[k, k]))
        out[i, 1] = x[i] - sigma * error
        out[i, 2] = sigma * error
        out[i, 3] = error * math.sqrt(inverse[k, k])
