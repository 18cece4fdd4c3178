"""Features of scalar telemetry: what a value is against the last rows of its own tag.

Each tag of each asset is a series with a ring of its last `WINDOW` values. A row is described from the state that the
rows before it left, then taken in; so the result depends on the order of the rows only, not on how they were framed.
A value that is missing (NaN) leaves its series as it is and repeats what is known.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

WINDOW = 128
HORIZONS = (8, 32, 128)
"""Rows of the slopes: a step, a drift within a shift, a creeping change."""
MAD_TO_SIGMA = 1.4826
Z_LIMIT = 30.0
SCALE_FLOOR = 1e-6
"""Smallest scale of the robust z as a share of the median's magnitude, so that a constant tag has a finite z."""

FEATURES = ("value", "mean", "std", "min", "max", "robust_z", "difference", *(f"slope_{h}" for h in HORIZONS))


class SeriesState(NamedTuple):
    """Rings of many series; changed in place by `update`."""

    times: npt.NDArray[np.float64]
    """[series, WINDOW], seconds."""
    values: npt.NDArray[np.float64]
    """In order of arrival [series, WINDOW]."""
    ordered: npt.NDArray[np.float64]
    """The same, sorted [series, WINDOW]."""
    seen: npt.NDArray[np.int64]
    """Values taken in so far [series]."""
    last: npt.NDArray[np.float64]
    """Features of the last value [series, features]."""


def names(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Column names for these tags: all features of the first tag, then of the next; ``slope_32[temperature]``."""
    return tuple(f"{feature}[{tag}]" for tag in tags for feature in FEATURES)


def create(series: int) -> SeriesState:
    """Make the empty state of `series` series: 3.2 KB each."""

    def ring() -> npt.NDArray[np.float64]:
        return np.zeros((series, WINDOW))

    return SeriesState(ring(), ring(), ring(), np.zeros(series, np.int64), np.zeros((series, len(FEATURES))))


def grow(state: SeriesState, series: int) -> SeriesState:
    """Give a state with room for `series` series, the first ones as they were."""
    larger = create(series)
    for new, old in zip(larger, state, strict=True):
        new[: len(old)] = old
    return larger


@njit(cache=True, nogil=True)
def _robust_z(ordered: npt.NDArray[np.float64], count: int, value: float) -> float:
    """Distance of `value` from the median of the values so far, in units of their scaled median absolute deviation.

    The median absolute deviation is found by walking outwards from the median of the sorted values.
    """
    middle = count // 2
    median = ordered[middle] if count % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])
    low, high = middle - 1, middle
    smaller = larger = 0.0  # the two deviations in the middle, once the walk is over
    for _ in range(middle + 1):
        below = median - ordered[low] if low >= 0 else math.inf
        above = ordered[high] - median if high < count else math.inf
        smaller = larger
        if below < above:
            larger = below
            low -= 1
        else:
            larger = above
            high += 1
    deviation = larger if count % 2 else 0.5 * (smaller + larger)
    scale = max(MAD_TO_SIGMA * deviation, SCALE_FLOOR * abs(median), 1e-30)
    return float(min(Z_LIMIT, max(-Z_LIMIT, (value - median) / scale)))


@njit(cache=True, nogil=True)
def _insert(ordered: npt.NDArray[np.float64], count: int, value: float) -> None:
    """Put `value` in its place among the first `count` sorted values."""
    k = count
    while k > 0 and ordered[k - 1] > value:
        ordered[k] = ordered[k - 1]
        k -= 1
    ordered[k] = value


@njit(cache=True, nogil=True)
def _remove(ordered: npt.NDArray[np.float64], count: int, value: float) -> None:
    """Take one `value` out of the first `count` sorted values."""
    k = int(np.searchsorted(ordered[:count], value))
    for i in range(k, count - 1):
        ordered[i] = ordered[i + 1]


@njit(cache=True, nogil=True)
def _slope(state: SeriesState, s: int, rows: int) -> float:
    """Least-squares slope per second over the last `rows` values, relative to the newest."""
    newest = state.seen[s] - 1
    t0, x0 = state.times[s, newest % WINDOW], state.values[s, newest % WINDOW]
    st = stt = sx = stx = 0.0
    for back in range(rows):
        k = (newest - back) % WINDOW
        t, x = state.times[s, k] - t0, state.values[s, k] - x0
        st += t
        stt += t * t
        sx += x
        stx += t * x
    spread = stt - st * st / rows
    return (stx - st * sx / rows) / spread if spread > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _take_in(state: SeriesState, s: int, at_s: float, value: float) -> None:
    """Describe one value by its series, then fold it in."""
    seen = state.seen[s]
    out, ordered = state.last[s], state.ordered[s]
    count = min(seen, WINDOW)
    out[5] = _robust_z(ordered, count, value) if count else 0.0
    out[6] = value - out[0] if seen else 0.0
    out[0] = value
    k = seen % WINDOW
    if seen >= WINDOW:
        _remove(ordered, WINDOW, state.values[s, k])
        count -= 1
    _insert(ordered, count, value)
    count += 1
    state.times[s, k] = at_s
    state.values[s, k] = value
    state.seen[s] = seen + 1
    total = squares = 0.0
    for i in range(count):
        deviation = ordered[i] - value
        total += deviation
        squares += deviation * deviation
    out[1] = value + total / count
    out[2] = math.sqrt(max(0.0, squares / count - (total / count) ** 2))
    out[3] = ordered[0]
    out[4] = ordered[count - 1]
    for h in range(len(HORIZONS)):
        out[7 + h] = _slope(state, s, min(count, HORIZONS[h]))


@njit(cache=True, nogil=True)
def _update(
    state: SeriesState,
    series: npt.NDArray[np.int64],
    at_s: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    out: npt.NDArray[np.float32],
) -> None:
    width = state.last.shape[1]
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            s = series[i, j]
            if math.isfinite(values[i, j]):
                _take_in(state, s, at_s[i], values[i, j])
            else:
                state.last[s, 6] = 0.0
            for f in range(width):
                out[i, j * width + f] = np.float32(state.last[s, f])


def update(
    state: SeriesState,
    series: npt.NDArray[np.int64],
    at_s: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Fold rows of tags into their series, in order, and give the features of each row.

    Of the last 128 values of a tag, this one included: mean, standard deviation, smallest, largest. Against the values
    before this one: (value - median) / (1.4826 median absolute deviation) within +-30, and the difference from the
    last. Slopes are least squares over the last 8, 32 and 128 values.

    Parameters
    ----------
    state : SeriesState
        Changed in place.
    series : int64 [rows, tags]
        Which series each value belongs to.
    at_s : float64 [rows]
        Time of each row in seconds.
    values : float64 [rows, tags]
        In SI; NaN where missing.

    Returns
    -------
    float32 [rows, tags * features]
        In the order of `names`. All zero for a series that has no value yet.
    """
    out = np.empty((values.shape[0], values.shape[1] * len(FEATURES)), np.float32)
    _update(state, series, at_s, values, out)
    return out
