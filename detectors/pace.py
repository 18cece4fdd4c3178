"""The pace of a measuring point: how its blocks (or rows) lie in time, and which of them belong together.

Holds, averages and the warm-up count blocks, and blocks mean nothing without their times:

* **Independent** is what shares at most half of its samples with the last independent block. Of blocks that follow each
  other without a gap or lie further apart every one counts; where blocks overlap more, the rest is scored and neither
  counted, averaged nor learnt. Half: the powers of two Hann-windowed spectra that overlap by 50 % correlate by 1/36
  (Harris 1978, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform").
* **The expected step** is the median step between the latest blocks, never less than the interval that was promised.
* **An average over k blocks** takes in none that is older than `REACH` x k expected steps (or `horizon_s`, where that is
  less): after a gap the machine may be in another state, and the average starts anew.
* **Lived** time of a warm-up is the sum of its steps but for the gaps: steps longer than `REACH` expected ones (and the very
  first, where the sensor promises no interval that it could be held against).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb

from foreshock.detectors.constants import PACE_BLOCKS, REACH
from foreshock.detectors.ordering import sort


class Moment(NamedTuple):
    """When a block was taken, and what that says about those before it."""

    at_ns: int
    step_ns: int  # expected step, 0: not known
    limit_ns: int  # the setting `horizon_s`, 0: none


@nb.njit(cache=True, nogil=True)
def independent(latest_ns: int, at_ns: int, apart_ns: int) -> bool:
    """Whether a block counts beside the last one that did; a clock that was set back proves nothing."""
    return latest_ns < 0 or at_ns < latest_ns or at_ns - latest_ns >= apart_ns


@nb.njit(cache=True, nogil=True)
def expected_step(times: Any, pushed: int, promised_ns: int, steps: Any) -> int:
    """Median (the lower one) of the latest steps, at least `promised_ns`; 0 where neither is known.

    `times` is a ring that `pushed` times were put into, `steps` [PACE_BLOCKS] working memory.
    """
    ring = times.shape[0]
    count = min(pushed, ring, PACE_BLOCKS) - 1
    if count < 1:
        return promised_ns
    for back in range(count):
        steps[back] = times[(pushed - 1 - back) % ring] - times[(pushed - 2 - back) % ring]
    sort(steps[:count])
    return int(max(promised_ns, steps[(count - 1) // 2]))


@nb.njit(cache=True, nogil=True)
def related(times: Any, pushed: int, moment: Any, horizon: int) -> int:
    """How many of the blocks before this one an average over `horizon` blocks may take in."""
    count = min(pushed, horizon - 1)
    most = REACH * horizon * float(moment.step_ns)  # a float: decades times a long horizon do not fit an integer
    if moment.limit_ns > 0 and (most == 0.0 or moment.limit_ns < most):
        most = float(moment.limit_ns)
    if most <= 0.0:
        return count
    for back in range(1, count + 1):
        if moment.at_ns - times[(pushed - back) % times.shape[0]] > most:
            return back - 1
    return count


@nb.njit(cache=True, nogil=True)
def lived(latest_ns: int, at_ns: int, step_ns: int) -> int:
    """Time from the last block to this one as far as the sensor was watched; a gap counts nothing."""
    step = at_ns - latest_ns
    return step if latest_ns >= 0 and 0 < step <= REACH * float(step_ns) else 0
