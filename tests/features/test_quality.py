"""Whole blocks: from samples and arrival to findings, transitions and usability."""

import numpy as np
import pytest

from foreshock.contract import Acquisition
from foreshock.features import quality
from foreshock.features.arrival import NS, Arrival
from foreshock.features.quality import PointState, inspect, judge, step

N = 1024
CHANNELS = ("DE", "FE")
START = 1_600_000_000 * NS


def samples(seed):
    return np.random.default_rng(seed).normal(size=(2, N)).astype(np.float32)


def arrival(i):
    at = START + i * NS // 4
    return Arrival(at, at, i, N, 4096.0, None, Acquisition.CONTINUOUS, None)


def play(blocks, order=None, measuring_range=(None, None)):
    """Fold blocks in order; gives the steps."""
    state, steps = PointState(), []
    inspection = inspect(np.stack(blocks))
    for b, i in enumerate(order or range(len(blocks))):
        findings = judge(inspection, b, CHANNELS, N, measuring_range)
        steps.append(step(state, arrival(i), findings, tuple(inspection.digest[b].tolist()), CHANNELS))
        state = steps[-1].state
    return steps


def story(steps):
    return [(("+" if t.raised else "-") + t.finding.kind, t.finding.channel) for s in steps for t in s.transitions]


def test_healthy_blocks_are_usable():
    """Nothing found, nothing said."""
    steps = play([samples(i) for i in range(10)])

    assert all(s.usable and not s.late and not s.kinds and not s.reason for s in steps)
    assert story(steps) == []


def test_a_frozen_channel_is_raised_at_its_first_block_and_cleared_by_the_third_good_one():
    """The channel is named, the block is not usable, and the reason says why."""
    blocks = [samples(i) for i in range(12)]
    for b in (4, 5, 6):
        blocks[b][1] = 0.5
    steps = play(blocks)

    assert story(steps) == [("+frozen", "FE"), ("-frozen", "FE")]
    assert [s.usable for s in steps] == [True] * 4 + [False] * 3 + [True] * 5
    assert steps[9].transitions[0].raised is False
    assert "FE" in steps[4].reason


def test_a_block_sent_with_new_stamps_is_frozen():
    """The same samples under a new time and sequence number: noise never repeats itself."""
    blocks = [samples(0), samples(1), samples(1), samples(2)]
    steps = play(blocks)

    assert [s.kinds for s in steps] == [(), (), ("frozen",), ()]
    assert story(steps[:3]) == [("+frozen", "DE"), ("+frozen", "FE")]


def test_a_duplicate_is_late_and_changes_nothing_but_its_condition():
    """A record that came twice is no frozen sensor."""
    steps = play([samples(0), samples(1), samples(1), samples(2)], order=[0, 1, 1, 2])

    assert [s.kinds for s in steps] == [(), (), ("duplicate",), ()]
    assert steps[2].late
    assert not steps[2].usable
    assert (steps[2].state.place, steps[2].state.digests) == (steps[1].state.place, steps[1].state.digests)


def test_a_spike_and_a_clipped_channel_are_told_apart():
    """Each with its kind, its value and its limit."""
    spiked, clipped = samples(1), np.clip(samples(2), -1.5, 1.5)
    spiked[0, 500] = 40.0
    steps = play([samples(0), spiked, clipped])

    assert [s.kinds for s in steps] == [(), ("spike",), ("clipped",)]
    assert steps[1].transitions[0].finding.value > steps[1].transitions[0].finding.limit
    assert {t.cause for s in steps for t in s.transitions} == {"sensor"}


def test_many_lone_samples_are_not_a_spike():
    """What happens all the time is made by something."""
    x = samples(0)
    x[0, 40::60] = 40.0 + np.arange(len(x[0, 40::60]))

    assert play([x])[0].kinds == ()


@pytest.mark.parametrize(
    ("top", "kind"), [(9.9, ()), (10.0, ("clipped",)), (10.1, ("clipped",)), (11.0, ("out_of_range",))]
)
def test_the_measuring_range_is_a_stop(top, kind):
    """At its end the sensor is overdriven; well beyond, the value cannot have been measured."""
    x = samples(0) * 0.1
    x[0] += np.linspace(0, top - x[0, -1], N, dtype=np.float32)
    x[0] = np.minimum(x[0], np.float32(top))
    x[0, -1] = top

    assert play([x], measuring_range=(-10.0, 10.0))[0].kinds == kind


def test_a_gap_and_a_clock_leave_the_block_usable():
    """The samples are right even where their neighbours or their stamps are not."""
    steps = play([samples(i) for i in range(6)], order=[0, 1, 2, 7, 8, 9])

    assert steps[3].kinds == ("gap",)
    assert steps[3].usable
    assert [t.cause for t in steps[3].transitions] == ["gateway"]


def test_a_step_is_pure():
    """The same state and block give the same result, and the state before is untouched."""
    inspection = inspect(samples(1)[None])
    digests = tuple(inspection.digest[0].tolist())
    before = step(PointState(), arrival(0), (), digests, CHANNELS).state
    first, second = (step(before, arrival(1), (), digests, CHANNELS) for _ in range(2))

    assert first == second
    assert before == step(PointState(), arrival(0), (), digests, CHANNELS).state


def test_samples_that_are_not_finite_are_out_of_range():
    """The border rejects them; if one gets here all the same, it is neither scored nor passed over in silence."""
    x = samples(0)
    x[1, 7] = np.nan
    (only,) = play([x])

    assert only.kinds == ("out_of_range",)
    assert not only.usable
    assert [t.finding.channel for t in only.transitions] == ["FE"]


def test_names_of_the_module_are_complete():
    """What a caller needs is exported."""
    assert {"inspect", "judge", "step", "PointState"} <= set(quality.__all__)
