"""The alarm of a measuring point as the arrays of a slot table hold it, for every kernel that steps the alarm rule."""

from __future__ import annotations

from typing import Any

import numba as nb

from foreshock.detectors import episodes


@nb.njit(cache=True, nogil=True)
def load_alarm(state: Any, slot: int) -> Any:
    """Read the slot's alarm as the named tuple that the rule works on."""
    n, v = state.alarm_int[slot], state.alarm_float[slot]
    return episodes.EpisodeState(n[0], n[1], n[2], n[3], n[4], n[5], v[0], v[1], v[2], n[6])


@nb.njit(cache=True, nogil=True)
def save_alarm(state: Any, slot: int, alarm: Any) -> None:
    """Write it back."""
    n, v = state.alarm_int[slot], state.alarm_float[slot]
    n[0], n[1], n[2], n[3] = alarm.phase, alarm.over, alarm.over_ns, alarm.under
    n[4], n[5], n[6] = alarm.clear_ns, alarm.opened_ns, alarm.told_ns
    v[0], v[1], v[2] = alarm.initial, alarm.peak, alarm.told
