"""Stops and spikes: samples that no machine makes.

Both rules look at rows that a cheap measure has already singled out. They must not fire on what machines do make: a
bearing that strikes is loud, but it rings; a slow tone rests at its crests, but arrives there slowly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

SPIKE_SIGMA = 12.0
"""A spike is this many standard deviations from the mean; Gaussian noise reaches 4 in 4096 samples."""
SPIKE_RATIO = 5.0
"""... and this many times larger than everything near it. An impact rings: what follows is of its own size."""
SPIKE_WIDTH = 2
SPIKE_NEIGHBOURS = 8
"""A resonance slow enough to need more than these for a half wave is still near its peak after two samples."""
CLIP_SAMPLES = 6
"""Samples exactly at an extreme before it can be a stop. A signal that is free to move touches its extreme once."""
CLIP_REPEAT = 4
"""... and this many times as often as it takes an ordinary value, which a coarse or periodic signal also repeats."""
CLIP_JUMP = 0.7
"""... and it arrives there at speed: a share of its mean step. A slow crest arrives in single digital steps."""

_PROBES = 8


@njit(cache=True, nogil=True)
def _leap(row: npt.NDArray[np.float32], extreme: np.float32) -> float:
    """Mean distance from the extreme of the second sample before and after each stay there.

    The second, because the first step onto a stop is cut short by it.
    """
    total = 0.0
    ends = 0
    for i in range(1, row.size):
        entered = row[i] == extreme and row[i - 1] != extreme
        left = row[i] != extreme and row[i - 1] == extreme
        if entered and i >= 2:
            total += abs(row[i - 2] - extreme)
            ends += 1
        if left and i + 1 < row.size:
            total += abs(row[i + 1] - extreme)
            ends += 1
    return total / ends if ends else 0.0


@njit(cache=True, nogil=True)
def _steps(row: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Smallest and mean change between neighbours; the smallest is the resolution of a digitised slow signal."""
    smallest, total = np.inf, 0.0
    for i in range(1, row.size):
        step = abs(row[i] - row[i - 1])
        total += step
        if 0.0 < step < smallest:
            smallest = step
    return smallest, total / (row.size - 1)


@njit(cache=True, nogil=True)
def is_stop(row: npt.NDArray[np.float32], low: np.float32, high: np.float32, extreme: np.float32, at: int) -> bool:
    """Whether the signal was cut at this extreme, rather than turning round there by itself."""
    interior = repeats = 0
    for k in range(4 * _PROBES):
        if k >= _PROBES and interior:
            break
        turn, place = divmod(k, _PROBES)  # a signal that is cut off for most of its time may have no probe between
        probe = row[((2 * place + 1) * row.size // (2 * _PROBES) + 7 * turn) % row.size]
        if low < probe < high:
            interior += 1
            same = 0
            for i in range(row.size):
                same += row[i] == probe
            repeats = max(repeats, same)
    if interior == 0 or at < CLIP_REPEAT * repeats:
        return False
    smallest, mean = _steps(row)
    return _leap(row, extreme) >= max(CLIP_JUMP * mean, 1.5 * smallest)


@njit(cache=True, nogil=True)
def _stands_alone(row: npt.NDArray[np.float32], mean: np.float32, i: int) -> bool:
    """Whether nothing near sample i is of its size, but for the samples that a short spike itself may take."""
    bound = abs(row[i] - mean) / SPIKE_RATIO
    for j in range(max(0, i - SPIKE_NEIGHBOURS), min(row.size, i + SPIKE_NEIGHBOURS + 1)):
        if abs(j - i) >= SPIKE_WIDTH and abs(row[j] - mean) > bound:
            return False
    return True


@njit(cache=True, nogil=True)
def find_spikes(row: npt.NDArray[np.float32], mean: np.float32, sigma: float) -> tuple[int, float]:
    """Count the isolated samples beyond the limit, and give the largest in standard deviations.

    Where half of the large samples have company, something in the machine makes them, and there is no spike.
    """
    large = found = 0
    largest = 0.0
    for i in range(row.size):
        size = abs(row[i] - mean)
        if size > SPIKE_SIGMA * sigma:
            large += 1
            if _stands_alone(row, mean, i):
                found += 1
                largest = max(largest, size / sigma)
    return (found, largest) if 2 * found > large else (0, 0.0)
