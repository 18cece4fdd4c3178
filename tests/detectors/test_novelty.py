"""The parts of novelty, each against a plain computation."""

from __future__ import annotations

import numpy as np

from foreshock.detectors import novelty
from foreshock.detectors.constants import HORIZONS, NEIGHBOURS, RING

RNG = np.random.default_rng(4)
FEATURES, STORED = 5, 40


def memory() -> np.ndarray:
    return RNG.normal(size=(FEATURES, 128)).astype(np.float32)


def test_neighbours_are_the_nearest_in_order() -> None:
    """The same indices as a sort of all distances, the skipped vector left out."""
    stored, z = memory(), RNG.normal(size=FEATURES).astype(np.float32)
    distance, near = np.empty(128, np.float32), np.empty(NEIGHBOURS, np.int64)
    count = novelty.neighbours(stored, STORED, z, 3, distance, near)
    plain = np.square(stored[:, :STORED] - z[:, None]).sum(axis=0)
    plain[3] = np.inf

    assert near[:count].tolist() == np.argsort(plain)[:NEIGHBOURS].tolist()


def test_residual_is_the_distance_to_the_local_mean() -> None:
    """z minus the mean of the neighbours."""
    stored, z = memory(), RNG.normal(size=FEATURES).astype(np.float32)
    near, out = np.array([1, 7, 9, 20, 33]), np.empty(FEATURES, np.float32)
    novelty.residual(stored, near, 5, z, out)

    np.testing.assert_allclose(out, z - stored[:, near].mean(axis=1), atol=1e-6)


def test_average_runs_over_the_ring() -> None:
    """The mean of the last k residuals, the latest included, also where the ring has turned over."""
    history = RNG.normal(size=(50, FEATURES)).astype(np.float32)
    ring, mean = np.zeros((RING, FEATURES), np.float32), np.empty(FEATURES, np.float32)
    for i, latest in enumerate(history):
        for horizon in HORIZONS:
            count = novelty.average(ring, i, latest, min(i, horizon - 1), mean)
            wanted = history[max(0, i + 1 - horizon) : i + 1]
            assert count == len(wanted)
            np.testing.assert_allclose(mean, wanted.mean(axis=0), atol=1e-5)
        novelty.push(ring, i, latest)


def test_a_bias_shows_in_the_long_average() -> None:
    """Noise cancels and a bias stays: over 16 blocks half a standard deviation exceeds what noise ever reached."""
    noise = RNG.normal(size=(300, FEATURES)).astype(np.float32)
    ring, mean = np.zeros((RING, FEATURES), np.float32), np.empty(FEATURES, np.float32)
    norms = []
    for i, latest in enumerate(np.concatenate([noise, noise[:60] + np.float32(1.0)])):
        norms.append(novelty.norm(mean, novelty.average(ring, i, latest, min(i, 15), mean), 16))
        novelty.push(ring, i, latest)

    assert min(norms[320:]) > max(norms[:300])


def test_a_feature_that_never_moves_has_a_floored_scale() -> None:
    """A scale of zero would make every later change infinite."""
    stored = memory()
    stored[2] = 7.0
    centre, scale = np.empty(FEATURES, np.float32), np.empty(FEATURES, np.float32)
    novelty.robust_scale(stored, STORED, centre, scale, False)

    assert centre[2] == 7.0
    assert scale[2] == np.float32(0.02)
    assert np.abs(np.median(stored[:, :STORED], axis=1)).max() < 1e-6
