"""Jitter and drift: times that scatter, clocks that go wrong, and what is neither."""

import numpy as np
import pytest

from foreshock.contract import Acquisition
from foreshock.features.arrival import NS, Arrival, read

START = 1_600_000_000 * NS
PERIOD_S = 0.5


def play(source_s, latency_s=None, **changes):
    """Read blocks taken at these times (s); gives the kinds of each, and the last reading."""
    place, kinds, reading = None, [], None
    for i, at in enumerate(source_s):
        late = 0.02 if latency_s is None else latency_s[i]
        true_ns = START + round(i * PERIOD_S * NS)
        arrival = Arrival(
            START + round(at * NS), true_ns + round(late * NS), i, 2048, 4096.0, None, Acquisition.CONTINUOUS, None
        )
        reading = read(place, arrival._replace(**changes))
        place = reading.place
        kinds.append([str(f.kind) for f in reading.findings])
    return kinds, reading


def even(count):
    return PERIOD_S * np.arange(count)


@pytest.mark.parametrize("share", [0.25, 0.35])
@pytest.mark.parametrize("seed", range(3))
def test_times_that_begin_to_scatter_are_jitter_and_nothing_else(share, seed):
    """It is usable, it is no wrong rate, and it is over when they are even again."""
    rng = np.random.default_rng(seed)
    times = even(300)
    times[100:200] += share * PERIOD_S * rng.uniform(-1, 1, 100)
    kinds, _ = play(times)

    assert not any(kinds[:100])
    assert {kind for each in kinds[100:200] for kind in each} <= {"jitter", "gap"}
    assert sum("jitter" in each for each in kinds[100:200]) > 70
    assert not any(kinds[240:])


@pytest.mark.parametrize("off", [0.3, 0.45])
def test_a_single_late_stamp_is_no_jitter(off):
    """One time that is off and the next that is right again."""
    times = even(200)
    times[120] += off * PERIOD_S

    assert not any(play(times)[0])


def test_a_wrong_rate_is_no_jitter():
    """All spacings change alike: that has a mean."""
    times = np.concatenate([even(60), even(60)[-1] + 0.8 * PERIOD_S * np.arange(1, 100)])
    kinds, _ = play(times)

    assert {kind for each in kinds for kind in each} == {"wrong_rate"}


@pytest.mark.parametrize("rate", [5e-4, 2e-3, -5e-4, -2e-3])
def test_a_clock_that_goes_wrong_is_a_drift(rate):
    """Its rate is told in millionths, the blocks are usable, and a clock that is mended is over."""
    times = even(2400)
    latency = np.random.default_rng(1).exponential(0.02, 2400)
    times[:1600] *= 1.0 + rate
    kinds, _ = play(times[:1600], latency)
    _, last = play(times[:1600], latency)

    assert {kind for each in kinds for kind in each} == {"clock_drift"}
    assert sum(map(bool, kinds)) > 600
    assert last.findings[0].value == pytest.approx(rate * 1e6, rel=0.1)
    assert last.findings[0].usable
    assert not last.late


@pytest.mark.parametrize("rate", [0.0, 5e-5, -5e-5])
@pytest.mark.parametrize("scatter_s", [0.005, 0.05, 0.5])
def test_a_sound_clock_behind_a_slow_network_does_not_drift(rate, scatter_s):
    """A free crystal and queues of any length: an hour without a word."""
    latency = np.random.default_rng(7).exponential(scatter_s, 7200)

    assert not any(play(even(7200) * (1.0 + rate), latency)[0])


def test_a_backlog_that_is_read_late_is_no_drift():
    """An hour of records within a minute, and a recording that is played faster."""
    backlog = 3600.0 - 0.98 * even(2400)

    assert not any(play(even(2400), backlog)[0])


def test_a_clock_that_jumps_once_does_not_drift():
    """NTP sets it right by a second: a step is no slope."""
    times = even(1200)
    times[600:] += 0.2

    assert not any("clock_drift" in each for each in play(times)[0])
