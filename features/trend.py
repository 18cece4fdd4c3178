"""Rolling least-squares slope of many series at once, at constant cost for each new value.

A series is whatever has a history of its own: a feature of an asset, a tag of a frame. Its last `horizon` values stand
in a ring beside four sums; a new value adds to the sums what comes and takes off what leaves. Each time the ring has
gone round, the sums are made anew from it, so that rounding cannot pile up.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit


class TrendState(NamedTuple):
    """Rings and sums of many series; changed in place by `update`."""

    times: npt.NDArray[np.float64]
    """[series, horizon], seconds."""
    values: npt.NDArray[np.float64]
    """[series, horizon]."""
    seen: npt.NDArray[np.int64]
    """Values taken in so far [series]."""
    origin: npt.NDArray[np.float64]
    """Time and value the sums are relative to [series, 2]."""
    sums: npt.NDArray[np.float64]
    """Of t, t*t, x, t*x [series, 4]."""

    @property
    def horizon(self) -> int:
        """Values a slope is made of."""
        return int(self.times.shape[1])


def create(series: int, horizon: int) -> TrendState:
    """Make the empty state of `series` series with a horizon of at least two values.

    Raises
    ------
    ValueError
        If a slope over `horizon` values does not exist.
    """
    if horizon < 2:
        raise ValueError(f"a slope needs a horizon of at least 2 values, not {horizon}")
    return TrendState(
        np.zeros((series, horizon)),
        np.zeros((series, horizon)),
        np.zeros(series, np.int64),
        np.zeros((series, 2)),
        np.zeros((series, 4)),
    )


def grow(state: TrendState, series: int) -> TrendState:
    """Give a state with room for `series` series, the first ones as they were."""
    larger = create(series, state.horizon)
    for new, old in zip(larger, state, strict=True):
        new[: len(old)] = old
    return larger


@njit(cache=True, nogil=True)
def _sum_anew(state: TrendState, s: int, count: int) -> None:
    """Make the sums of one series from its ring, relative to its oldest value."""
    horizon = state.times.shape[1]
    oldest = state.seen[s] % horizon if count == horizon else 0
    t0, x0 = state.times[s, oldest], state.values[s, oldest]
    state.origin[s, 0] = t0
    state.origin[s, 1] = x0
    state.sums[s] = 0.0
    for k in range(count):
        t, x = state.times[s, k] - t0, state.values[s, k] - x0
        state.sums[s, 0] += t
        state.sums[s, 1] += t * t
        state.sums[s, 2] += x
        state.sums[s, 3] += t * x


@njit(cache=True, nogil=True)
def _take_in(state: TrendState, s: int, at_s: float, value: float) -> float:
    """Fold one value into series `s` and give its slope."""
    horizon = state.times.shape[1]
    seen = state.seen[s]
    k = seen % horizon
    t0, x0 = state.origin[s, 0], state.origin[s, 1]
    if seen >= horizon:
        t, x = state.times[s, k] - t0, state.values[s, k] - x0
        state.sums[s, 0] -= t
        state.sums[s, 1] -= t * t
        state.sums[s, 2] -= x
        state.sums[s, 3] -= t * x
    state.times[s, k] = at_s
    state.values[s, k] = value
    state.seen[s] = seen + 1
    count = min(seen + 1, horizon)
    if k == 0:
        _sum_anew(state, s, count)
    else:
        t, x = at_s - t0, value - x0
        state.sums[s, 0] += t
        state.sums[s, 1] += t * t
        state.sums[s, 2] += x
        state.sums[s, 3] += t * x
    spread = state.sums[s, 1] - state.sums[s, 0] * state.sums[s, 0] / count
    if count < 2 or spread <= 0.0:
        return 0.0
    return float((state.sums[s, 3] - state.sums[s, 0] * state.sums[s, 2] / count) / spread)


@njit(cache=True, nogil=True)
def _update(
    state: TrendState,
    series: npt.NDArray[np.int64],
    at_s: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    least: int,
    out: npt.NDArray[np.float64],
) -> None:
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            s = series[i, j]
            slope = _take_in(state, s, at_s[i], values[i, j])
            out[i, j] = slope if state.seen[s] >= least else np.nan


def update(
    state: TrendState,
    series: npt.NDArray[np.int64],
    at_s: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    least: int = 1,
) -> npt.NDArray[np.float64]:
    """Fold rows of values into their series, in order, and give the slope of each after it.

    The slope is sum (t - mean t)(x - mean x) / sum (t - mean t)**2 over the last `horizon` values of the series.

    Parameters
    ----------
    state : TrendState
        Changed in place.
    series : int64 [rows, columns]
        Which series each value belongs to.
    at_s : float64 [rows]
        Time of each row in seconds; not decreasing within a series.
    values : float64 [rows, columns]
        Finite.
    least : int
        Values of a series before it has a slope.

    Returns
    -------
    float64 [rows, columns]
        In the unit of the values per second; NaN while a series has fewer than `least` values, 0 while it has one value or
        no time has passed.
    """
    out = np.empty(values.shape, np.float64)
    _update(state, series, at_s, values, least, out)
    return out
