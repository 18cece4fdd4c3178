"""Order and offsets of a sink, and its pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.streams.sinks.order import Order
from foreshock.streams.sinks.pace import Bucket


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcde")), max_size=60), st.randoms(use_true_random=False))
def test_alerts_stay_in_order_and_offsets_never_pass_what_is_not_done(records, rng):
    """Whatever is done when: of an alert one at a time in order, and the position is below everything that is not done."""
    order: Order[tuple[int, int]] = Order()
    for partition in range(3):
        order.begin(partition, 10)
    offsets = dict.fromkeys(range(3), 10)
    under_way: list[tuple[tuple[int, int], str]] = []
    sent: dict[str, list[tuple[int, int]]] = {}
    read: dict[str, list[tuple[int, int]]] = {}
    for partition, name in records:
        alert = f"{name}{partition}"  # an alert has one partition
        place = (partition, offsets[partition])
        offsets[partition] += rng.choice((1, 1, 3))  # what a compacted or transactional topic leaves out
        read.setdefault(alert, []).append(place)
        if order.add(place, alert, place):
            under_way.append((place, alert))
            sent.setdefault(alert, []).append(place)
        if under_way and rng.random() < 0.6:
            finish(order, under_way, sent, rng)
        open_ = [place for alert, places in read.items() for place in places[len(sent.get(alert, [])) :]]
        open_ += [place for place, _ in under_way]
        assert len(order) == len(open_)
        for number, position in order.positions().items():
            assert all(offset >= position for partition, offset in open_ if partition == number)
    while under_way:
        finish(order, under_way, sent, rng)

    assert sent == read
    assert len(order) == 0
    assert order.span() == 0
    ends = {place: place[1] + 1 for places in read.values() for place in places}
    assert order.positions() == {
        number: max([10, *(end for place, end in ends.items() if place[0] == number)]) for number in range(3)
    }


def finish(order, under_way, sent, rng):
    place, alert = under_way.pop(rng.randrange(len(under_way)))
    following = order.done(place, alert)
    if following is not None:
        under_way.append((following, alert))
        sent[alert].append(following)


def test_what_is_skipped_counts_as_done():
    """A record that concerns nobody lets the position pass, but only together with those before it."""
    order: Order[str] = Order()
    order.begin(0, 5)
    order.add((0, 5), "a", "first")
    order.skip((0, 6))

    assert order.positions() == {0: 5}
    order.done((0, 5), "a")
    assert order.positions() == {0: 7}


def test_dropped_partition_takes_its_lines_with_it():
    """What was under way of a partition that moved is nobody's any more; the others go on."""
    order: Order[str] = Order()
    order.begin(0, 0)
    order.begin(1, 0)
    order.add((0, 0), "a", "a0")
    order.add((1, 0), "b", "b0")
    order.add((1, 1), "b", "b1")

    order.drop([0])

    assert order.done((0, 0), "a") is None
    assert order.done((1, 0), "b") == "b1"
    assert order.positions() == {1: 1}
    assert len(order) == 1


def test_offsets_must_increase():
    """A record out of order is a defect, never something to deliver."""
    order: Order[str] = Order()
    order.begin(0, 3)
    order.add((0, 4), "a", "x")

    with pytest.raises(ValueError, match="came after a later one"):
        order.add((0, 4), "b", "y")
    with pytest.raises(ValueError, match="came after a later one"):
        order.add((0, 2), "b", "y")


@given(st.lists(st.floats(0, 5), max_size=40), st.floats(0.1, 50), st.integers(1, 5))
def test_no_window_has_more_than_burst_and_rate_allow(gaps, per_s, burst):
    """In any stretch of time at most `burst + per_s * t` deliveries begin."""
    bucket = Bucket(per_s, burst)
    now, starts = 0.0, []
    for gap in gaps:
        now += gap
        starts.append(now + bucket.take(now))
    starts.sort()

    for first in range(len(starts)):
        for last in range(first, len(starts)):
            assert last - first + 1 <= burst + per_s * (starts[last] - starts[first]) + 1 + 1e-6


def test_no_rate_is_no_wait():
    """0 per second means as fast as the sink takes them."""
    bucket = Bucket(0.0, 1)

    assert [bucket.take(0.0) for _ in range(5)] == [0.0] * 5
