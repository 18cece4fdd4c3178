"""The sequential part of waveform scoring, compiled: per block score, rank, alarm step, gate, learn.

Blocks are taken in input order, so any split of a stream into batches gives the same outcomes bit for bit. Before a
block whose alarm changes is folded in, the kernel returns: the caller can then look at the state before scoring, and
calls again to go on. Nothing is copied for the blocks that nobody will ask about.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from foreshock.detectors import calibrate, episodes, novelty, pace, trees
from foreshock.detectors.alarm_state import load_alarm, save_alarm
from foreshock.detectors.constants import (
    CANDIDATE_RATE,
    HORIZONS,
    LEVEL_BAND,
    MEMORY,
    NEIGHBOURS,
    PACE_BLOCKS,
    REFERENCE_RATE,
    RING,
    SHORTAGE,
    TREE_BLOCKS,
    TREE_KNEE,
    TREE_MEASURED,
    TREE_RANGE,
    TREE_SPAN_FLOOR,
)
from foreshock.detectors.ordering import median
from foreshock.detectors.waveform_state import (
    COLD,
    FILLED,
    IN_ALARM,
    LEARNT,
    NEW_LEVEL,
    ORDERED,
    OVERLAPS,
    READY,
    SCORED,
    SUSPICIOUS,
    WARMING,
)

_step = nb.njit(cache=True, nogil=True)(episodes.step)
_HORIZONS = np.array(HORIZONS, np.int64)
_NOTHING, _ACTIVE, _NORMAL = episodes.NOTHING, episodes.ACTIVE, episodes.NORMAL


class Scratch(NamedTuple):
    """Working memory of one call."""

    z: Any
    residual: Any
    mean: Any
    distance: Any
    near: Any
    scaled: Any  # the averaged vector in the unit cube of the trees
    before: Any  # [horizons] blocks that each average takes in beside the latest
    steps: Any


class Parts(NamedTuple):
    """A score and what it is made of, in units of the boundary."""

    value: float
    novelty: float
    online: float
    horizon: int  # index of the horizon that decided


@nb.njit(cache=True, nogil=True)
def scratch(features: int) -> Any:
    """Allocate working memory."""
    return Scratch(
        np.empty(features, np.float32),
        np.empty(features, np.float32),
        np.empty(features, np.float32),
        np.empty(MEMORY, np.float32),
        np.empty(NEIGHBOURS, np.int64),
        np.empty(features, np.float64),
        np.zeros(_HORIZONS.shape[0], np.int64),
        np.empty(PACE_BLOCKS, np.int64),
    )


@nb.njit(cache=True, nogil=True)
def moment_of(config: Any, state: Any, slot: int, at_ns: int, promised_ns: int, work: Any) -> Any:
    """When a block was taken, in the pace of its measuring point."""
    step_ns = pace.expected_step(state.times[slot], state.pushed[slot], promised_ns, work.steps)
    return pace.Moment(at_ns, step_ns, config.limit_ns)


@nb.njit(cache=True, nogil=True)
def to_cube(recent: Any, pushed: int, before: int, z: Any, scaled: Any) -> None:
    """Average a vector and those `before` it, scale noise back to what one has, and put it into the unit cube."""
    count = before + 1
    for f in range(z.shape[0]):
        total = float(z[f])
        for back in range(1, count):
            total += float(recent[(pushed - back) % TREE_BLOCKS, f])
        scaled[f] = 0.5 + total / np.sqrt(float(count)) / (2.0 * TREE_RANGE)


@nb.njit(cache=True, nogil=True)
def surprise(config: Any, forest_state: Any, state: Any, slot: int, external: float, work: Any) -> float:
    """Score of the online part: a River detector's own, or minus the log of the trees' normalised mass; NaN before."""
    if not np.isnan(external) or forest_state.full[slot] == 0:
        return float(external)
    score = trees.score_scaled(config.forest, forest_state.last[slot], work.scaled, state.window[slot])
    return float(-np.log(max(1.0 - score, 1e-12)))


@nb.njit(cache=True, nogil=True)
def online_part(config: Any, state: Any, slot: int, found: float) -> float:
    """Exceedance of the online part over its healthy median, in units of the boundary; 0 where it has no say."""
    spread = state.online[slot, 1]
    if spread <= 0.0 or np.isnan(found):
        return 0.0
    ratio = (found - state.online[slot, 0]) / spread / config.policy.margin
    return float(ratio if ratio > TREE_KNEE else TREE_KNEE * np.exp((ratio - TREE_KNEE) / TREE_KNEE))


@nb.njit(cache=True, nogil=True)
def combine(config: Any, state: Any, slot: int, novel: float, online: float) -> float:
    """Weighted mean of the parts' exceedances; a part without a say leaves its weight to the other."""
    if config.weight >= 1.0:
        return online
    weight = config.weight if state.online[slot, 1] > 0.0 else 0.0
    return (1.0 - weight) * novel + weight * online


