"""Rows of tags go into the state of their measuring point, in order, up to the next vector that is due.

Vectors are due on a grid of source time: after the first row at or past the end of each `every_ns`, that row included. So
rows that come less often have a vector each. After a gap of more than `every_ns` the window before it ends first. The grid
has a phase, so that not all machines of a plant have theirs at once.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from foreshock.features.scalar.state import (
    BINS,
    COUNT,
    HORIZONS,
    HOURS,
    LEAST,
    MEAN,
    MOST,
    SQUARES,
    STRANGE,
    WINDOW,
    ScalarState,
)
from foreshock.vocabulary import RunState

HOUR_NS = 3_600_000_000_000
RUN_STATES = (RunState.STOPPED, RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
RUNNING = RUN_STATES.index(RunState.RUNNING)
_WIDTH_NS = np.array([seconds * 1_000_000_000 // BINS for seconds in HORIZONS.values()], np.int64)


class Rows(NamedTuple):
    """Rows of a batch, in input order."""

    slot: npt.NDArray[np.int64]  # [rows] of their measuring point; -1: nothing is kept of it
    at_ns: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]  # of the record in its partition
    row: npt.NDArray[np.int64]  # place in the record
    x: npt.NDArray[np.float64]  # [rows, tags] in SI, NaN where missing
    run: npt.NDArray[np.int64]  # run state by `RUN_STATES`; slopes, profiles and relations are of the running machine
    speed: npt.NDArray[np.float64]  # in Hz, NaN where unknown
    load: npt.NDArray[np.float64]  # as a share of the rated load, or what follows the load in its own unit
    stated: npt.NDArray[np.uint8]  # 1: a share of the rated load


@njit(cache=True, nogil=True)
def _window(window: Any, value: float) -> None:
    """Fold a value into count, mean, squared deviations and extremes (Welford 1962)."""
    count = window[COUNT] + 1.0
    deviation = value - window[MEAN]
    window[LEAST] = value if count == 1.0 else min(value, window[LEAST])
    window[MOST] = value if count == 1.0 else max(value, window[MOST])
    window[COUNT] = count
    window[MEAN] += deviation / count
    window[SQUARES] += deviation * (value - window[MEAN])


@njit(cache=True, nogil=True)
def _bins(state: Any, s: int, j: int, at_ns: int, value: float) -> None:
    """Fold a value into the bins of all horizons; a bin is complete with the first value after it."""
    for h in range(_WIDTH_NS.shape[0]):
        width, open_sum = _WIDTH_NS[h], state.open_sum[s, j, h]
        number, before = at_ns // width, state.open_bin[s, j, h]
        if number != before:
            if before >= 0:
                k = state.bins[s, j, h] % BINS
                state.bin_at_s[s, j, h, k] = before * (width * 1e-9) + open_sum[1] / open_sum[0]
                state.bin_value[s, j, h, k] = open_sum[2] / open_sum[0]
                state.bins[s, j, h] += 1
                state.sloped[s, j, h] = 2
            state.open_bin[s, j, h] = number
            open_sum[:] = 0.0
        open_sum[0] += 1.0
        open_sum[1] += (at_ns - number * width) * 1e-9
        open_sum[2] += (
            value  # sums, not running means: equal values have equal means, and ties count in Kendall's variance
        )


@njit(cache=True, nogil=True)
def _hours(state: Any, s: int, j: int, at_ns: int, value: float) -> None:
    """Fold a value into the mean of its hour; hours without any value are left empty."""
    number, before, total = at_ns // HOUR_NS, state.open_hour[s, j], state.hour_sum[s, j]
    if number != before:
        if before >= 0:
            state.hour[s, j, before % HOURS] = total[1]
            for missing in range(before + 1, min(number, before + HOURS)):
                state.hour[s, j, missing % HOURS] = np.nan
        state.open_hour[s, j] = number
        state.hour[s, j, number % HOURS] = np.nan
        total[:] = 0.0
    total[0] += 1.0
    total[1] += (value - total[1]) / total[0]


@njit(cache=True, nogil=True)
def _drive(state: Any, s: int, speed: float, load: float, stated: int) -> None:
    """Fold speed and load into their means over the window, and note the largest ones."""
    drive = state.drive[s]
    drive[4] = stated
    for k in range(2):
        value = speed if k == 0 else load
        if math.isfinite(value):
            drive[2 * k] += 1.0
            drive[2 * k + 1] += (value - drive[2 * k + 1]) / drive[2 * k]
            state.top[s, k] = max(state.top[s, k], abs(value))


@njit(cache=True, nogil=True)
def _row(state: Any, rows: Any, i: int) -> None:
    s, at_ns = rows.slot[i], rows.at_ns[i]
    if state.began_ns[s] < 0:
        state.began_ns[s] = at_ns
        state.offset[s] = rows.offset[i]
    state.last_ns[s] = at_ns
    state.rows[s, 0] += 1
    running = rows.run[i] == RUNNING
    state.rows[s, 1] += 1 if running else 0
    state.last[s, 0] = rows.offset[i]
    state.last[s, 1] = rows.row[i]
    state.last[s, 2] = rows.run[i]
    _drive(state, s, rows.speed[i], rows.load[i], rows.stated[i])
    for j in range(state.seen.shape[1]):
        value = rows.x[i, j]
        if math.isfinite(value):
            k = state.seen[s, j] % WINDOW
            state.at_ns[s, j, k] = at_ns
            state.value[s, j, k] = value
            state.seen[s, j] += 1
            _window(state.window[s, j], value)
            if running:
                _bins(state, s, j, at_ns, value)
                _hours(state, s, j, at_ns, value)
        elif math.isinf(value):
            state.window[s, j, STRANGE] += 1.0


@njit(cache=True, nogil=True)
def _fold(state: Any, rows: Any, every_ns: int, phase_ns: int, first: int, last: int) -> tuple[int, bool]:
    for i in range(first, last):
        s = rows.slot[i]
        if s < 0 or rows.at_ns[i] <= state.last_ns[s]:
            continue
        if state.rows[s, 0] > 0 and rows.at_ns[i] - state.last_ns[s] > every_ns:
            return i, False
        due_ns = ((rows.at_ns[i] - phase_ns) // every_ns + 1) * every_ns + phase_ns  # the next one after the row
        if state.due_ns[s] < 0:
            state.due_ns[s] = due_ns
        _row(state, rows, i)
        if rows.at_ns[i] >= state.due_ns[s]:
            state.due_ns[s] = due_ns
            return i, True
    return last, False


def fold(state: ScalarState, rows: Rows, every_ns: int, first: int, last: int, phase_ns: int = 0) -> tuple[int, bool]:
    """Fold rows `first` to `last` - 1 in, up to a vector that is due.

    A row that is not after the newest one of its measuring point is left out.

    Parameters
    ----------
    state : ScalarState
        Changed in place.
    every_ns : int
        Source time from vector to vector.
    phase_ns : int
        Of their grid: 0 is that of UTC.

    Returns
    -------
    row : int
        The row at which a vector of its slot is due, `last` for none. Describe it, take it in with `learn.close`, and go on ...
    included : bool
        ... after this row where it is folded in; with it where it comes after a gap, and the vector is of those before.
    """
    row, included = _fold(state, rows, every_ns, phase_ns, first, last)
    return int(row), bool(included)
