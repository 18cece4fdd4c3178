"""Tags of machines whose frames change: the same features in any batching; values that no number holds."""

import numpy as np
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


@pytest.mark.parametrize("extreme", [1e308, -1e200, 1.1e30, 9e29, float("inf")])
def test_no_value_leaves_a_state_that_is_not_finite(extreme):
    """Half an hour of it and more, with either sign, in each of the tags: afterwards all is finite, and what follows has its features."""
    frames = [process(k, step_s=6.0) for k in range(120)]
    for k in range(20, 80):
        frames[k].values[:: 1 + k % 3, k % 3] = extreme * (-1) ** k
    fleet = Fleet(SPEC, assets=[PUMP])
    vectors = run(fleet, frames)
    arrays = fleet.capture(0, "pump-1").tree["points"][0]["scalars"]["arrays"]
    kept = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}

    assert [
        name for name, array in kept.items() if np.isinf(array).any() or (np.isnan(array).any() and name != "hour")
    ] == []
    assert all(value is None or np.isfinite(value) for vector in vectors for value in vector.values)
    assert vectors[-1].values[vectors[-1].names.index("mean[oil]")] is not None