@nb.njit(cache=True, nogil=True)
def score(
    config: Any, forest_state: Any, state: Any, slot: int, x: Any, external: float, moment: Any, work: Any
) -> Any:
    """Score one block of a calibrated slot; changes nothing but `work`."""
    novel, horizon, times, pushed = 0.0, 0, state.times[slot], state.pushed[slot]
    for k in range(_HORIZONS.shape[0]):
        work.before[k] = pace.related(times, pushed, moment, _HORIZONS[k])
    for f in range(work.z.shape[0]):
        work.z[f] = x[config.columns[f]]
    novelty.standardise(work.z, state.centre[slot], state.scale[slot], work.z)
    if config.weight < 1.0:
        memory, stored = state.memory[slot], state.stored[slot]
        count = novelty.neighbours(memory, stored, work.z, -1, work.distance, work.near)
        novelty.residual(memory, work.near, count, work.z, work.residual)
        ratio, horizon = novelty.exceedance(
            state.ring[slot], pushed, work.residual, work.before, state.largest[slot], work.mean
        )
        novel = ratio / config.policy.margin
    else:
        for f in range(work.z.shape[0]):
            work.residual[f] = work.z[f]
    to_cube(state.recent[slot], pushed, pace.related(times, pushed, moment, TREE_BLOCKS), work.z, work.scaled)
    online = online_part(config, state, slot, surprise(config, forest_state, state, slot, external, work))
    return Parts(combine(config, state, slot, novel, online), novel, online, horizon)


@nb.njit(cache=True, nogil=True)
def horizon_mean(state: Any, slot: int, horizon: int, work: Any) -> None:
    """Averaged residual of one horizon into `work.mean`, after `score`."""
    novelty.average(state.ring[slot], state.pushed[slot], work.residual, work.before[horizon], work.mean)


@nb.njit(cache=True, nogil=True)
def store(config: Any, state: Any, slot: int, x: Any, found: float, at_ns: int) -> None:
    """Keep a warm-up vector; when the memory is full a deterministic reservoir decides which one it replaces."""
    seen = state.seen[slot]
    place = seen
    if seen >= MEMORY:
        mixed = np.uint64(seen) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        place = np.int64((mixed ^ (mixed >> np.uint64(29))) % np.uint64(seen + 1))
    else:
        state.stored[slot] = seen + 1
    if place < MEMORY:
        for f in range(config.columns.shape[0]):
            state.memory[slot, f, place] = x[config.columns[f]]
        state.when[slot, place] = at_ns
        state.surprise[slot, place] = found


@nb.njit(cache=True, nogil=True)
def swap(state: Any, slot: int, i: int, k: int) -> None:
    """Change the places of two stored vectors."""
    when, surprise, memory = state.when[slot], state.surprise[slot], state.memory[slot]
    when[i], when[k] = when[k], when[i]
    surprise[i], surprise[k] = surprise[k], surprise[i]
    for f in range(memory.shape[0]):
        memory[f, i], memory[f, k] = memory[f, k], memory[f, i]


@nb.njit(cache=True, nogil=True)
def in_order(state: Any, slot: int) -> None:
    """Sort the stored vectors by time: averages over several blocks need the order."""
    for i in range(1, state.stored[slot]):
        k = i
        while k > 0 and state.when[slot, k - 1] > state.when[slot, k]:
            swap(state, slot, k - 1, k)
            k -= 1


@nb.njit(cache=True, nogil=True)
def keep_recent(state: Any, slot: int, pushed: int, work: Any) -> None:
    """Keep a standardised vector for the averages that the trees see."""
    place = pushed % TREE_BLOCKS
    for f in range(work.z.shape[0]):
        state.recent[slot, place, f] = work.z[f]


