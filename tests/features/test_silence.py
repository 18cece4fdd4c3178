"""The rhythm of a sensor: what it promises, what it keeps, and from when on its silence means something."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from foreshock.contract import Acquisition, Origin
from foreshock.features.silence import HEARD_NS, NS, Pulse

START = 1_750_000_000 * NS


def heard(times_s, interval_s: float | None = None, acquisition: Acquisition = Acquisition.SNAPSHOT) -> Pulse:
    """Pulse after records at these seconds."""
    pulse = Pulse()
    for offset, at in enumerate(times_s):
        origin = Origin(topic="t", topic_id="id", partition=0, offset=offset, ingest_ns=START + int(at * NS))
        pulse = pulse.heard(origin, interval_s, acquisition)
    return pulse


class TestInterval:
    """Within which time the next record is expected."""

    def test_a_promise_counts_from_the_first_record(self) -> None:
        """A wireless sensor that promises a record every twelve hours is measured by that, from its first one on."""
        assert heard([0.0], interval_s=43_200.0).interval_ns() == 43_200 * NS

    def test_nothing_is_expected_of_who_promises_nothing_and_is_new(self) -> None:
        """Of a sensor that was heard for less than a minute nobody knows the rhythm."""
        assert heard([0.0]).interval_ns() == 0
        assert heard([0.0, 10.0, 20.0]).interval_ns() == 0

    def test_a_rhythm_is_learnt(self) -> None:
        """A sensor that comes every 20 s without saying so is expected every 20 s once it was heard for a minute."""
        assert heard([0.0, 20.0, 40.0, 60.0]).interval_ns() == 20 * NS

    def test_one_outage_is_not_the_rhythm(self) -> None:
        """An hour without a record between records of every 10 s leaves the expectation at 10 s."""
        assert heard([*range(0, 100, 10), *range(3700, 3800, 10)]).interval_ns() == 10 * NS

    def test_many_records_a_second_are_one_sign_of_life(self) -> None:
        """Ten records a second are expected within a second, not within 100 ms."""
        assert heard([i / 10 for i in range(700)]).interval_ns() == NS

    def test_a_gateway_that_sends_an_hour_at_once_has_the_rhythm_of_an_hour(self) -> None:
        """Bursts of 200 records an hour apart are expected an hour apart."""
        times = [hour * 3600 + i * 0.01 for hour in range(3) for i in range(200)]
        assert abs(heard(times).interval_ns() - 3600 * NS) < 3 * NS

    def test_a_broken_promise_is_no_silence(self) -> None:
        """A sensor that promises 10 s and comes every minute is expected every minute: its promise is wrong, it is there."""
        assert heard(range(0, 600, 60), interval_s=10.0).interval_ns() == 60 * NS

    def test_what_sends_on_events_is_never_silent(self) -> None:
        """A triggered sensor without a promise may say nothing for ever; with one it may not."""
        assert heard(range(0, 600, 60), acquisition=Acquisition.TRIGGERED).interval_ns() == 0
        assert heard([0.0], 60.0, Acquisition.TRIGGERED).interval_ns() == 60 * NS

    def test_a_promise_of_a_million_years_is_ten(self) -> None:
        """A senseless promise stays within what nanoseconds of 64 bits hold."""
        assert heard([0.0], interval_s=1e30).limit_ns(3.0, 30.0) < 2**63


@given(
    st.lists(st.floats(0.0, 1e4), min_size=1, max_size=40),
    st.none() | st.floats(0.1, 1e5),
    st.floats(1.0, 10.0),
    st.floats(0.0, 600.0),
)
def test_the_limit_is_never_below_the_least_nor_the_promise(steps, interval_s, intervals, least_s) -> None:
    """Whatever came, silence starts after the least time, after the promised intervals, and only for who was heard."""
    times = [sum(steps[: i + 1]) for i in range(len(steps))]
    pulse = heard(times, interval_s)
    limit = pulse.limit_ns(intervals, least_s)
    if interval_s is None:
        assert (limit == 0) == (times[-1] - times[0] < HEARD_NS / NS) or abs(times[-1] - times[0] - 60) < 1e-6
    else:
        assert limit >= int(int(interval_s * NS) * intervals)
    assert limit == 0 or limit >= int(least_s * NS)
