"""What is told of the last hour or month: drift of the p-values, use of the alarm budget, rates for the cost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

ENOUGH = 1000  # scores; below it an index of their distribution says nothing
MONTH_S = 30 * 86400.0
HOUR_S = 3600.0
T = TypeVar("T")


@dataclass(slots=True)
class Window(Generic[T]):
    """Readings of something that only grows, at most one a step, over a span.

    Attributes
    ----------
    span_s, step_s
        What the difference is taken over, and how fine it is.
    """

    span_s: float
    step_s: float
    _kept: deque[tuple[float, T]] = field(default_factory=deque)

    def read(self, at_s: float, value: T) -> tuple[float, T]:
        """Take a reading; give the oldest one within the span, with its time.

        Parameters
        ----------
        at_s
            Monotonic seconds.
        value
            What it is now; it must not change afterwards.
        """
        kept = self._kept
        if not kept or at_s - kept[-1][0] >= self.step_s:
            kept.append((at_s, value))
        while len(kept) > 1 and at_s - kept[0][0] > self.span_s:
            kept.popleft()
        return kept[0]


def psi(counts: npt.NDArray[np.int64], bounds: npt.NDArray[np.float64]) -> float:
    """Give the population stability index of p-values against uniform ones.

    Sum over the buckets of (share - expected) * ln(share / expected), the expected share being the bucket's width; a share
    is at least 1e-6, so an empty bucket counts and is not infinite. 0.1 is worth a look, 0.25 a change.

    Parameters
    ----------
    counts
        [buckets] observations.
    bounds
        [buckets] upper bounds; the last is 1.
    """
    total = int(counts.sum())
    if total < ENOUGH:
        return 0.0
    expected = np.diff(bounds, prepend=0.0)
    share = np.maximum(counts / total, 1e-6)
    return float(np.sum((share - expected) * np.log(share / expected)))
