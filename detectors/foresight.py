"""What averages of rows will show of noise after a warm-up, though the warm-up itself is too short to show it.

The norms of a short warm-up are too small in two ways: the centre that they are measured from is the warm-up's own, and of
40-row averages 60 rows hold hardly two. So a bound on them is computed from single rows, whose number is large:

* A tag is taken as a first-order autoregression with the warm-up's variance s2 and lag-one correlation phi, both corrected
  for their bias in short series (Kendall 1954, Biometrika 41: E[r] = phi - (1 + 3 phi) / n). The mean of h rows then has
  the variance s2 v(h), v(h) = ((1 + phi) / (1 - phi) - 2 phi (1 - phi^h) / (h (1 - phi)^2)) / h.
* Measured from a median of n rows it is s2 (v(h) + pi/2 v(n)): the median of a normal sample varies pi/2 as much as its
  mean.
* The mean square over tags varies as chi-square over its degrees of freedom, these as Satterthwaite (1946, Biometrics
  Bulletin 2) counts them: (sum of eigenvalues)^2 / sum of squared eigenvalues of the tags' covariance, so that tags that
  move together count once. As s2 is estimated itself the quotient is distributed as F, whose quantiles are those of
  Paulson (1942, Annals of Mathematical Statistics 13).
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

MOST_PHI = 0.95  # beyond it a warm-up says nothing of the variance
LEAST_FREEDOM = 8.0  # of a variance: below it Paulson's quantiles do not exist
Z_QUANTILE = 2.3263  # of the standard normal: 99 %
Z_RARE = 4.2649  # and 1 - 1e-5, where the boundary is


@nb.njit(cache=True, nogil=True)
def f_quantile(first: float, second: float, z: float) -> float:
    """Quantile of F(first, second) where the standard normal has `z` (Paulson 1942)."""
    a, b = 2.0 / (9.0 * first), 2.0 / (9.0 * second)
    root = a * (1.0 - b) ** 2 + b * (1.0 - a) ** 2 - z * z * a * b
    y = ((1.0 - a) * (1.0 - b) + z * np.sqrt(max(root, 0.0))) / ((1.0 - b) ** 2 - z * z * b)
    return float(y**3)


@nb.njit(cache=True, nogil=True)
def mean_variance(phi: float, rows: int) -> float:
    """Variance of the mean of so many rows of a first-order autoregression of variance 1."""
    rest = 1.0 - phi
    return float(((1.0 + phi) / rest - 2.0 * phi * (1.0 - phi**rows) / (rows * rest * rest)) / rows)


@nb.njit(cache=True, nogil=True)
def memory_of(column: Any) -> float:
    """Lag-one correlation of a centred column, corrected for its bias; 0 where it is negative."""
    rows, square, cross = column.shape[0], 0.0, 0.0
    for i in range(rows):
        square += column[i] * column[i]
        if i > 0:
            cross += column[i] * column[i - 1]
    if square <= 0.0:
        return 0.0
    r = cross / square
    return float(min(max((r * rows + 1.0) / (rows - 3.0), 0.0), MOST_PHI))


@nb.njit(cache=True, nogil=True)
def foresee(z: Any, horizons: Any, floors: Any) -> float:
    """Least 99 % quantiles of the norms of averages that are to be expected after a warm-up of pure noise.

    Parameters
    ----------
    z : float64 [rows, tags]
        Standardised rows of the warm-up; centred in place.
    horizons : int64 [horizons]
    floors : float64 [horizons]
        Result.

    Returns
    -------
    float
        How many times the quantile noise exceeds once in 100,000 rows.
    """
    rows, tags = z.shape
    spread, phi = np.empty(tags), np.empty(tags)
    freedom = 0.0
    for t in range(tags):
        z[:, t] -= z[:, t].mean()
        phi[t] = memory_of(z[:, t])
        spread[t] = np.sum(z[:, t] * z[:, t]) / rows / (1.0 - min(mean_variance(phi[t], rows), 0.5))
        freedom += rows * (1.0 - phi[t] ** 2) / (1.0 + phi[t] ** 2) / tags
    whole = np.sum(spread)
    if whole <= 0.0:
        floors[:] = 0.0
        return 1.0
    squares = 0.0
    for t in range(tags):
        for u in range(tags):
            both = np.sum(z[:, t] * z[:, u]) / rows
            squares += both * both
    apparent = np.sum(z * z) / rows
    dimension = apparent * apparent / squares
    freedom = max(freedom * dimension, LEAST_FREEDOM)
    usual = f_quantile(dimension, freedom, Z_QUANTILE)
    for k in range(horizons.shape[0]):
        total = 0.0
        for t in range(tags):
            total += spread[t] * (mean_variance(phi[t], horizons[k]) + 0.5 * np.pi * mean_variance(phi[t], rows))
        floors[k] = np.sqrt(total / tags * usual)
    return float(np.sqrt(f_quantile(dimension, freedom, Z_RARE) / usual))
