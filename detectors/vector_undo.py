"""The undo journal of a vector model: the state of a measuring point before a frame, once its rows are folded in.

A frame is one record with many rows. When the alarm changes at one of them, the state before the whole record is asked
for, and the rows before it are in the state already. So for each row the kernel notes what it is about to overwrite:
some numbers, never a copy of a slot.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from foreshock.detectors.slots import Slots

COUNTERS = ("seen", "ready", "latest_ns", "lived_ns", "pushed", "ranked")
PLACES = {  # arrays that a row overwrites one place of, and the counter that says which
    "rows": "seen", "when": "seen", "offsets": "seen", "ring": "pushed", "times": "pushed", "healthy": "ranked"
}  # fmt: skip
WARMED = ("rows", "when", "offsets", *COUNTERS)  # what a warm-up keeps; the rest is made when it ends


class Journal(NamedTuple):
    """What each row of a batch overwrote; without rows where no frame of the batch has two."""

    counters: npt.NDArray[np.int64]  # [rows, COUNTERS]
    alarm_int: npt.NDArray[np.int64]
    alarm_float: npt.NDArray[np.float64]
    rows: npt.NDArray[np.float64]  # [rows, tags], likewise for each of `PLACES`
    when: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    ring: npt.NDArray[np.float64]
    times: npt.NDArray[np.int64]
    healthy: npt.NDArray[np.float32]


def journal(rows: int, tags: int) -> Journal:
    """Make room for so many rows."""
    i64 = np.int64
    return Journal(
        np.empty((rows, len(COUNTERS)), i64),
        np.empty((rows, 7), i64),
        np.empty((rows, 3)),
        np.empty((rows, tags)),
        np.empty(rows, i64),
        np.empty(rows, i64),
        np.empty((rows, tags)),
        np.empty(rows, i64),
        np.empty(rows, np.float32),
    )


@nb.njit(cache=True, nogil=True)
def note(kept: Any, state: Any, slot: int, i: int) -> None:
    """Note what row `i` is about to overwrite."""
    n = kept.counters[i]
    n[0], n[1], n[2] = state.seen[slot], state.ready[slot], state.latest_ns[slot]
    n[3], n[4], n[5] = state.lived_ns[slot], state.pushed[slot], state.ranked[slot]
    kept.alarm_int[i] = state.alarm_int[slot]
    kept.alarm_float[i] = state.alarm_float[slot]
    at = state.seen[slot] % state.rows.shape[1]
    kept.rows[i] = state.rows[slot, at]
    kept.when[i] = state.when[slot, at]
    kept.offsets[i] = state.offsets[slot, state.seen[slot] % state.offsets.shape[1]]
    at = state.pushed[slot] % state.ring.shape[1]
    kept.ring[i] = state.ring[slot, at]
    kept.times[i] = state.times[slot, at]
    kept.healthy[i] = state.healthy[slot, state.ranked[slot] % state.healthy.shape[1]]


def before(slots: Slots[Any], kept: Journal, slot: int, folded: list[int]) -> dict[str, npt.NDArray[Any]]:
    """Copy the state of a slot as it was before some rows.

    Parameters
    ----------
    slots
        State after them.
    kept
        Journal of the batch.
    slot
        Of the measuring point.
    folded
        Its latest rows, in order.
    """
    state = slots.capture(slot)
    for i in reversed(folded):
        counters = dict(zip(COUNTERS, kept.counters[i].tolist(), strict=True))
        if state["ready"] and not counters["ready"]:
            state |= {name: value for name, value in slots.blank().items() if name not in WARMED}
        for name, value in counters.items():
            state[name][...] = value
        for name, counter in PLACES.items():
            state[name][counters[counter] % len(state[name])] = getattr(kept, name)[i]
        state["alarm_int"][...], state["alarm_float"][...] = kept.alarm_int[i], kept.alarm_float[i]
    return state
