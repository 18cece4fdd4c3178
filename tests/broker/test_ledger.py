"""The ledger and the custody of state: what a commit may pass, and what a rebalance may keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.custody import Custody
from foreshock.streams.ledger import Ledger

P0, P1 = ("sensors.v1", 0), ("sensors.v1", 1)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.randoms())
def test_position_never_passes_a_batch_that_is_under_way(sizes, random):
    """Whatever the order in which batches are done, the position is the end of the done ones without a gap."""
    ledger = Ledger()
    ledger.start({P0: 0})
    lasts, at = [], -1
    for size in sizes:
        at += size
        lasts.append(at)
        ledger.hand_out(P0, at)
    order = lasts.copy()
    random.shuffle(order)
    done: set[int] = set()
    for last in order:
        ledger.done(P0, last)
        done.add(last)
        unbroken = [each for i, each in enumerate(lasts) if set(lasts[: i + 1]) <= done]
        assert ledger.positions()[P0] == (unbroken[-1] + 1 if unbroken else 0)
    assert ledger.outstanding() == 0
    assert ledger.progress == len(sizes)


def test_order_of_the_input_is_checked():
    """An offset that does not increase stops the worker: too much rests on the order."""
    ledger = Ledger()
    ledger.start({P0: 10})
    with pytest.raises(ValueError):
        ledger.hand_out(P0, 9)
    ledger.hand_out(P0, 12)
    with pytest.raises(ValueError):
        ledger.hand_out(P0, 12)


def test_late_acknowledgement_of_a_former_assignment_counts_for_nothing():
    """A batch that was under way when its partition was lost does not move the position of the next assignment."""
    ledger = Ledger()
    ledger.start({P0: 0, P1: 0})
    ledger.hand_out(P1, 5)
    ledger.start({P0: 0})
    ledger.done(P1, 5)

    assert ledger.positions() == {P0: 0}
    assert ledger.uncommitted() == {}


def test_only_what_moved_is_committed():
    """A checkpoint holds the partitions that moved since the last one, and no partition that never had an offset."""
    ledger = Ledger()
    ledger.start({P0: 3, P1: None})

    assert ledger.uncommitted() == {}

    ledger.hand_out(P1, 0)
    ledger.done(P1, 0)

    assert ledger.uncommitted() == {P1: 1}

    ledger.committed({P1: 1})

    assert ledger.uncommitted() == {}


@pytest.mark.parametrize(
    ("positions", "dropped"),
    [
        ({P0: 7}, []),
        ({P0: 6}, [{0}]),  # a rewind: folding 6 again would learn it twice
        ({P0: 9}, [{0}]),  # another worker did 7 and 8
        ({P0: None}, [{0}]),
        ({P1: 7}, [{0}]),
    ],
)
def test_state_is_kept_exactly_where_it_fits(positions, dropped):
    """The state of a partition survives a rebalance if reading goes on at the offset it is folded up to."""
    released = []
    custody = Custody(lambda partitions: released.append(set(partitions)))
    custody.fold(P0, 7)
    custody.assigned(positions)

    assert released == dropped


def test_lost_partitions_lose_their_state():
    """What others may have by now is dropped at once, and once."""
    released = []
    custody = Custody(lambda partitions: released.append(set(partitions)))
    custody.fold(P0, 7)
    custody.drop([P0, P1])
    custody.drop([P0])

    assert released == [{0}]
