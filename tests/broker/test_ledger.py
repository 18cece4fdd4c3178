"""The ledger and the custody of state: what a commit may pass, and what a rebalance may keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.state.custody import Custody
from foreshock.streams.state.ledger import Ledger

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


@pytest.fixture
def released():
    """What the Fleet was told to drop."""
    return []


@pytest.fixture
def custody(released):
    """A custody that holds partition 0 up to offset 7, with state.v1 ending at 20."""
    made = Custody(lambda partitions: released.append(set(partitions)))
    made.fold(P0, 7)
    made.stored(P0, 20)
    return made


@pytest.mark.parametrize(("end", "fits"), [(20, True), (22, False), (19, False)])
def test_state_is_kept_where_nobody_else_has_written(custody, end, fits):
    """The state of a partition survives a rebalance if state.v1 ends where our own last commit ended."""
    assert custody.fits(P0, end) == fits


def test_state_of_unknown_commit_does_not_fit(custody):
    """Where it is not known whether the last transaction was committed the state is read anew."""
    custody.stored(P0, None)

    assert not custody.fits(P0, 20)


@pytest.mark.parametrize(("delivered", "dropped"), [({P0: 7}, []), ({P0: 6}, [{0}]), ({}, [{0}])])
def test_state_ahead_of_its_outputs_is_dropped(custody, released, delivered, dropped):
    """What was folded in without all outputs being out has to be computed again, from the state before."""
    custody.settle(delivered)

    assert released == dropped


def test_lost_partitions_lose_their_state(custody, released):
    """What others may have by now is dropped at once, and once."""
    custody.drop([P0, P1])
    custody.drop([P0])

    assert released == [{0}]
    assert not custody.fits(P0, 20)
