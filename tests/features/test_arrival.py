"""Sequence, time and rate rules on streams whose trouble is known."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.contract import Acquisition, QualityKind
from foreshock.features.arrival import NS, Arrival, read

START = 1_600_000_000 * NS
PERIOD = NS // 4  # 1024 samples at 4096 samples/s


def block(i, **changes):
    base = Arrival(
        source_ns=START + i * PERIOD,
        ingest_ns=START + i * PERIOD + 50_000_000,
        sequence=i,
        samples=1024,
        rate_hz=4096.0,
        registered_rate_hz=None,
        acquisition=Acquisition.CONTINUOUS,
        interval_s=None,
    )
    return base._replace(**changes)


def play(arrivals):
    """Read the arrivals in order; gives the kinds of each, and the readings."""
    place, readings = None, []
    for arrival in arrivals:
        readings.append(read(place, arrival))
        place = readings[-1].place
    return [[str(f.kind) for f in r.findings] for r in readings], readings


def test_blocks_in_order_have_no_finding():
    """A healthy stream is silent."""
    kinds, readings = play(block(i) for i in range(50))

    assert kinds == [[]] * 50
    assert not any(r.late for r in readings)


def test_old_recordings_are_normal():
    """Source times years before the log-append time are a backlog, not a wrong clock."""
    kinds, _ = play(block(i, ingest_ns=START + 10**9 * NS) for i in range(20))

    assert kinds == [[]] * 20


def test_missing_sequence_numbers_are_a_gap():
    """The number of missing blocks is counted; the block after the gap is usable."""
    kinds, readings = play([*map(block, range(10)), *map(block, range(14, 24))])

    assert kinds[10] == ["gap"]
    assert readings[10].findings[0].value == 4
    assert readings[10].findings[0].usable
    assert kinds[11:] == [[]] * 9


def test_a_hole_in_time_is_a_gap_without_sequence_numbers():
    """A device that does not count is judged by its times."""
    kinds, _ = play(block(i, sequence=None) for i in [*range(10), *range(12, 20)])

    assert kinds[10] == ["gap"]
    assert sum(map(len, kinds)) == 1


def test_a_missing_snapshot_is_a_gap():
    """A wireless sensor promises an interval."""

    def snapshot(i):
        at = START + i * 600 * NS
        return block(i, source_ns=at, ingest_ns=at, sequence=None, acquisition=Acquisition.SNAPSHOT, interval_s=600.0)

    kinds, _ = play(map(snapshot, [0, 1, 2, 3, 5, 6]))

    assert kinds == [[], [], [], [], ["gap"], []]


def test_triggered_blocks_have_no_interval():
    """Blocks on an event come when they come."""
    times = [0, 1, 50, 51, 4000, 4001]
    kinds, _ = play(
        block(0, sequence=None, source_ns=START + t * NS, ingest_ns=START + t * NS, acquisition=Acquisition.TRIGGERED)
        for t in times
    )

    assert kinds == [[]] * 6


def test_a_repeated_block_is_a_duplicate():
    """The block before, or one of the last sixteen, sent again: late, and the place does not move."""
    kinds, readings = play(map(block, [0, 1, 2, 3, 3, 1, 2, 4]))

    assert kinds == [[], [], [], [], ["duplicate"], ["duplicate"], ["duplicate"], []]
    assert [r.late for r in readings] == [False] * 4 + [True] * 3 + [False]


def test_a_block_out_of_order_is_late():
    """An old block that was not seen before is late, not folded, and its absence was a gap."""
    kinds, readings = play(map(block, [0, 1, 2, 4, 3, 5]))

    assert kinds == [[], [], [], ["gap"], ["late", "out_of_order"], []]
    assert readings[4].late
    assert readings[4].place == readings[3].place


def test_a_declared_rate_that_changes_is_wrong():
    """The first declared rate counts where none is registered."""
    kinds, readings = play([*map(block, range(8)), *(block(i, rate_hz=2048.0) for i in range(8, 12)), block(12)])

    assert kinds[8:12] == [["wrong_rate"]] * 4
    assert not readings[8].findings[0].usable
    assert kinds[12] == []


def test_a_rate_other_than_registered_is_wrong_from_block_one():
    """The registered rate counts before any other."""
    kinds, readings = play(block(i, registered_rate_hz=8192.0) for i in range(3))

    assert kinds[0] == ["wrong_rate"]
    assert (readings[0].findings[0].value, readings[0].findings[0].limit) == (4096.0, 8192.0)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_a_spacing_that_contradicts_the_rate_is_a_wrong_rate(factor):
    """A device that silently samples at another rate is found out by its own clock within three blocks."""
    times = [START + i * PERIOD for i in range(10)]
    for _ in range(6):
        times.append(times[-1] + int(PERIOD * factor))
    kinds, readings = play(block(i, source_ns=t, ingest_ns=t) for i, t in enumerate(times))

    assert kinds[:12] == [[]] * 12
    assert kinds[12:] == [["wrong_rate"]] * 4
    assert readings[12].findings[0].value == pytest.approx(4096 / factor, rel=1e-3)
    assert not readings[12].findings[0].usable


def test_jittering_timestamps_are_no_wrong_rate():
    """A gateway that stamps on arrival jitters by a fifth of a block; the mean is right."""
    offsets = [0, 0.2, -0.1, 0.15, 0.0, -0.2, 0.1, 0.2, -0.15, 0.05] * 5
    arrivals = [block(i) for i in range(50)]
    moved = [a._replace(source_ns=a.source_ns + int(o * PERIOD)) for a, o in zip(arrivals, offsets, strict=True)]
    kinds, _ = play(moved)

    assert sum(map(len, kinds)) == 0


def test_blocks_that_never_followed_each_other_say_what_to_state():
    """One block a second without an interval: usable, and told how to declare it."""
    kinds, readings = play(block(i, source_ns=START + i * NS, ingest_ns=START + i * NS) for i in range(20))

    assert kinds[1:] == [["gap"]] * 19
    assert all(r.findings[0].usable for r in readings[1:])
    assert "acquisition=snapshot" in readings[-1].findings[0].detail


def test_a_recording_replayed_too_fast_stays_usable():
    """Blocks stamped on arrival, faster than they were taken: reported, and scored all the same."""
    times = [START + int(i * PERIOD * 0.05) for i in range(20)]
    kinds, readings = play(block(i, source_ns=t, ingest_ns=t) for i, t in enumerate(times))

    assert kinds[6:] == [["wrong_rate"]] * 14
    assert all(f.usable for r in readings for f in r.findings)


def test_a_clock_in_the_future_is_scored_at_ingest_time():
    """Ten minutes ahead: the block counts, its time does not, and no later block is late for it."""
    ahead = [block(i, source_ns=block(i).source_ns + 600 * NS) for i in range(5, 8)]
    kinds, readings = play([*map(block, range(5)), *ahead, *map(block, range(8, 12))])

    assert kinds == [[]] * 5 + [["clock"]] * 3 + [[]] * 4
    assert readings[5].at_ns == ahead[0].ingest_ns
    assert readings[5].findings[0].usable
    assert not any(r.late for r in readings)


def test_a_clock_in_the_future_from_block_one():
    """Nothing is believed of its time until it is right."""
    ahead = [block(i, source_ns=block(i).source_ns + 600 * NS) for i in range(3)]
    kinds, readings = play([*ahead, *map(block, range(3, 6))])

    assert kinds == [["clock"]] * 3 + [[]] * 3
    assert not any(r.late for r in readings)


def test_a_clock_set_back_is_taken_up_after_three_blocks():
    """An hour back with the sequence going on: late twice, then the new time counts."""
    back = [block(i, source_ns=block(i).source_ns - 3600 * NS) for i in range(10, 16)]
    kinds, readings = play([*map(block, range(10)), *back])

    assert kinds[10:13] == [["clock", "late"], ["clock", "late"], ["clock"]]
    assert kinds[13:] == [[]] * 3
    assert [r.late for r in readings[10:]] == [True, True, False, False, False, False]


def test_a_clock_set_back_and_forth_leaves_no_gap():
    """One block with a wrong time does not make the next one suspicious."""
    wrong = block(10, source_ns=START - 3600 * NS)
    kinds, _ = play([*map(block, range(10)), wrong, *map(block, range(11, 15))])

    assert kinds[10] == ["clock", "late"]
    assert kinds[11:] == [[]] * 4


def test_a_backlog_sent_again_is_no_clock_fault():
    """Old blocks with their old sequence numbers are late, however old."""
    kinds, readings = play([*map(block, range(5000, 5030)), *map(block, range(100, 110))])

    assert kinds[30:] == [["late"]] * 10
    assert all(r.late for r in readings[30:])


def test_a_device_that_starts_again_counts_from_zero():
    """A smaller sequence number with a later time is a restart, not a fault."""
    again = [block(i, sequence=i - 10) for i in range(10, 15)]
    kinds, _ = play([*map(block, range(10)), *again])

    assert sum(map(len, kinds)) == 0


def test_no_rate_no_spacing_rule():
    """A recording that does not state its rate is judged by order alone."""
    kinds, _ = play(
        block(i, rate_hz=None, source_ns=START + i * i * NS, ingest_ns=START + 10**6 * NS) for i in range(9)
    )

    assert sum(map(len, kinds)) == 0


@given(st.lists(st.tuples(st.integers(-4000, 4000), st.one_of(st.none(), st.integers(0, 40))), max_size=40))
def test_folded_times_never_go_back_unless_the_clock_was_set_back(steps):
    """Whatever arrives, what is folded is in order, or said to be a clock fault; nothing is folded twice."""
    arrivals = [block(0, source_ns=START + s * NS, ingest_ns=START + 5000 * NS, sequence=q) for s, q in steps]
    _, readings = play(arrivals)
    folded = [(a, r) for a, r in zip(arrivals, readings, strict=True) if not r.late]

    for (a, _), (b, r) in pairwise(folded):
        assert b.source_ns > a.source_ns or QualityKind.CLOCK in {f.kind for f in r.findings}
