"""What is kept of the tags of one measuring point: arrays of fixed size, whatever the rate of the rows.

Per tag, with 128 values of the row ring, five horizons of 60 bins, and four weeks of hours: 11 KB; the relations of 32
tags take 0.7 KB a tag more. The values of a state depend on the rows and their order only, not on how they were framed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

MOST_TAGS = 128
"""Tags of a frame that have features, the first ones: 1.5 MB of state."""
MOST_RELATED = 32
"""Tags that are held against each other, the first ones."""

WINDOW = 128
"""Values of a tag that rolling statistics are over."""
HORIZONS = {"10min": 600, "1h": 3_600, "8h": 28_800, "24h": 86_400, "7d": 604_800}
"""Seconds that slopes are over: a step, a shift, a day, a creeping change."""
BINS = 60
"""Means that a slope is through: a horizon is cut into so many bins, on the grid of UTC."""
HOURS = 4 * 7 * 24
"""Hourly means that the profiles are made from."""
REGIMES = 8
"""Operating conditions that are told apart."""

COUNT, MEAN, SQUARES, LEAST, MOST, STRANGE = range(6)
"""Columns of `ScalarState.window`; SQUARES: sum of squared deviations, STRANGE: values that are infinite."""
PAIR = 6
"""Columns of a pair: count, the two means, the two variances, the covariance; of windows that have both tags."""


class ScalarState(NamedTuple):
    """Per measuring point; the first axis is the slot."""

    at_ns: I64  # [slots, tags, WINDOW] times of the last values, in order of arrival
    value: F64  # [slots, tags, WINDOW]
    seen: I64  # [slots, tags] values so far
    window: F64  # [slots, tags, 6] of the values since the last vector
    bin_at_s: F64  # [slots, tags, horizons, BINS] mean time of the values of each bin that is complete
    bin_value: F64  # [slots, tags, horizons, BINS] their mean
    bins: I64  # [slots, tags, horizons] bins completed so far
    open_bin: I64  # [slots, tags, horizons] number of the bin that is being filled, -1 before the first
    open_sum: F64  # [slots, tags, horizons, 3] its values so far: count, sum of times after its start, sum
    slope: F64  # [slots, tags, horizons, 3] slope through the complete bins, and its interval
    sloped: npt.NDArray[np.uint8]  # [slots, tags, horizons] 1: there is one, 2: a bin was completed since
    hour: npt.NDArray[np.float32]  # [slots, tags, HOURS] means, NaN where there was nothing
    open_hour: I64  # [slots, tags] the hour that is being filled, -1 before the first
    hour_sum: F64  # [slots, tags, 2] count and mean
    own: F64  # [slots, related, 3] count, mean and variance of the means of windows
    pair: F64  # [slots, pairs, PAIR]
    centre: F64  # [slots, REGIMES, 2] speed and load of each operating condition
    weight: I64  # [slots, REGIMES] windows behind it, 0: none such
    top: F64  # [slots, 2] largest speed and load so far
    regime: (
        I64  # [slots, 4] the one that holds, the one that is sought, windows that sought it, time of the last change
    )
    sought: F64  # [slots, 2] mean of the windows that sought it
    drive: F64  # [slots, 5] speed and load since the last vector: count and mean of each; 1 where the load was stated
    due_ns: I64  # [slots] end of the window, -1 before the first row
    began_ns: I64  # [slots] first row of the window, -1: none yet
    offset: I64  # [slots] its input offset
    rows: I64  # [slots, 2] rows of the window, and how many of them are of the running machine
    last_ns: I64  # [slots] the newest row ...
    last: I64  # [slots, 3] ... its input offset, its place in the record, and its run state


class FieldOf(NamedTuple):
    """Shape and type of a field of a slot, and the value that it begins with."""

    shape: tuple[int, ...]
    dtype: type[np.generic]
    fill: float = 0.0


def fields(tags: int) -> dict[str, FieldOf]:
    """Fields of `ScalarState` for frames of so many tags, by name."""
    t, h = min(tags, MOST_TAGS), len(HORIZONS)
    related = min(t, MOST_RELATED)
    f64, i64 = np.float64, np.int64
    return {
        "at_ns": FieldOf((t, WINDOW), i64),
        "value": FieldOf((t, WINDOW), f64),
        "seen": FieldOf((t,), i64),
        "window": FieldOf((t, 6), f64),
        "bin_at_s": FieldOf((t, h, BINS), f64),
        "bin_value": FieldOf((t, h, BINS), f64),
        "bins": FieldOf((t, h), i64),
        "open_bin": FieldOf((t, h), i64, -1),
        "open_sum": FieldOf((t, h, 3), f64),
        "slope": FieldOf((t, h, 3), f64),
        "sloped": FieldOf((t, h), np.uint8),
        "hour": FieldOf((t, HOURS), np.float32, np.nan),
        "open_hour": FieldOf((t,), i64, -1),
        "hour_sum": FieldOf((t, 2), f64),
        "own": FieldOf((related, 3), f64),
        "pair": FieldOf((related * (related - 1) // 2, PAIR), f64),
        "centre": FieldOf((REGIMES, 2), f64),
        "weight": FieldOf((REGIMES,), i64),
        "top": FieldOf((2,), f64),
        "regime": FieldOf((4,), i64, -1),
        "sought": FieldOf((2,), f64),
        "drive": FieldOf((5,), f64),
        "due_ns": FieldOf((), i64, -1),
        "began_ns": FieldOf((), i64, -1),
        "offset": FieldOf((), i64, -1),
        "rows": FieldOf((2,), i64),
        "last_ns": FieldOf((), i64, -1),
        "last": FieldOf((3,), i64, -1),
    }


def create(slots: int, tags: int) -> ScalarState:
    """Make the empty state of some measuring points with so many tags."""
    return ScalarState(**{name: np.full((slots, *f.shape), f.fill, f.dtype) for name, f in fields(tags).items()})


def size(tags: int) -> int:
    """Bytes of one measuring point."""
    return sum(int(np.prod(f.shape, dtype=np.int64)) * np.dtype(f.dtype).itemsize for f in fields(tags).values())
