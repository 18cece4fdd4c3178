"""Operating conditions from speed and load, found as they come: centres that follow, a change only when it lasts.

Distances are in shares of the largest speed and the largest load so far. A window belongs to the nearest centre within
`RADIUS`; the condition that holds is left only when `HOLD` windows in a row lie beyond `LEAVE` of it, or nearer to another
one by more than the hysteresis, and agree where they belong. Where they agree on none, they begin a new one, up to
`REGIMES`; then the nearest one takes all. Centres are numbered as they were found and keep their number.
"""

from __future__ import annotations

import math

from foreshock.features.scalar.state import REGIMES, ScalarState

RADIUS = 0.10
LEAVE = 0.15
HOLD = 3
SLOWEST = 100
"""A centre moves by at most one in so many of the distance to the newest window, and at least by that."""
NONE, NEW = -1, -2
_HOLDS, _WANTED, _WINDOWS, _SINCE = range(4)


def _distance(a: tuple[float, float], b: tuple[float, float], top: tuple[float, float]) -> float:
    """Largest difference in shares of the top; what is unknown on both sides does not count."""
    parts = [abs(x - y) / t for x, y, t in zip(a, b, top, strict=True) if t > 0.0]
    return max(parts, default=0.0)


def look(state: ScalarState, slot: int, at: tuple[float, float]) -> tuple[int, float]:
    """Condition that holds, and the distance of a window from its centre; -1 and 0 before the first.

    Parameters
    ----------
    at : tuple of float
        Speed and load of the window; 0 for what is not known.
    """
    holds = int(state.regime[slot, _HOLDS])
    if holds < 0:
        return NONE, 0.0
    return holds, _distance(at, _centre(state, slot, holds), _top(state, slot))


def follow(state: ScalarState, slot: int, at: tuple[float, float], at_ns: int) -> None:
    """Take in a window of the running machine."""
    regime, sought, top = state.regime[slot], state.sought[slot], _top(state, slot)
    holds, belongs = int(regime[_HOLDS]), _belongs(state, slot, at)
    if belongs == holds and holds >= 0:
        regime[_WANTED], regime[_WINDOWS] = NONE, 0
        weight = min(int(state.weight[slot, holds]) + 1, SLOWEST)
        if _distance(at, _centre(state, slot, holds), top) <= RADIUS:
            state.weight[slot, holds] = weight
            for k in range(2):
                state.centre[slot, holds, k] += (at[k] - state.centre[slot, holds, k]) / weight
        return
    here = (float(sought[0]), float(sought[1]))
    if belongs == regime[_WANTED] and (belongs != NEW or _distance(at, here, top) <= RADIUS):
        regime[_WINDOWS] += 1
    else:
        regime[_WANTED], regime[_WINDOWS] = belongs, 1
        sought[:] = 0.0
    for k in range(2):
        sought[k] += (at[k] - sought[k]) / regime[_WINDOWS]
    if regime[_WINDOWS] >= HOLD:
        _change(state, slot, belongs, at_ns)


def _belongs(state: ScalarState, slot: int, at: tuple[float, float]) -> int:
    """Centre that a window belongs to: the one that holds for as long as hysteresis allows, else the nearest."""
    holds, top = int(state.regime[slot, _HOLDS]), _top(state, slot)
    known = int((state.weight[slot] > 0).sum())
    distances = [_distance(at, _centre(state, slot, k), top) for k in range(known)]
    nearest = min(range(known), key=distances.__getitem__, default=NEW)
    if holds >= 0 and distances[holds] <= LEAVE and distances[holds] - distances[nearest] <= LEAVE - RADIUS:
        return holds
    if known and (distances[nearest] <= RADIUS or known == REGIMES):
        return nearest
    return NEW


def _change(state: ScalarState, slot: int, to: int, at_ns: int) -> None:
    if to == NEW:
        to = int((state.weight[slot] > 0).sum())
        state.centre[slot, to] = state.sought[slot]
        state.weight[slot, to] = HOLD
    state.regime[slot] = (to, NONE, 0, at_ns)


def _centre(state: ScalarState, slot: int, k: int) -> tuple[float, float]:
    return float(state.centre[slot, k, 0]), float(state.centre[slot, k, 1])


def _top(state: ScalarState, slot: int) -> tuple[float, float]:
    return float(state.top[slot, 0]), float(state.top[slot, 1])


def age_s(state: ScalarState, slot: int, at_ns: int) -> float:
    """Seconds since the condition that holds began; NaN before the first."""
    return (at_ns - int(state.regime[slot, _SINCE])) * 1e-9 if state.regime[slot, _HOLDS] >= 0 else math.nan
