"""What the features of a block cost: `python -m bench.kernels_features`.

Prints microseconds of one core (CPU time) for a block of 4096 float32 of one channel, best of several rounds, in batches
of 64. The block features are held against a careful loop over single blocks in numpy and scipy: precomputed window and
edges, float32 transforms, no scipy.stats. The SIGNAL set of a measurement window, with nothing masked, is held against
scipy's own functions called one block at a time (`bench.signal_by_hand`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import foreshock  # noqa: F401  # pins the numeric platform before numpy is imported

# isort: split
import numpy as np
import scipy.fft

from bench import signal_by_hand
from foreshock.contract import Acquisition
from foreshock.features import envelope, quality, run_state, spectrum
from foreshock.features.arrival import Arrival
from foreshock.features.catalog import FULL, LEAN, FeatureSet, extract
from foreshock.features.signal import Gear, Given
from foreshock.features.signal import extract as extract_signal

N = 4096
BATCH = 64
ROUNDS = 40
GOALS_US = {"lean": 15.0, "full": 45.0, "signal": 60.0}
RATE_HZ, SPEED_HZ, TEETH = 4096.0, 25.0, 20
"""A second of a slow rate, so that velocity and gear mesh are made too."""
GIVEN = Given(RATE_HZ, SPEED_HZ, SPEED_HZ, "acceleration", gears=(Gear("pinion", TEETH),))
PLAN = spectrum.plan(N)
WINDOW = PLAN.window
EDGES = PLAN.edges[:, 0].copy()
FREQUENCIES = PLAN.frequencies[::2].copy()
SLICES = [(int(a * N), int(b * N)) for a, b in envelope.BANDS]
SHORT = envelope.plan(N).window


def one_block(x: np.ndarray, *, with_envelope: bool) -> list[float]:
    """Compute the same features of one block as a careful hand would write them."""
    d = x - x.mean()
    squares = d * d
    variance = float(squares.mean()) + 1e-30
    peak = float(np.abs(d).max())
    rms = variance**0.5
    kurtosis = float(np.dot(squares, squares)) / N / variance**2
    skewness = float(np.dot(squares, d)) / N / variance**1.5
    s = scipy.fft.rfft(d * WINDOW)
    p = s.real**2 + s.imag**2
    bands = np.log(np.add.reduceat(p, EDGES) + 1e-30)
    found = [rms, peak, peak / rms, kurtosis, skewness, *bands.tolist()]
    if with_envelope:
        for low, high in SLICES:
            found += one_envelope(s[low:high])
    return [*found, float(np.dot(FREQUENCIES, p)) / float(p.sum())]


def one_envelope(part: np.ndarray) -> list[float]:
    """Compute the triple of one band."""
    padded = np.zeros(len(SHORT), np.complex64)
    padded[: len(part)] = part
    e = np.abs(scipy.fft.ifft(padded))
    mean = float(e.sum()) / float(SHORT.sum())
    relative = e / np.float32(mean) - SHORT
    depth = float(np.dot(relative, relative))
    lines = np.abs(scipy.fft.rfft(relative))[2:-1]
    return [float(np.log(mean)), float(np.log(depth)), float(np.log(lines.max() / np.median(lines)))]


def best_us(work: Callable[[], object], blocks: int, rounds: int = ROUNDS) -> float:
    """Best CPU time for a block over several rounds, in microseconds."""
    work()
    times = []
    for _ in range(rounds):
        start = time.thread_time_ns()
        work()
        times.append(time.thread_time_ns() - start)
    return min(times) / blocks * 1e-3


def loop(x: np.ndarray, feature_set: FeatureSet) -> list[list[float]]:
    """Go through the batch one block at a time."""
    return [one_block(block[0], with_envelope=feature_set is FULL) for block in x]


def signal_loop(x: np.ndarray) -> list[list[float]]:
    """Go through a batch with scipy's functions."""
    return [signal_by_hand.one_block(row, RATE_HZ, SPEED_HZ, TEETH) for row in x]


def fold_quality(count: int) -> None:
    """Fold healthy arrivals into one measuring point."""
    state = quality.PointState()
    for i in range(count):
        at = i * 160_000_000
        arrival = Arrival(at, at, i, N, 25600.0, None, Acquisition.CONTINUOUS, None)
        state = quality.step(state, arrival, (), (i,), ("x",)).state


def fold_runs(count: int) -> None:
    """Fold a steady speed into one asset."""
    memory = run_state.RunMemory()
    for _ in range(count):
        memory = run_state.step(memory, speed_hz=25.0, level=1.0)


def main() -> None:
    """Measure and print."""
    x = np.random.default_rng(0).normal(size=(BATCH, 1, N)).astype(np.float32)
    figures: dict[str, float] = {}
    for feature_set in (LEAN, FULL):
        name = feature_set.name
        figures[f"{name}_us"] = best_us(partial(extract, x, 25600.0, feature_set), BATCH)
        figures[f"{name}_loop_us"] = best_us(partial(loop, x, feature_set), BATCH)
        figures[f"{name}_ratio"] = figures[f"{name}_loop_us"] / figures[f"{name}_us"]
        figures[f"{name}_goal_us"] = GOALS_US[name]
    figures["signal_us"] = best_us(partial(extract_signal, x[:, 0], GIVEN), BATCH, rounds=4 * ROUNDS)
    figures["signal_loop_us"] = best_us(partial(signal_loop, x[:2, 0]), 2, rounds=5)
    figures["signal_ratio"] = figures["signal_loop_us"] / figures["signal_us"]
    figures["signal_goal_us"] = GOALS_US["signal"]
    figures["inspect_us"] = best_us(partial(quality.inspect, x), BATCH)
    figures["quality_step_us"] = best_us(partial(fold_quality, 500), 500)
    figures["run_state_step_us"] = best_us(partial(fold_runs, 500), 500)
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20s} {value:8.2f}")


if __name__ == "__main__":
    main()
