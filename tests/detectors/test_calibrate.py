"""The conformal rank is a p-value: under no change its ranks are evenly spread."""

from __future__ import annotations

import numpy as np
import pytest

from foreshock.detectors.calibrate import rank, remember


def test_counts_itself_and_those_at_least_as_large() -> None:
    """(1 + number of healthy scores at least as large) / (number + 1)."""
    healthy = np.array([0.1, 0.2, 0.3, 0.3, 9.0], np.float32)

    assert rank(healthy, 4, 0.25) == pytest.approx(3 / 5)
    assert rank(healthy, 4, 1.0) == pytest.approx(1 / 5)
    assert rank(healthy, 0, 1.0) == 1.0


def test_ranks_of_unchanged_scores_are_uniform() -> None:
    """At most a share p of healthy scores has a p-value of p, for every p."""
    rng = np.random.default_rng(8)
    healthy, found = np.zeros(256, np.float32), []
    for i, value in enumerate(rng.exponential(size=6000)):
        if i >= 256:
            found.append(rank(healthy, i, value))
        remember(healthy, i, value)

    for p in (0.01, 0.05, 0.2, 0.5):
        assert np.mean(np.array(found) <= p) == pytest.approx(p, abs=0.02)


def test_the_newest_replaces_the_oldest() -> None:
    """The memory is a ring."""
    healthy = np.zeros(3, np.float32)
    for i, value in enumerate([1.0, 2.0, 3.0, 4.0]):
        remember(healthy, i, value)

    assert healthy.tolist() == [4.0, 2.0, 3.0]
