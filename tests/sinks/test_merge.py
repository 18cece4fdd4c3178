"""Alerts of several partitions in one order: a backlog is folded as it happened, and nobody waits for who says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.lines.merge import PATIENCE_S, Merge

BACKLOG = st.lists(st.lists(st.integers(0, 50), max_size=8).map(sorted), min_size=1, max_size=4)


@pytest.mark.slow
@given(BACKLOG, st.randoms(use_true_random=False), st.integers(1, 5))
def test_a_backlog_is_taken_in_the_order_of_time_however_it_is_read(backlog, rng, most):
    """One partition may be read far ahead of the others: what is taken is sorted, complete, and in order of each partition."""
    merge = Merge(range(len(backlog)), 0.0)
    reads = [number for number, line in enumerate(backlog) for _ in line] + list(range(len(backlog)))
    rng.shuffle(reads)
    place, taken = [0] * len(backlog), []
    for number in reads:  # the last read of each is its end
        if place[number] < len(backlog[number]):
            merge.add(
                number, backlog[number][place[number]], (backlog[number][place[number]], number, place[number]), 1.0
            )
        else:
            merge.ended(number)
        place[number] += 1
        taken += merge.take(most, 1.0)
    while more := merge.take(most, 1.0):
        taken += more

    assert taken == sorted((at, number, n) for number, line in enumerate(backlog) for n, at in enumerate(line))


def test_live_nothing_waits_and_a_partition_that_is_away_holds_up_for_seconds_only():
    """At their ends partitions hold up nothing; one of which nothing is heard does, until patience ends."""
    merge: Merge[str] = Merge((0, 1), 0.0)
    merge.add(0, 10, "a", 1.0)
    assert merge.take(9, 1.0) == []
    assert merge.take(9, PATIENCE_S) == ["a"]

    merge.ended(0)
    merge.ended(1)
    merge.add(1, 20, "b", 60.0)
    assert merge.take(9, 60.0) == ["b"]
    merge.add(0, 30, "c", 61.0)
    assert merge.take(9, 61.0) == []  # nobody has said that partition 1 ends behind b
    merge.ended(1)
    assert merge.take(9, 61.0) == ["c"]
