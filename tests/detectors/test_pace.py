"""The pace of a measuring point: what counts as independent, how long a step is, what an average may reach back to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.detectors import pace
from foreshock.detectors.constants import HORIZONS, PACE_BLOCKS, REACH, RING

SECOND = 1_000_000_000
STEPS = np.empty(PACE_BLOCKS, np.int64)


def ring_of(times: list[int], size: int = RING) -> np.ndarray:
    """The ring after these times were pushed."""
    ring = np.full(size, -1, np.int64)
    for i, at in enumerate(times):
        ring[i % size] = at
    return ring


def before(times: list[int], at_ns: int, horizon: int, limit_ns: int = 0, promised_ns: int = 0) -> int:
    ring = ring_of(times)
    step = pace.expected_step(ring, len(times), promised_ns, STEPS)
    return pace.related(ring, len(times), pace.Moment(at_ns, step, limit_ns), horizon)


@pytest.mark.parametrize(("at", "counts"), [(100, True), (149, False), (150, True), (400, True), (20, True)])
def test_what_shares_more_than_half_does_not_count(at: int, counts: bool) -> None:
    """A block of 100 ns that starts 50 ns after the last one counts, earlier it does not; nor a clock set back."""
    latest = 100 if at != 100 else -1

    assert pace.independent(latest, at, 50) is counts


def test_a_steady_pace_fills_every_average() -> None:
    """Blocks that come as they always did: each horizon takes in all that it may."""
    times = [i * SECOND for i in range(40)]

    assert [before(times, 40 * SECOND, k) for k in HORIZONS] == [k - 1 for k in HORIZONS]


def test_a_gap_empties_the_averages_that_are_short_against_it() -> None:
    """After a minute without blocks of one second the average over 4 starts anew, that over 16 reaches 64 s back."""
    times = [i * SECOND for i in range(40)]

    assert [before(times, 99 * SECOND, k) for k in HORIZONS] == [0, 0, 5]
    assert [before(times, 39 * SECOND + REACH * 16 * SECOND + 1, k) for k in HORIZONS] == [0, 0, 0]


def test_after_the_gap_the_averages_fill_again() -> None:
    """What came after the gap belongs together."""
    times = [*(i * SECOND for i in range(40)), *((3600 + i) * SECOND for i in range(6))]

    assert [before(times, 3606 * SECOND, k) for k in HORIZONS] == [0, 3, 6]


def test_a_new_cadence_is_taken_after_eight_blocks() -> None:
    """A wireless sensor set from one block a second to one in ten minutes averages again soon."""
    times = [i * SECOND for i in range(40)]
    found = []
    for i in range(1, 40):
        at = times[39] + i * 600 * SECOND
        found.append(before(times, at, 16))
        times.append(at)

    assert found == [0] * 8 + [15] * 31


def test_a_promised_interval_is_the_least_step() -> None:
    """A sensor that promises a block a minute and catches up at one a second is still one of minutes."""
    times = [i * SECOND for i in range(40)]

    assert before(times, 240 * SECOND, 4) == 0
    assert before(times, 240 * SECOND, 4, promised_ns=60 * SECOND) == 3
    assert before(times, 1000 * SECOND, 4, promised_ns=60 * SECOND) == 0


def test_the_setting_limits_what_the_pace_allows() -> None:
    """`horizon_s` only ever shortens."""
    times = [i * SECOND for i in range(40)]

    assert before(times, 40 * SECOND, 16, limit_ns=5 * SECOND) == 5
    assert before(times, 99 * SECOND, 16, limit_ns=3600 * SECOND) == 5


def test_times_decades_apart_do_not_overflow() -> None:
    """Steps of decades times a long horizon stay right."""
    times = [i * 10**9 * SECOND for i in range(4)]

    assert before(times, 4 * 10**9 * SECOND, 16) == 4
    assert pace.lived(0, 10**18, 10**18) == 10**18


def test_lived_time_leaves_gaps_out() -> None:
    """A step of up to four expected ones counts, a longer one does not, nor the first block, nor a step back."""
    assert pace.lived(0, 4 * SECOND, SECOND) == 4 * SECOND
    assert pace.lived(0, 4 * SECOND + 1, SECOND) == 0
    assert pace.lived(-1, SECOND, SECOND) == 0
    assert pace.lived(SECOND, 0, SECOND) == 0


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60), st.sampled_from(HORIZONS), st.integers(0, 10**7))
def test_an_average_never_reaches_further_than_it_says(steps: list[int], horizon: int, limit: int) -> None:
    """Whatever the times: no more than the horizon, nothing older than the reach, and everything younger."""
    times = np.cumsum(steps).tolist()
    at = times.pop()
    taken = before(times, at, horizon, limit)
    step = pace.expected_step(ring_of(times), len(times), 0, STEPS)
    most = min(filter(None, (REACH * horizon * step, limit)), default=at)

    assert 0 <= taken <= min(len(times), horizon - 1)
    assert all(at - t <= most for t in times[len(times) - taken :])
    assert taken == min(len(times), horizon - 1) or at - times[len(times) - taken - 1] > most