@nb.njit(cache=True, nogil=True)
def through_trees(config: Any, forest_state: Any, state: Any, slot: int, part: Any, work: Any) -> None:
    """Take warm-up blocks `part` = (first, last, scored, counted) through the trees in order."""
    first, last, scored, counted = part
    when = state.when[slot]
    for i in range(first, last):
        moment = pace.Moment(when[i], pace.expected_step(when, i, 0, work.steps), config.limit_ns)
        for f in range(work.z.shape[0]):
            work.z[f] = state.memory[slot, f, i]
        to_cube(state.recent[slot], i, pace.related(when, i, moment, TREE_BLOCKS), work.z, work.scaled)
        if scored:
            state.surprise[slot, i] = surprise(config, forest_state, state, slot, np.nan, work)
        if counted:
            trees.count_scaled(config.forest, forest_state, slot, work.scaled, state.window[slot])
        keep_recent(state, slot, i, work)


@nb.njit(cache=True, nogil=True)
def calibrate_online(config: Any, forest_state: Any, state: Any, slot: int, work: Any) -> None:
    """Fix median and largest of the online part's healthy surprise, every block scored by trees that had not seen it.

    The window is half of the warm-up: trees of the first half score the second, then those of the second the first.
    """
    stored = state.stored[slot]
    half = stored // 2
    state.window[slot] = half
    own = config.forest.feature.shape[0] > 0
    through_trees(config, forest_state, state, slot, (0, half, False, own), work)
    through_trees(config, forest_state, state, slot, (half, 2 * half, own, own), work)
    through_trees(config, forest_state, state, slot, (0, half, own, False), work)
    through_trees(config, forest_state, state, slot, (half, stored, False, False), work)
    found, count = np.empty(stored), 0
    for i in range(stored):
        if not np.isnan(state.surprise[slot, i]):
            found[count] = state.surprise[slot, i]
            count += 1
    if count >= TREE_MEASURED:
        middle = median(found[:count])
        state.online[slot, 0] = middle
        shortage = 1.0 + SHORTAGE / (stored * stored) if config.weight >= 1.0 else 1.0
        state.online[slot, 1] = max(found[count - 1] - middle, TREE_SPAN_FLOOR) * shortage


@nb.njit(cache=True, nogil=True)
def finish_warmup(config: Any, forest_state: Any, state: Any, slot: int, shared: bool) -> None:
    """Fix the baseline of a filled slot: scale, largest healthy norms, first healthy scores."""
    work = scratch(config.columns.shape[0])
    in_order(state, slot)
    stored = state.stored[slot]
    norms = np.zeros((stored, state.largest.shape[1]))
    novelty.robust_scale(state.memory[slot], stored, state.centre[slot], state.scale[slot], shared)
    if config.weight < 1.0:
        novelty.leave_one_out(
            state.memory[slot], state.when[slot], stored, config.limit_ns, state.ring[slot], state.largest[slot], norms
        )
    calibrate_online(config, forest_state, state, slot, work)
    state.pushed[slot] = stored
    for i in range(stored):
        state.times[slot, i % RING] = state.when[slot, i]
        ratio = 0.0
        for k in range(norms.shape[1]):
            if state.largest[slot, k] > 0.0:
                ratio = max(ratio, norms[i, k] / state.largest[slot, k])
        online = online_part(config, state, slot, state.surprise[slot, i])
        value = combine(config, state, slot, ratio / config.policy.margin, online)
        calibrate.remember(state.healthy[slot], state.ranked[slot], value)
        state.ranked[slot] += 1
    state.ready[slot] = READY


@nb.njit(cache=True, nogil=True)
def warm(config: Any, state: Any, inputs: Any, i: int, work: Any) -> None:
    """Keep one block of the warm-up; the one that completes both its blocks and its time fills the slot."""
    slot, seen, at_ns = inputs.slot[i], state.seen[inputs.slot[i]], inputs.at_ns[i]
    step_ns = pace.expected_step(state.times[slot], seen, inputs.promised_ns[i], work.steps)
    state.lived_ns[slot] += pace.lived(state.latest_ns[slot], at_ns, step_ns)
    store(config, state, slot, inputs.x[i], inputs.external[i], at_ns)
    state.times[slot, seen % RING], state.latest_ns[slot] = at_ns, at_ns
    state.offsets[slot, seen % RING] = inputs.offset[i]
    state.seen[slot] += 1
    if state.seen[slot] >= inputs.warmup[i] and state.lived_ns[slot] >= inputs.warmup_ns[i]:
        state.ready[slot] = FILLED


