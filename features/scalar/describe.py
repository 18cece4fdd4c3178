"""The features of a measuring point at the end of a window, from its state, and the taking in of that window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from foreshock.features import masks
from foreshock.features.scalar import profile, regimes, relations, slopes, statistics
from foreshock.features.scalar.declared import MOST_PAIRED, PER_POINT, PER_TAG
from foreshock.features.scalar.state import (
    BINS,
    COUNT,
    HORIZONS,
    LEAST,
    MEAN,
    MOST,
    SQUARES,
    STRANGE,
    WINDOW,
    ScalarState,
)
from foreshock.vocabulary import MaskReason

_HORIZONS_S = np.array(list(HORIZONS.values()), np.float64)
_COLUMN = {each.name: k for k, each in enumerate(PER_TAG)}
_SLOPES, _PROFILE, _RELATED = _COLUMN["slope_10min"], _COLUMN["day_expected"], _COLUMN["strongest"]
_ABSENT = masks.code_of(MaskReason.CHANNEL_ABSENT)
_CHANGED = masks.code_of(MaskReason.RATE_CHANGED)
_CONSTANT = masks.code_of(MaskReason.CONSTANT)
_FEW = masks.code_of(MaskReason.TOO_FEW_ROWS)
_NOT_FINITE = masks.code_of(MaskReason.NOT_FINITE)
_NOT_RUNNING = masks.code_of(MaskReason.NOT_RUNNING)
_NO_SPEED = masks.code_of(MaskReason.NO_SPEED)
_WHY = np.array([0, _FEW, _CONSTANT, _ABSENT], np.uint8)  # by the codes of `relations`
_STALE = 3.0  # a tag is there for so many of its intervals


F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]


class Described(NamedTuple):
    """One vector."""

    values: npt.NDArray[np.float64]
    """[columns] as `declared.columns` names them; 0 where masked."""
    masks: npt.NDArray[np.uint8]
    """[columns] codes of `features.masks`; 0 where there is a value."""


@njit(cache=True, nogil=True)
def _newest(at_ns: Any, value: Any, seen: int, window: Any, out: Any, mask: Any) -> None:
    """Statistics of the newest values, of a tag that is there."""
    values, times, n = statistics.in_order(value, seen), statistics.in_order(at_ns, seen), min(seen, WINDOW)
    out[0], out[1] = values[n - 1], window[COUNT]
    out[2], ratio = statistics.intervals(times)
    if out[2] == 0.0:
        mask[2] = _FEW
    elif ratio > statistics.RATE_RATIO:
        mask[2] = _CHANGED
    if window[COUNT] > 0.0:
        out[3], out[5], out[6] = window[MEAN], window[LEAST], window[MOST]
        out[4] = math.sqrt(max(0.0, window[SQUARES] / window[COUNT]))
        mask[4] = _FEW if window[COUNT] < 2.0 else 0
    else:
        mask[3:7] = _FEW
    statistics.rolling(values, out[7:13])
    if n < 2:
        mask[8] = mask[12] = mask[13] = mask[14] = mask[15] = _FEW
        return
    out[13] = statistics.robust_z(values)
    if not math.isfinite(out[13]):
        mask[13] = _FEW if n <= statistics.LEAST_BEFORE else _CONSTANT
    out[14] = values[n - 1] - values[n - 2]
    out[15] = out[14] / ((times[n - 1] - times[n - 2]) * 1e-9)


@njit(cache=True, nogil=True)
def _trends(rings: Any, bins: Any, open_bin: Any, slope: Any, sloped: Any, out: Any, mask: Any) -> None:
    """Slopes of all horizons of a tag; computed anew only where a bin was completed."""
    for h in range(_HORIZONS_S.shape[0]):
        if sloped[h] == 2:
            now_s = open_bin[h] * (_HORIZONS_S[h] / BINS)
            found = slopes.of_bins(rings[0][h], rings[1][h], bins[h], now_s, _HORIZONS_S[h], slope[h])
            sloped[h] = 1 if found else 0
        if sloped[h] == 1:
            out[3 * h : 3 * h + 3] = slope[h]
        else:
            mask[3 * h : 3 * h + 3] = _FEW


@njit(cache=True, nogil=True)
def _profile(hour: Any, open_hour: int, at_ns: int, value: float, out: Any, mask: Any) -> None:
    """Daily and weekly profile, and what a tag deviates from them."""
    for k in range(2):
        period = profile.DAY if k == 0 else profile.WEEK
        least = profile.LEAST_DAYS if k == 0 else profile.LEAST_WEEKS
        usual = profile.usual(hour, open_hour, at_ns, period, least)
        if math.isnan(usual):
            mask[2 * k : 2 * k + 2] = _FEW
        else:
            out[2 * k], out[2 * k + 1] = usual, value - usual


@njit(cache=True, nogil=True)
def _related(own: Any, pairs: Any, x: Any, out: Any, mask: Any) -> None:
    """Relations of the tags [related, 5]: strongest correlation, and what the others make of each."""
    n = x.shape[0]
    found, why = np.zeros((n, 4)), np.zeros(n, np.int64)
    relations.given_others(own, pairs, x, found, why)
    for i in range(n):
        strongest = 0.0
        for j in range(n):
            if i != j:
                r = relations.correlation(pairs[relations.place(i, j)])
                strongest = r if abs(r) > abs(strongest) else strongest  # false for NaN
        out[i, 0], out[i, 1:] = strongest, found[i]
        mask[i, 1:] = _WHY[why[i]]
        if strongest == 0.0:
            mask[i, 0] = _WHY[why[i]] if why[i] else _FEW


@njit(cache=True, nogil=True)
def _pairs(pairs: Any, out: Any, mask: Any) -> None:
    """Correlations of the first pairs."""
    for k in range(out.shape[0]):
        out[k] = relations.correlation(pairs[k])
        if math.isnan(out[k]):
            mask[k] = _FEW if pairs[k, 0] < relations.LEAST_WINDOWS else _CONSTANT


def _means(state: ScalarState, slot: int) -> npt.NDArray[np.float64]:
    """Means of the window of the tags that are held against each other, NaN where a tag has none."""
    window = state.window[slot, : state.own.shape[1]]
    return np.where(window[:, COUNT] > 0.0, window[:, MEAN], math.nan)


def _tag(state: ScalarState, slot: int, j: int, every_ns: int, out: F64, mask: U8) -> None:
    """Features of one tag but for its relations, which the rows already hold where the machine runs."""
    at, window, seen, at_ns = (slot, j), state.window[slot, j], int(state.seen[slot, j]), int(state.last_ns[slot])
    times = state.at_ns[at]
    interval_s = statistics.intervals(statistics.in_order(times, seen))[0] if seen else 0.0
    patience_ns = max(every_ns, _STALE * interval_s * 1e9)
    if not seen or at_ns - int(times[(seen - 1) % WINDOW]) >= patience_ns:
        mask[:] = _NOT_FINITE if window[STRANGE] else _ABSENT
        return
    _newest(times, state.value[at], seen, window, out, mask)
    if state.rows[slot, 1] < state.rows[slot, 0]:
        mask[_SLOPES:] = _NOT_RUNNING
        return
    part = slice(_SLOPES, _PROFILE)
    rings = state.bin_at_s[at], state.bin_value[at]
    _trends(rings, state.bins[at], state.open_bin[at], state.slope[at], state.sloped[at], out[part], mask[part])
    part, began_ns = slice(_PROFILE, _RELATED), int(state.began_ns[slot])
    value = float(window[MEAN] if window[COUNT] else out[0])
    middle_ns = began_ns + (at_ns - began_ns) // 2
    _profile(state.hour[at], int(state.open_hour[at]), middle_ns, value, out[part], mask[part])


def operating(state: ScalarState, slot: int) -> tuple[float, float] | None:
    """Mean speed and load of a window, 0 for one that is not known; None where neither is."""
    drive = state.drive[slot]
    if drive[0] == 0.0 and drive[2] == 0.0:
        return None
    return float(drive[1]), float(drive[3])


def _point(state: ScalarState, slot: int, out: npt.NDArray[np.float64], mask: npt.NDArray[np.uint8]) -> None:
    """Speed, load, and the operating condition, found from the windows before."""
    drive, at = state.drive[slot], operating(state, slot)
    out[0], out[1] = drive[1], drive[3]
    mask[0], mask[1] = (0 if drive[0] else _NO_SPEED), (0 if drive[2] and drive[4] else _ABSENT)
    if state.rows[slot, 1] < state.rows[slot, 0]:
        mask[2:] = _NOT_RUNNING
    elif at is None:
        mask[2:] = _NO_SPEED
    else:
        out[2], out[3] = regimes.look(state, slot, at)
        out[4] = regimes.age_s(state, slot, int(state.last_ns[slot]))
        mask[2:] = _FEW if out[2] < 0 else 0


def describe(state: ScalarState, slot: int, every_ns: int) -> Described:
    """Features of a measuring point over the rows since its last vector; at least one was folded in.

    Slopes are cached in the state; nothing else of it changes.

    Parameters
    ----------
    every_ns : int
        Source time from vector to vector: a tag without a value for longer than that, and three of its intervals, is absent.
    """
    tags, paired = state.seen.shape[1], min(state.seen.shape[1], MOST_PAIRED)
    per_tag, pairs = len(PER_TAG), paired * (paired - 1) // 2
    values = np.zeros(tags * per_tag + pairs + len(PER_POINT))
    codes = np.zeros(len(values), np.uint8)
    ends = tags * per_tag, tags * per_tag + pairs
    own, mask = values[: ends[0]].reshape(tags, per_tag), codes[: ends[0]].reshape(tags, per_tag)
    known = state.own.shape[1]
    related, why = np.zeros((known, per_tag - _RELATED)), np.zeros((known, per_tag - _RELATED), np.uint8)
    _related(
        state.own[slot], state.pair[slot], _means(state, slot), related, why
    )  # rows of their own: one kernel for all
    own[:known, _RELATED:], mask[:known, _RELATED:] = related, why
    mask[known:, _RELATED:] = _ABSENT  # beyond those that are held against each other
    for j in range(tags):
        _tag(state, slot, j, every_ns, own[j], mask[j])
    _pairs(state.pair[slot], values[ends[0] : ends[1]], codes[ends[0] : ends[1]])
    _point(state, slot, values[ends[1] :], codes[ends[1] :])
    codes[~np.isfinite(values) & (codes == 0)] = _NOT_FINITE
    values[codes != 0] = 0.0
    return Described(values, codes)


def close(state: ScalarState, slot: int) -> None:
    """Take in the window that was described: relations and operating condition learn from it, and the next one begins."""
    at = operating(state, slot)
    if state.rows[slot, 0] == state.rows[slot, 1]:
        if at is not None:
            regimes.follow(state, slot, at, int(state.last_ns[slot]))
        relations.learn(state.own[slot], state.pair[slot], _means(state, slot))
    state.window[slot] = 0.0
    state.drive[slot] = 0.0
    state.rows[slot] = 0
    state.began_ns[slot] = state.offset[slot] = -1


def relate(old: ScalarState, new: ScalarState, both: Sequence[tuple[int, int]]) -> None:
    """Copy what is known of tags and pairs of tags from one state to another.

    Parameters
    ----------
    both
        Places in `old` and in `new` of the tags that both have.
    """
    most = old.own.shape[1], new.own.shape[1]
    known = [(i, k) for i, k in both if i < most[0] and k < most[1]]
    for i, k in known:
        new.own[0, k] = old.own[0, i]
        for i2, k2 in known:
            if k2 < k:
                pair = old.pair[0, relations.place(i, i2)]
                turned = (i2 < i) != (k2 < k)
                new.pair[0, relations.place(k, k2)] = pair[[0, 2, 1, 4, 3, 5]] if turned else pair
