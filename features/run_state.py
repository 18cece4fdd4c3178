"""Is the machine running? From its speed where that is known, else from its current, else from how loud it is.

Only running blocks are scored and learnt, so a wrong "stopped" would hide a fault. Without a speed, therefore, only a
current or a level far below the learnt one counts as stopped, a machine under load is running, and so is one that nothing
is known about. A load of nothing says nothing: a machine may idle.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from foreshock.contract import RunState

STOPPED_SPEED = 0.05
"""Below this share of the reference speed the shaft stands, or is being turned by hand."""
RUNNING_SPEED = 0.20
"""Variable-speed drives are rarely run below this share of their rated speed."""
SPEED_CHANGE = 0.12
"""A change by more than this share within `RECENT` blocks is a start or a stop; a loaded machine varies by +-5 %."""
RECENT = 3
STOPPED_CURRENT = 0.05
"""Below this share of the largest steady current the motor is off; without load it draws 25 to 50 % of it."""
LOW_CURRENT = 0.15
"""Below this share a current that still falls, or rises from nothing, is that of a drive that ramps."""
LOADED = 0.05
"""Share of the rated load from which on a machine is running, whatever its level says."""
ADJACENT_S = 300.0
"""Blocks farther apart than this tell nothing about a change of speed between them."""

STOPPED_LEVEL = math.log(0.05)
"""26 dB below the running level."""
LEAVE_STOPPED_LEVEL = math.log(0.065)
"""2 dB more: enough for noise around the limit, too little to keep a quiet operating point out."""
FALLING_LEVEL = math.log(0.25)
LEVEL_CHANGE = math.log(2.0)
LEARNT_BLOCKS = 20
LEVEL_UP = 0.05
LEVEL_DOWN = 0.02
"""Largest change of the learnt level by one block (natural log): days of a loud fault move it, one block does not."""


class RunMemory(NamedTuple):
    """What is remembered of an asset; `RunMemory()` before its first block."""

    state: RunState = RunState.RUNNING
    speeds: tuple[float, ...] = ()
    """Speeds of the last adjacent blocks, newest last (Hz)."""
    top_speed_hz: float = 0.0
    """Largest steady running speed seen."""
    level: float | None = None
    """Log level of the last block."""
    running_level: float = 0.0
    """Learnt log level while running."""
    learnt: int = 0
    """Blocks behind `running_level`."""
    currents: tuple[float, ...] = ()
    """Currents of the last adjacent blocks or rows, newest last (A)."""
    top_current: float = 0.0
    """Largest steady current seen."""


def step(
    memory: RunMemory,
    *,
    speed_hz: float | None,
    level: float | None,
    rated_speed_hz: float | None = None,
    elapsed_s: float | None = None,
    learn: bool = True,
    current: float | None = None,
    load: float | None = None,
) -> RunMemory:
    """Fold one block, or row, into the run state of its asset; the result's `state` is that of the block.

    Parameters
    ----------
    memory : RunMemory
        Before the block.
    speed_hz : float or None
        Shaft speed from the operating context; it alone decides where it is given.
    level : float or None
        Root mean square of the waveform in SI (over all channels); None for telemetry.
    rated_speed_hz : float or None
        From the master data; without it the largest steady speed seen is the reference.
    elapsed_s : float or None
        Source time since the asset's last block; None: adjacent.
    learn : bool
        False while an alarm stands: the running level then stays as it is.
    current : float or None
        Motor current (A, RMS); it decides where there is no speed.
    load : float or None
        Share of the rated load, 0 to 1: with neither speed nor current it can say that the machine runs.
    """
    adjacent = elapsed_s is None or 0.0 <= elapsed_s <= ADJACENT_S
    if speed_hz is not None and math.isfinite(speed_hz):
        return _by_speed(memory, abs(speed_hz), rated_speed_hz, adjacent=adjacent)
    if current is not None and math.isfinite(current):
        return _by_current(memory, abs(current), adjacent=adjacent)
    after = _without(memory, level, learn=learn)
    loaded = load is not None and load >= LOADED
    return after._replace(state=RunState.RUNNING) if loaded else after


def _without(memory: RunMemory, level: float | None, *, learn: bool) -> RunMemory:
    """Judge by the level, or by nothing."""
    if level is not None and level > 0.0:
        return _by_level(memory, math.log(level), learn=learn)
    if level is not None and memory.learnt >= LEARNT_BLOCKS:
        return memory._replace(state=RunState.STOPPED, level=None, speeds=())
    return memory._replace(state=RunState.RUNNING, speeds=())


def unaware(memory: RunMemory, speed_hz: float) -> bool:
    """Whether a machine had another speed in its last block than is remembered: that block could not be used."""
    return bool(memory.speeds) and memory.speeds[-1] != abs(speed_hz)


def passed(memory: RunMemory, speed_hz: float) -> RunMemory:
    """Take in the speed of a block that could not be used: its samples were bad, its machine starts and stops all the same."""
    return memory._replace(speeds=(*memory.speeds, abs(speed_hz))[-RECENT:])


def _by_speed(memory: RunMemory, speed: float, rated: float | None, *, adjacent: bool) -> RunMemory:
    """Judge by the speed against the reference, and by its change over the last adjacent blocks."""
    recent = memory.speeds if adjacent else ()
    speeds = (*recent, speed)[-RECENT:]
    reference = rated or max(memory.top_speed_hz, speed)
    before = memory.state if recent else None
    if speed <= STOPPED_SPEED * reference:
        state = RunState.STOPPED
    elif recent and speed - min(speeds) > SPEED_CHANGE * reference and speed >= recent[-1]:
        state = RunState.STARTING
    elif recent and max(speeds) - speed > SPEED_CHANGE * reference and speed <= recent[-1]:
        state = RunState.STOPPING
    elif speed < RUNNING_SPEED * reference:
        state = RunState.STARTING if before in {RunState.STOPPED, RunState.STARTING} else RunState.STOPPING
    else:
        state = RunState.RUNNING
    top = max(memory.top_speed_hz, speed) if state is RunState.RUNNING else memory.top_speed_hz
    return memory._replace(state=state, speeds=speeds, top_speed_hz=top, level=None)


def _by_current(memory: RunMemory, current: float, *, adjacent: bool) -> RunMemory:
    """Judge by the current against the largest steady one; how a motor that is switched off coasts, it cannot tell.

    A change is a start only after a stop: the current of a running machine follows its load. The inrush of a start is no
    steady current.
    """
    recent = memory.currents if adjacent else ()
    currents = (*recent, current)[-RECENT:]
    reference = max(memory.top_current, min(currents)) or current
    steady = len(currents) == RECENT and max(currents) - min(currents) <= SPEED_CHANGE * reference
    before = memory.state if recent else None
    if current <= STOPPED_CURRENT * reference:
        state = RunState.STOPPING if before is RunState.RUNNING else RunState.STOPPED
    elif before in {RunState.STOPPED, RunState.STARTING} and not steady:
        state = RunState.STARTING
    elif recent and current < LOW_CURRENT * reference and current < recent[-1]:
        state = RunState.STOPPING
    else:
        state = RunState.RUNNING
    learnt = steady and state is RunState.RUNNING
    top = max(memory.top_current, current) if learnt else memory.top_current
    return memory._replace(state=state, currents=currents, top_current=top, speeds=(), level=None)


def _by_level(memory: RunMemory, level: float, *, learn: bool) -> RunMemory:
    """Judge by the log level against the learnt one. Louder than ever is running, whatever it was before."""
    state = _level_state(memory, level)
    if state is not RunState.RUNNING or not learn:
        return memory._replace(state=state, level=level, speeds=())
    if memory.learnt < LEARNT_BLOCKS:
        learnt = memory.learnt + 1
        running = memory.running_level + (level - memory.running_level) / learnt
        return memory._replace(state=state, level=level, speeds=(), running_level=running, learnt=learnt)
    move = min(LEVEL_UP, max(-LEVEL_DOWN, level - memory.running_level))
    return memory._replace(state=state, level=level, speeds=(), running_level=memory.running_level + move)


def _level_state(memory: RunMemory, level: float) -> RunState:
    if memory.learnt < LEARNT_BLOCKS:
        return RunState.RUNNING
    below = level - memory.running_level
    stands = memory.state is RunState.STOPPED
    if below < (LEAVE_STOPPED_LEVEL if stands else STOPPED_LEVEL):
        return RunState.STOPPED
    change = 0.0 if memory.level is None else level - memory.level
    if stands or (memory.state is RunState.STARTING and change > LEVEL_CHANGE):
        return RunState.STARTING
    if below < FALLING_LEVEL and change < -LEVEL_CHANGE:
        return RunState.STOPPING
    return RunState.RUNNING
