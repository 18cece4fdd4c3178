"""Sums over a row of float32, in float64 and in a fixed order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, nogil=True)
def sum_of(row: npt.NDArray[np.float32]) -> float:
    """Sum in eight partial sums: one alone would wait for each addition to end before the next."""
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
    """Sum of the squares, in the same way."""
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
