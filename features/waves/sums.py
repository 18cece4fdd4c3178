"""Sums over a row of float32, in float64 and in a fixed order.

Several partial sums at once: with one alone each addition would wait for the one before to end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, nogil=True)
def sum_of(row: npt.NDArray[np.float32]) -> float:
    """Sum of the values."""
    a = b = c = d = e = f = g = h = 0.0
    full = row.size - row.size % 8
    for i in range(0, full, 8):
        a += row[i]
        b += row[i + 1]
        c += row[i + 2]
        d += row[i + 3]
        e += row[i + 4]
        f += row[i + 5]
        g += row[i + 6]
        h += row[i + 7]
    for i in range(full, row.size):
        a += row[i]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(cache=True, nogil=True)
def squares_of(row: npt.NDArray[np.float32]) -> float:
    """Sum of the squares."""
    a = b = c = d = e = f = g = h = 0.0
    full = row.size - row.size % 8
    for i in range(0, full, 8):
        a += row[i] * row[i]
        b += row[i + 1] * row[i + 1]
        c += row[i + 2] * row[i + 2]
        d += row[i + 3] * row[i + 3]
        e += row[i + 4] * row[i + 4]
        f += row[i + 5] * row[i + 5]
        g += row[i + 6] * row[i + 6]
        h += row[i + 7] * row[i + 7]
    for i in range(full, row.size):
        a += row[i] * row[i]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@njit(cache=True, nogil=True)
def dot_of(row: npt.NDArray[np.float32], weights: npt.NDArray[np.float64]) -> float:
    """Sum of the values times their weights."""
    a = b = c = d = 0.0
    full = row.size - row.size % 4
    for i in range(0, full, 4):
        a += row[i] * weights[i]
        b += row[i + 1] * weights[i + 1]
        c += row[i + 2] * weights[i + 2]
        d += row[i + 3] * weights[i + 3]
    for i in range(full, row.size):
        a += row[i] * weights[i]
    return (a + b) + (c + d)


@njit(cache=True, nogil=True)
def largest_of(row: npt.NDArray[np.float32]) -> float:
    """Largest value; every value is a number."""
    a = b = c = d = row[0]
    full = row.size - row.size % 4
    for i in range(0, full, 4):
        a, b, c, d = max(a, row[i]), max(b, row[i + 1]), max(c, row[i + 2]), max(d, row[i + 3])
    for i in range(full, row.size):
        a = max(a, row[i])
    return float(max(a, b, c, d))
