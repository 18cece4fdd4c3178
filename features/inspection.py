"""What the samples of a block say about their sensor: one row of figures per block and channel.

The kernel only measures; what counts as a fault is decided in `quality.py`. The common case, a healthy row, takes two
passes over the samples; the rest runs on rows that look suspicious.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from foreshock.features.excursions import CLIP_SAMPLES, SPIKE_SIGMA, find_spikes, is_stop
from foreshock.features.moments import LANES

_SIGMA_OF_MEAN_DEVIATION = math.sqrt(math.pi / 2.0)


class Inspection(NamedTuple):
    """Figures of a batch, each [blocks, channels]."""

    finite: npt.NDArray[np.bool_]
    constant: npt.NDArray[np.float32]
    """Longest run of equal samples, as a share of the row."""
    clipped: npt.NDArray[np.int32]
    """Samples that sit on a stop; 0 if the row has none."""
    stop: npt.NDArray[np.float32]
    """The value they sit on (SI)."""
    spikes: npt.NDArray[np.int32]
    """Isolated samples far outside."""
    spike: npt.NDArray[np.float32]
    """The largest of them, in standard deviations of the row."""
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]
    """Smallest and largest sample (SI)."""
    digest: npt.NDArray[np.uint64]
    """Fingerprint of the bytes, to tell a block from the one before."""
    sigma: npt.NDArray[np.float32]
    """Level: the robust standard deviation (SI), see `inspect`; 0 where the row is constant or not finite."""

    def suspicious(self) -> npt.NDArray[np.bool_]:
        """Blocks whose figures want a judgement [blocks]; the others have no finding but by their measuring range."""
        any_figure = ~self.finite | (self.constant > 0.0) | (self.clipped > 0) | (self.spikes > 0)
        return np.asarray(any_figure.any(axis=1))


@njit(cache=True, nogil=True)
def _survey(
    row: npt.NDArray[np.float32],
    bits: npt.NDArray[np.uint32],
    lanes: npt.NDArray[np.float32],
    hashes: npt.NDArray[np.uint32],
) -> None:
    """First pass: smallest, largest, sum of differences from the first sample, 0 or NaN, and a hash, in lanes."""
    low, high, total, finite = lanes[0], lanes[1], lanes[2], lanes[3]
    first = row[0]
    for lane in range(LANES):
        low[lane] = high[lane] = first
        total[lane] = finite[lane] = np.float32(0.0)
        hashes[lane] = np.uint32(2166136261)
    full = row.size - row.size % LANES
    for i in range(0, full, LANES):
        for lane in range(LANES):
            value = row[i + lane]
            low[lane] = min(low[lane], value)
            high[lane] = max(high[lane], value)
            total[lane] += value - first
            finite[lane] += value - value
            hashes[lane] = np.uint32((hashes[lane] ^ bits[i + lane]) * np.uint32(16777619))
    for i in range(full, row.size):
        lane = i - full
        low[lane] = min(low[lane], row[i])
        high[lane] = max(high[lane], row[i])
        total[lane] += row[i] - first
        finite[lane] += row[i] - row[i]
        hashes[lane] = np.uint32((hashes[lane] ^ bits[i]) * np.uint32(16777619))


@njit(cache=True, nogil=True)
def _count(
    row: npt.NDArray[np.float32],
    mean: np.float32,
    low: np.float32,
    high: np.float32,
    lanes: npt.NDArray[np.float32],
) -> None:
    """Second pass: absolute deviation, and samples at the lowest and at the highest value, in lanes.

    Counts are kept in float32, exact to 16 million, so that all lanes of a sample are of one width.
    """
    deviation, at_low, at_high = lanes[0], lanes[1], lanes[2]
    zero, one = np.float32(0.0), np.float32(1.0)
    for lane in range(LANES):
        deviation[lane] = at_low[lane] = at_high[lane] = zero
    full = row.size - row.size % LANES
    for i in range(0, full, LANES):
        for lane in range(LANES):
            value = row[i + lane]
            deviation[lane] += abs(value - mean)
            at_low[lane] += one if value == low else zero
            at_high[lane] += one if value == high else zero
    for i in range(full, row.size):
        lane = i - full
        deviation[lane] += abs(row[i] - mean)
        at_low[lane] += one if row[i] == low else zero
        at_high[lane] += one if row[i] == high else zero


@njit(cache=True, nogil=True)
def _equal_neighbours(row: npt.NDArray[np.float32]) -> int:
    """Number of samples that equal the one before; a pass of its own, because unaligned reads slow the other down."""
    equal = 0
    for i in range(row.size - 1):
        equal += row[i] == row[i + 1]
    return equal


@njit(cache=True, nogil=True)
def _longest_run(row: npt.NDArray[np.float32]) -> int:
    """Length of the longest run of equal samples."""
    longest = run = 1
    for i in range(1, row.size):
        run = run + 1 if row[i] == row[i - 1] else 1
        longest = max(longest, run)
    return longest


@njit(cache=True, nogil=True)
def _inspect_row(
    row: npt.NDArray[np.float32],
    bits: npt.NDArray[np.uint32],
    floats: npt.NDArray[np.float32],
    hashes: npt.NDArray[np.uint32],
) -> tuple[bool, float, int, np.float32, int, float, np.float32, np.float32, float]:
    _survey(row, bits, floats, hashes)
    low, high, total, finite = floats[0, 0], floats[1, 0], 0.0, np.float32(0.0)
    for lane in range(LANES):
        low, high = min(low, floats[0, lane]), max(high, floats[1, lane])
        total += floats[2, lane]
        finite += floats[3, lane]
    if not (finite == np.float32(0.0)):  # noqa: SIM201  # NaN is not equal to 0, and not different either
        return False, 0.0, 0, np.float32(0.0), 0, 0.0, low, high, 0.0
    if low == high:
        return True, 1.0, 0, np.float32(0.0), 0, 0.0, low, high, 0.0
    mean = np.float32(row[0] + total / row.size)
    _count(row, mean, low, high, floats)
    deviation = 0.0
    at_low = at_high = 0
    for lane in range(LANES):
        deviation += floats[0, lane]
        at_low += int(floats[1, lane])
        at_high += int(floats[2, lane])
    constant = _longest_run(row) / row.size if 4 * _equal_neighbours(row) >= row.size else 0.0
    clipped, stop = 0, np.float32(0.0)
    if at_high >= CLIP_SAMPLES and is_stop(row, low, high, high, at_high):
        clipped, stop = at_high, high
    if at_low >= CLIP_SAMPLES and is_stop(row, low, high, low, at_low):
        clipped, stop = clipped + at_low, stop if clipped else low
    sigma = _SIGMA_OF_MEAN_DEVIATION * deviation / row.size
    spikes, spike = 0, 0.0
    if max(high - mean, mean - low) > SPIKE_SIGMA * sigma:
        spikes, spike = find_spikes(row, mean, sigma)
    return True, constant, clipped, stop, spikes, spike, low, high, sigma


@njit(cache=True, nogil=True)
def _inspect_rows(rows: npt.NDArray[np.float32], bits: npt.NDArray[np.uint32], out: Inspection) -> None:
    floats = np.empty((4, LANES), np.float32)
    hashes = np.empty(LANES, np.uint32)
    for b in range(rows.shape[0]):
        (
            out.finite[b],
            out.constant[b],
            out.clipped[b],
            out.stop[b],
            out.spikes[b],
            out.spike[b],
            out.low[b],
            out.high[b],
            out.sigma[b],
        ) = _inspect_row(rows[b], bits[b], floats, hashes)
        digest = np.uint64(14695981039346656037)
        for lane in range(LANES):
            digest = (digest ^ np.uint64(hashes[lane])) * np.uint64(1099511628211)
        out.digest[b] = digest


def inspect(x: npt.NDArray[np.float32]) -> Inspection:
    """Measure what tells a sensor fault in each block and channel.

    Parameters
    ----------
    x : float32 [blocks, channels, n], C-contiguous
        Samples in SI.

    Returns
    -------
    Inspection
        Arrays [blocks, channels]; a row depends on its own samples only.

    Raises
    ------
    ValueError
        If the blocks have no samples.

    Notes
    -----
    The standard deviation here is the mean absolute deviation times sqrt(pi/2), which is the standard deviation of
    Gaussian noise and hardly moves for a few outliers.
    """
    blocks, channels, n = x.shape
    if n == 0:
        raise ValueError("blocks without samples cannot be inspected")
    rows = np.ascontiguousarray(x, np.float32).reshape(blocks * channels, n)
    if not rows.flags.writeable:
        rows = rows.copy()  # a second compiled variant for read-only views would cost more than the copy
    out = Inspection(
        finite=np.empty(len(rows), np.bool_),
        constant=np.empty(len(rows), np.float32),
        clipped=np.empty(len(rows), np.int32),
        stop=np.empty(len(rows), np.float32),
        spikes=np.empty(len(rows), np.int32),
        spike=np.empty(len(rows), np.float32),
        low=np.empty(len(rows), np.float32),
        high=np.empty(len(rows), np.float32),
        digest=np.empty(len(rows), np.uint64),
        sigma=np.empty(len(rows), np.float32),
    )
    _inspect_rows(rows, rows.view(np.uint32), out)
    for figures in out:
        figures.shape = (blocks, channels)
    return out
