"""Novelty against a fixed baseline: distance of a feature vector from its neighbours among the warm-up vectors.

The residual to the local mean is averaged as a vector over several horizons before its norm is taken: noise cancels,
a bias stays. Each horizon is divided by the largest value that the warm-up itself showed, each of its blocks compared
with the others (leave one out).
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from foreshock.detectors import pace
from foreshock.detectors.constants import (
    BURN_IN,
    CLIP,
    HORIZON_FLOOR,
    HORIZONS,
    NEIGHBOURS,
    PACE_BLOCKS,
    RING,
    SCALE_FLOOR,
    SHORTAGE,
    TRANSIENT_SHARE,
)
from foreshock.detectors.ordering import median, sort

_HORIZONS = np.array(HORIZONS, np.int64)
_CLIP = np.float32(CLIP)
_FLOOR = np.float32(SCALE_FLOOR)
_MAD = np.float32(1.4826)  # median absolute deviation to standard deviation of a normal distribution


@nb.njit(cache=True, nogil=True)
def standardise(x: Any, centre: Any, scale: Any, z: Any) -> None:
    """Put a vector into units of the baseline: z = (x - centre) / scale, clipped."""
    for j in range(z.shape[0]):
        z[j] = min(max((x[j] - centre[j]) / scale[j], -_CLIP), _CLIP)


@nb.njit(cache=True, nogil=True)
def neighbours(memory: Any, stored: int, z: Any, skip: int, distance: Any, near: Any) -> int:
    """Indices of the nearest stored vectors into `near`, the nearest first; the count of them is returned.

    `memory` is [features, vectors]: the inner loop runs over vectors and needs no reordering of a sum to be fast.
    """
    for j in range(stored):
        distance[j] = 0.0
    for f in range(z.shape[0]):
        row, value = memory[f], z[f]
        for j in range(stored):
            d = row[j] - value
            distance[j] += d * d
    if skip >= 0:
        distance[skip] = np.inf
    wanted = min(NEIGHBOURS, stored - 1)
    for k in range(wanted):
        best = 0
        for j in range(1, stored):
            if distance[j] < distance[best]:
                best = j
        near[k] = best
        distance[best] = np.inf
    return wanted


@nb.njit(cache=True, nogil=True)
def residual(memory: Any, near: Any, count: int, z: Any, out: Any) -> None:
    """Subtract the mean of the `count` nearest vectors from z."""
    for f in range(z.shape[0]):
        total = np.float32(0.0)
        for k in range(count):
            total += memory[f, near[k]]
        out[f] = z[f] - total / np.float32(count)


@nb.njit(cache=True, nogil=True)
def average(ring: Any, pushed: int, latest: Any, before: int, out: Any) -> int:
    """Mean of `latest` and the `before` residuals before it into `out`; the count averaged is returned."""
    count = before + 1
    for f in range(out.shape[0]):
        out[f] = latest[f]
    for back in range(1, count):
        row = ring[(pushed - back) % RING]
        for f in range(out.shape[0]):
            out[f] += row[f]
    for f in range(out.shape[0]):
        out[f] /= np.float32(count)
    return count


@nb.njit(cache=True, nogil=True)
def norm(mean: Any, count: int, horizon: int) -> float:
    """Root mean square over features; an average of too few blocks is shrunk to what a full one would show of noise."""
    total = 0.0
    for f in range(mean.shape[0]):
        total += float(mean[f]) * float(mean[f])
    return float(np.sqrt(total / mean.shape[0]) * np.sqrt(min(count, horizon) / horizon))


@nb.njit(cache=True, nogil=True)
def push(ring: Any, pushed: int, latest: Any) -> None:
    """Keep a residual for the averages to come."""
    place = pushed % RING
    for f in range(latest.shape[0]):
        ring[place, f] = latest[f]


@nb.njit(cache=True, nogil=True)
def exceedance(ring: Any, pushed: int, latest: Any, before: Any, largest: Any, mean: Any) -> tuple[float, int]:
    """Largest ratio over the horizons of the norm to the warm-up's largest, and which horizon it was.

    `before` [horizons] says how many residuals each average takes in beside the latest.
    """
    worst, which = -1.0, 0
    for k in range(_HORIZONS.shape[0]):
        count = average(ring, pushed, latest, before[k], mean)
        ratio = norm(mean, count, _HORIZONS[k]) / largest[k]
        if ratio > worst:
            worst, which = ratio, k
    return worst, which


@nb.njit(cache=True, nogil=True)
def robust_scale(memory: Any, stored: int, centre: Any, scale: Any, shared: bool) -> None:
    """Median and scaled median absolute deviation of each feature; a shared (fleet) scale leaves 1."""
    values = np.empty(stored, np.float32)
    for f in range(memory.shape[0]):
        for j in range(stored):
            values[j] = memory[f, j]
        middle = np.float32(median(values))
        for j in range(stored):
            values[j] = abs(values[j] - middle)
        centre[f] = middle
        scale[f] = np.float32(1.0) if shared else max(_MAD * np.float32(median(values)), _FLOOR)
        for j in range(stored):
            memory[f, j] = min(max((memory[f, j] - middle) / scale[f], -_CLIP), _CLIP)


@nb.njit(cache=True, nogil=True)
def but_few(norms: Any, k: int) -> float:
    """Largest norm of horizon `k` but for one in `TRANSIENT_SHARE`: a warm-up may straddle a start or a change of load."""
    values = np.empty(norms.shape[0] - BURN_IN, norms.dtype)
    for i in range(values.shape[0]):
        values[i] = norms[BURN_IN + i, k]
    sort(values)
    return float(values[values.shape[0] - 1 - values.shape[0] // TRANSIENT_SHARE])


@nb.njit(cache=True, nogil=True)
def bound(out: Any, most: float) -> None:
    """Shrink a residual to a norm of at most `most`: one odd block must not fill the averages of the next sixteen."""
    size = norm(out, 1, 1)
    if size > most:
        for f in range(out.shape[0]):
            out[f] *= np.float32(most / size)


@nb.njit(cache=True, nogil=True)
def leave_one_out(memory: Any, when: Any, stored: int, limit_ns: int, ring: Any, largest: Any, norms: Any) -> None:
    """Norms [vectors, horizons] of the warm-up, each vector against the others in order of time, and their largest.

    Leaves the last residuals in `ring`, so that averages run on from the warm-up. `when` are the times of the vectors.
    """
    features = memory.shape[0]
    z, every = np.empty(features, np.float32), np.empty((stored, features), np.float32)
    mean, near = np.empty(features, np.float32), np.empty(NEIGHBOURS, np.int64)
    distance, steps = np.empty(stored, np.float32), np.empty(PACE_BLOCKS, np.int64)
    shortage = 1.0 + SHORTAGE / (stored * stored)
    for i in range(stored):
        for f in range(features):
            z[f] = memory[f, i]
        count = neighbours(memory, stored, z, i, distance, near)
        residual(memory, near, count, z, every[i])
        norms[i, 0] = norm(every[i], 1, 1)
    largest[0] = max(but_few(norms, 0) * shortage, 1e-6)
    for i in range(stored):
        moment = pace.Moment(when[i], pace.expected_step(when, i, 0, steps), limit_ns)
        for k in range(1, _HORIZONS.shape[0]):
            before = pace.related(when, i, moment, _HORIZONS[k])
            norms[i, k] = norm(mean, average(ring, i, every[i], before, mean), _HORIZONS[k])
        bound(every[i], largest[0])
        push(ring, i, every[i])
    for k in range(1, _HORIZONS.shape[0]):
        raised = but_few(norms, k) * shortage
        largest[k] = max(raised, HORIZON_FLOOR * largest[0] / np.sqrt(_HORIZONS[k]))
