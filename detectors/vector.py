"""Rows of scalar tags against their own warm-up: robust z, averaged as a vector over several horizons of rows.

A first form of the vector recipe: centre = median, scale = max(1.4826 MAD, half a standard deviation) of each tag over
the warm-up; the root mean square over tags of the mean z of the last 5, 10, 20, 40 rows, each divided by its own 99 %
quantile in the warm-up, or by what is foreseen for noise (`detectors.foresight`); the score is their geometric mean.
The baseline is not learnt from after the warm-up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from foreshock.detectors import calibrate, episodes, foresight, pace, vector_undo
from foreshock.detectors.alarm_state import load_alarm, save_alarm
from foreshock.detectors.constants import HEALTHY, PACE_BLOCKS
from foreshock.detectors.ordering import median, sort
from foreshock.detectors.slots import Field
from foreshock.detectors.waveform_state import IN_ALARM, LEARNT, ORDERED, SCORED, SUSPICIOUS, WARMING

HORIZONS = (5, 10, 20, 40)  # rows: steps, drifts
LONGEST = 40
ROWS = 512  # rows of the warm-up that the baseline is taken from, the newest: 4 KB a tag
SETTLING = 20  # rows at the start of a long warm-up that centre and scale leave out: start-up of the machine
CLIP = 10.0  # in scales: one wild tag must not outvote the others
QUANTILE = 0.99  # of the warm-up's norms: its boundary
STANDARD_MARGIN = 1.3  # of the budget of one false alarm per asset and month
BAR = 1.5 / STANDARD_MARGIN  # least boundary over the policy's margin: a quantile is exceeded more often than a maximum
LEAST = 1e-3  # of a quantile: the logarithm of a perfect row

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
_HORIZONS = np.array(HORIZONS, np.int64)
_ACTIVE, _NORMAL, _NOTHING = episodes.ACTIVE, episodes.NORMAL, episodes.NOTHING
_step = nb.njit(cache=True, nogil=True)(episodes.step)


class VectorConfig(NamedTuple):
    """What all slots of a bank share."""

    rule: episodes.EpisodeRule
    limit_ns: int  # an average takes in nothing older than this; 0: only the pace of the rows decides


class VectorState(NamedTuple):
    """Per measuring point; the first axis is the slot."""

    seen: I64
    ready: npt.NDArray[np.uint8]
    rows: F64  # [slots, ROWS, tags] of the warm-up
    when: I64  # [slots, ROWS] their times
    latest_ns: I64  # time of the latest row, -1 before the first
    lived_ns: I64  # time that the warm-up has watched the sensors for
    centre: F64
    scale: F64
    quantile: F64  # [slots, horizons] what noise exceeds on 1 % of the rows
    bar: F64  # boundary, in quantiles
    ring: F64  # [slots, LONGEST, tags] latest z
    times: I64  # [slots, LONGEST] times of the rows behind them
    pushed: I64
    offsets: I64  # [slots, LONGEST] input offsets of the rows behind them
    healthy: npt.NDArray[np.float32]
    ranked: I64
    alarm_int: I64
    alarm_float: F64


def vector_fields(tags: int) -> dict[str, Field]:
    """Fields of `VectorState` for so many tags."""
    return {
        "seen": Field((), np.int64),
        "ready": Field((), np.uint8, most=1),
        "rows": Field((ROWS, tags), np.float64, np.nan),
        "when": Field((ROWS,), np.int64, -1),
        "latest_ns": Field((), np.int64, -1),
        "lived_ns": Field((), np.int64),
        "centre": Field((tags,), np.float64),
        "scale": Field((tags,), np.float64, 1.0),
        "quantile": Field((len(HORIZONS),), np.float64),
        "bar": Field((), np.float64, 1.0),
        "ring": Field((LONGEST, tags), np.float64),
        "times": Field((LONGEST,), np.int64, -1),
        "pushed": Field((), np.int64),
        "offsets": Field((LONGEST,), np.int64, -1),
        "healthy": Field((HEALTHY,), np.float32),
        "ranked": Field((), np.int64),
        "alarm_int": Field((7,), np.int64),
        "alarm_float": Field((3,), np.float64),
    }


@nb.njit(cache=True, nogil=True)
def standardise(row: Any, centre: Any, scale: Any, z: Any) -> None:
    """Robust z of a row, clipped; a missing value counts as expected."""
    for t in range(row.shape[0]):
        value = (row[t] - centre[t]) / scale[t]
        z[t] = 0.0 if np.isnan(value) else min(max(value, -CLIP), CLIP)


@nb.njit(cache=True, nogil=True)
def average(ring: Any, pushed: int, z: Any, before: int, mean: Any) -> float:
    """Mean of `z` and the `before` rows before it into `mean`; its root mean square over tags is returned."""
    count = before + 1
    for t in range(z.shape[0]):
        mean[t] = z[t]
    for back in range(1, count):
        mean += ring[(pushed - back) % LONGEST]
    total = 0.0
    for t in range(mean.shape[0]):
        mean[t] /= count
        total += mean[t] * mean[t]
    return float(np.sqrt(total / mean.shape[0]))


@nb.njit(cache=True, nogil=True)
def value_of(state: Any, slot: int, z: Any, moment: Any, mean: Any) -> float:
    """Geometric mean over horizons of norm / warm-up quantile, in units of the boundary."""
    total = 0.0
    for k in range(_HORIZONS.shape[0]):
        before = pace.related(state.times[slot], state.pushed[slot], moment, _HORIZONS[k])
        norm = average(state.ring[slot], state.pushed[slot], z, before, mean)
        total += np.log(max(norm / state.quantile[slot, k], LEAST))
    return float(np.exp(total / _HORIZONS.shape[0]) / state.bar[slot])


@nb.njit(cache=True, nogil=True)
def _quantile(values: Any) -> float:
    """99 % quantile, the smallest value with at most 1 % above it."""
    sort(values)
    return float(values[max(0, int(np.ceil(QUANTILE * values.shape[0])) - 1)])


@nb.njit(cache=True, nogil=True)
def finish_warmup(state: Any, slot: int, margin: float, limit_ns: int) -> None:
    """Fix centre, scale, quantiles and boundary; take the second half's values as first healthy scores.

    A quantile is that of the warm-up's norms, or what noise like the warm-up's will exceed, where that is more.
    """
    seen = state.seen[slot]
    count = min(seen, ROWS)
    order = (np.arange(count) + (seen - count)) % ROWS
    rows, when, steps = state.rows[slot][order], state.when[slot][order], np.empty(PACE_BLOCKS, np.int64)
    skip = min(SETTLING, count // 10)
    for t in range(rows.shape[1]):
        column = rows[skip:, t].copy()
        column = column[~np.isnan(column)]
        if column.shape[0] == 0:
            continue
        least = 0.5 * np.std(column)
        state.centre[slot, t] = median(column)
        spread = max(1.4826 * median(np.abs(column - state.centre[slot, t])), least)
        state.scale[slot, t] = spread if spread > 1e-9 else 1.0
    norms, floors = np.zeros((count, _HORIZONS.shape[0])), np.zeros(_HORIZONS.shape[0])
    every, mean = np.empty(rows.shape), np.empty(rows.shape[1])
    for i in range(count):
        moment = pace.Moment(when[i], pace.expected_step(when, i, 0, steps), limit_ns)
        state.times[slot, i % LONGEST] = when[i]
        z = every[i]
        standardise(rows[i], state.centre[slot], state.scale[slot], z)
        for k in range(_HORIZONS.shape[0]):
            norms[i, k] = average(state.ring[slot], i, z, pace.related(when, i, moment, _HORIZONS[k]), mean)
        for t in range(z.shape[0]):
            state.ring[slot, i % LONGEST, t] = z[t]
    state.pushed[slot] = count
    rare = foresight.foresee(every[skip:], _HORIZONS, floors)
    state.bar[slot] = max(BAR * margin, rare * margin / STANDARD_MARGIN)
    start = min(60, count // 4)
    for k in range(_HORIZONS.shape[0]):
        state.quantile[slot, k] = max(_quantile(norms[start:, k].copy()), floors[k], 1e-6)
    for i in range(count // 2, count):
        total = 0.0
        for k in range(_HORIZONS.shape[0]):
            total += np.log(max(norms[i, k] / state.quantile[slot, k], LEAST))
        value = np.exp(total / _HORIZONS.shape[0]) / state.bar[slot]
        calibrate.remember(state.healthy[slot], state.ranked[slot], value)
        state.ranked[slot] += 1
    state.ready[slot] = 1


@nb.njit(cache=True, nogil=True)
def warm(config: Any, state: Any, inputs: Any, i: int, steps: Any) -> None:
    """Keep one row of the warm-up; the one that completes both its rows and its time ends it."""
    slot, seen, at_ns = inputs.slot[i], state.seen[inputs.slot[i]], inputs.at_ns[i]
    step_ns = pace.expected_step(state.when[slot], seen, inputs.promised_ns[i], steps)
    state.lived_ns[slot] += pace.lived(state.latest_ns[slot], at_ns, step_ns)
    state.rows[slot, seen % ROWS] = inputs.x[i]
    state.when[slot, seen % ROWS], state.latest_ns[slot] = at_ns, at_ns
    state.offsets[slot, seen % LONGEST] = inputs.offset[i]
    state.seen[slot] += 1
    if state.seen[slot] >= inputs.warmup[i] and state.lived_ns[slot] >= inputs.warmup_ns[i]:
        finish_warmup(state, slot, config.rule.margin, config.limit_ns)


@nb.njit(cache=True, nogil=True)
def moment_of(config: Any, state: Any, slot: int, at_ns: int, promised_ns: int, steps: Any) -> Any:
    """When a row was taken, in the pace of its measuring point."""
    step_ns = pace.expected_step(state.times[slot], state.pushed[slot], promised_ns, steps)
    return pace.Moment(at_ns, step_ns, config.limit_ns)


@nb.njit(cache=True, nogil=True)
def run(config: Any, state: Any, inputs: Any, out: Any, kept: Any, first: int, last: int, resume: bool) -> int:
    """Process rows `first` to `last` - 1 in order; return the row that was not folded in because its alarm changes."""
    tags, rule = inputs.x.shape[1], config.rule
    z, mean, steps = np.empty(tags), np.empty(tags), np.empty(PACE_BLOCKS, np.int64)
    for i in range(first, last):
        slot = inputs.slot[i]
        out.firing[i] = state.alarm_int[slot, 0] == _ACTIVE
        out.seen[i], out.lived_ns[i] = state.seen[slot], state.lived_ns[slot]
        if inputs.usable[i] == 0:
            continue
        if kept.counters.shape[0] > 0:
            vector_undo.note(kept, state, slot, i)
        if state.ready[slot] == 0:
            if inputs.hold[i] == 0:
                warm(config, state, inputs, i, steps)
            else:
                out.held[i] = ORDERED
            out.state[i], out.seen[i], out.lived_ns[i] = WARMING, state.seen[slot], state.lived_ns[slot]
            continue
        standardise(inputs.x[i], state.centre[slot], state.scale[slot], z)
        moment = moment_of(config, state, slot, inputs.at_ns[i], inputs.promised_ns[i], steps)
        value = value_of(state, slot, z, moment, mean)
        alarm, event = _step(rule, load_alarm(state, slot), value, inputs.at_ns[i])
        out.state[i], out.value[i], out.event[i] = SCORED, value, event
        out.p_value[i] = calibrate.rank(state.healthy[slot], state.ranked[slot], value)
        out.firing[i] = alarm.phase == _ACTIVE
        if event != _NOTHING and not (resume and i == first):
            return i
        save_alarm(state, slot, alarm)
        state.ring[slot, state.pushed[slot] % LONGEST] = z
        state.times[slot, state.pushed[slot] % LONGEST], state.latest_ns[slot] = inputs.at_ns[i], inputs.at_ns[i]
        state.pushed[slot] += 1
        state.offsets[slot, state.seen[slot] % LONGEST] = inputs.offset[i]
        state.seen[slot] += 1
        out.seen[i] = state.seen[slot]
        calm = alarm.phase == _NORMAL and value < 1.0 / rule.margin
        out.held[i] = LEARNT if calm else IN_ALARM if alarm.phase == _ACTIVE else SUSPICIOUS
        if calm and inputs.hold[i] != 0:
            out.held[i] = ORDERED
        elif calm:
            calibrate.remember(state.healthy[slot], state.ranked[slot], value)
            state.ranked[slot] += 1
    return last
