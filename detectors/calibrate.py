"""Conformal rank: where a score stands among the healthy scores of its own asset.

p = (1 + number of healthy scores >= score) / (number of healthy scores + 1): the chance to see such a rank or a rarer
one while nothing has changed (Vovk, Gammerman, Shafer 2005, "Algorithmic Learning in a Random World"). The scores are
those of the second half of the warm-up, then the newest that passed the gate.
"""

from __future__ import annotations

from typing import Any

import numba as nb


@nb.njit(cache=True, nogil=True)
def rank(healthy: Any, pushed: int, value: float) -> float:
    """Conformal p-value of `value`; 1.0 where no healthy score is known yet."""
    count = min(pushed, healthy.shape[0])
    above = 1
    for i in range(count):
        if healthy[i] >= value:
            above += 1
    return float(above / (count + 1.0))


@nb.njit(cache=True, nogil=True)
def remember(healthy: Any, pushed: int, value: float) -> None:
    """Keep a healthy score in place of the oldest."""
    healthy[pushed % healthy.shape[0]] = value
