"""Tags of machines whose frames change: the same features in any batching."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foreshock.contract import Tag
from foreshock.fleet import Fleet
from tests.core.builders import START_NS
from tests.core.test_scalars import FAN, PUMP, SPEC, TAGS, process, run


def changing():
    """Frames of two machines whose tags change, back and forth, at different times."""
    other = (*TAGS[:2], Tag(name="flow", quantity="flow", unit="m3/s"))
    turns = {"pump-1": (30, 80), "fan-1": (10, 60)}  # tags are others from the first to before the second
    return [
        process(2 * k + i, asset=asset, tags=other if first <= k < second else TAGS, begins_ns=START_NS + k * 10**10)
        for k in range(110)
        for i, (asset, (first, second)) in enumerate(turns.items())
    ]


CHANGING = changing()


def told(cuts):
    """Vectors and last states of machines whose tags change."""
    fleet = Fleet(SPEC, assets=[PUMP, FAN])
    vectors = run(fleet, CHANGING, cuts)
    return vectors, [fleet.capture(0, name).digest() for name in ("pump-1", "fan-1")]


@pytest.fixture(scope="module")
def one_by_one():
    """The same, frame by frame."""
    return told(range(1, len(CHANGING)))


@settings(max_examples=10, deadline=None)
@given(st.sets(st.integers(1, len(CHANGING) - 1), max_size=8))
@example(set())
def test_tags_that_change_are_the_same_in_any_batching(one_by_one, cuts):
    """A model that is renewed later in a batch takes no vector from the frames before; each goes to its tags in order."""
    assert told(cuts) == one_by_one
    assert {vector.channels[2] for vector in one_by_one[0]} == {"motor", "flow"}