@nb.njit(cache=True, nogil=True)
def gate(config: Any, state: Any, slot: int, alarm: Any, value: float, hold: int, work: Any) -> int:
    """Whether to learn from the block, or why not; the reference learns with it, the shadow reference without.

    With `hold` nothing is learnt, whatever the score.

    While an alarm stands and the latest blocks lie around the shadow reference, the asset runs on a new level: it
    stays in alarm (the baseline moves by a confirmed event only), but the status can say so.
    """
    z = work.z
    if alarm.phase == _NORMAL and value < 1.0 / config.policy.margin:
        if hold != 0:
            return ORDERED
        for f in range(z.shape[0]):
            state.reference[slot, f] += np.float32(REFERENCE_RATE) * (z[f] - state.reference[slot, f])
        return LEARNT
    fresh = alarm.phase != _ACTIVE or (alarm.opened_ns == alarm.told_ns and alarm.over <= config.policy.hold_blocks)
    rate = np.float32(1.0) if fresh else np.float32(CANDIDATE_RATE)
    away = 0.0
    for f in range(z.shape[0]):
        state.candidate[slot, f] += rate * (z[f] - state.candidate[slot, f])
        away += float(z[f] - state.candidate[slot, f]) ** 2
    if alarm.phase != _ACTIVE:
        return SUSPICIOUS
    near = np.sqrt(away / z.shape[0]) < LEVEL_BAND * state.largest[slot, 0]
    return NEW_LEVEL if near and not fresh else IN_ALARM


@nb.njit(cache=True, nogil=True)
def fold(config: Any, forest_state: Any, state: Any, inputs: Any, i: int, out: Any, alarm: Any, work: Any) -> None:
    """After the score: alarm, averages, and what the gate lets through."""
    slot, value = inputs.slot[i], out.value[i]
    save_alarm(state, slot, alarm)
    if out.held[i] == OVERLAPS:
        return
    out.held[i] = gate(config, state, slot, alarm, value, inputs.hold[i], work)
    novelty.bound(work.residual, state.largest[slot, 0] if config.weight < 1.0 else np.inf)
    novelty.push(state.ring[slot], state.pushed[slot], work.residual)
    keep_recent(state, slot, state.pushed[slot], work)
    state.times[slot, state.pushed[slot] % RING], state.latest_ns[slot] = inputs.at_ns[i], inputs.at_ns[i]
    state.pushed[slot] += 1
    state.offsets[slot, state.seen[slot] % RING] = inputs.offset[i]
    state.seen[slot] += 1
    if out.held[i] == LEARNT:
        calibrate.remember(state.healthy[slot], state.ranked[slot], value)
        state.ranked[slot] += 1
        if config.forest.feature.shape[0] > 0:
            trees.count_scaled(config.forest, forest_state, slot, work.scaled, state.window[slot])


@nb.njit(cache=True, nogil=True)
def run(config: Any, forest_state: Any, state: Any, inputs: Any, out: Any, first: int, last: int, resume: bool) -> int:
    """Process blocks `first` to `last` - 1; return the one at which the caller has to do something, or `last`.

    A slot that the block filled wants `finish_warmup`, which is compiled apart: inside this function it would double the
    time to compile. Else the block is not folded in because its alarm changes; with `resume` it is, without asking again.
    """
    work = scratch(config.columns.shape[0])
    for i in range(first, last):
        slot = inputs.slot[i]
        out.firing[i] = state.alarm_int[slot, 0] == _ACTIVE
        out.seen[i], out.lived_ns[i] = state.seen[slot], state.lived_ns[slot]
        if inputs.usable[i] == 0:
            continue
        at_ns = inputs.at_ns[i]
        independent = pace.independent(state.latest_ns[slot], at_ns, inputs.apart_ns[i])
        out.held[i] = LEARNT if independent else OVERLAPS
        if state.ready[slot] == COLD:
            out.state[i] = WARMING
            if inputs.hold[i] != 0:
                out.held[i] = ORDERED
            elif independent:
                warm(config, state, inputs, i, work)
            out.seen[i], out.lived_ns[i] = state.seen[slot], state.lived_ns[slot]
            if state.ready[slot] == FILLED:
                return i
            continue
        moment = moment_of(config, state, slot, at_ns, inputs.promised_ns[i], work)
        parts = score(config, forest_state, state, slot, inputs.x[i], inputs.external[i], moment, work)
        alarm, event = _step(config.policy, load_alarm(state, slot), parts.value, at_ns, independent)
        out.state[i] = SCORED
        out.value[i], out.novelty[i], out.online[i] = parts.value, parts.novelty, parts.online
        out.p_value[i] = calibrate.rank(state.healthy[slot], state.ranked[slot], parts.value)
        out.event[i] = event
        out.firing[i] = alarm.phase == _ACTIVE
        if event != _NOTHING and not (resume and i == first):
            return i
        fold(config, forest_state, state, inputs, i, out, alarm, work)
        out.seen[i] = state.seen[slot]
    return last
