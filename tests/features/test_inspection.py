"""What the samples tell about their sensor, on signals whose state is known."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.features.inspection import inspect

N = 4096


def one(x):
    found = inspect(np.asarray(x, np.float32).reshape(1, 1, -1))
    return {name: value.item() for name, value in found._asdict().items()}


def noise(seed=0, n=N):
    return np.random.default_rng(seed).normal(size=n)


def impacts(frequency, damping, amplitude, seed=0):
    """Repeated impacts that excite a damped resonance, in unit noise: a bearing fault, an honest signal."""
    k = np.arange(80)
    ring = np.exp(-2 * np.pi * frequency * damping * k) * np.cos(2 * np.pi * frequency * k)
    hits = np.zeros(N)
    hits[137::331] = amplitude
    return noise(seed) + scipy.signal.lfilter(ring, 1, hits)


def healthy(found):
    return found["finite"] and not found["clipped"] and not found["spikes"] and found["constant"] < 0.25


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_healthy(seed):
    """Gaussian noise has nothing wrong."""
    assert healthy(one(noise(seed)))


@pytest.mark.parametrize("frequency", [0.03, 0.1, 0.2, 0.3, 0.42])
@pytest.mark.parametrize("damping", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("amplitude", [10.0, 30.0, 100.0])
def test_ringing_impacts_are_healthy(frequency, damping, amplitude):
    """Impacts of a bearing ring, however large: they are the machine, not the sensor."""
    assert healthy(one(impacts(frequency, damping, amplitude)))


@pytest.mark.parametrize("period", [8, 32, 51.3, 512, 4096])
@pytest.mark.parametrize("levels", [0, 100, 1000, 32000])
def test_sines_are_healthy_at_any_resolution(period, levels):
    """A clean tone, digitised or not, in step with the sampling or not, rests at its crests but is not cut off."""
    x = np.sin(2 * np.pi * (np.arange(N) + 0.5) / period)

    assert healthy(one(np.round(x * levels) / levels if levels else x))


@pytest.mark.parametrize("lsb", [0.5, 1, 2, 10, 100])
def test_coarsely_digitised_noise_is_healthy(lsb):
    """A quiet machine moves the converter by a few steps only."""
    assert healthy(one(np.round(noise() * lsb)))


@pytest.mark.parametrize("limit", [1.0, 1.5, 2.0, 2.5])
@pytest.mark.parametrize("side", ["both", "top"])
def test_noise_cut_off_is_clipped(limit, side):
    """Samples pile up at the stop, and the stop is named."""
    found = one(np.clip(noise(), -limit if side == "both" else -np.inf, limit))

    assert found["clipped"] >= 6
    assert abs(found["stop"]) == pytest.approx(limit)


def test_a_tone_cut_off_is_clipped():
    """A tone with flat crests is clipped, one without is not."""
    tone = np.sin(2 * np.pi * np.arange(N) / 51.3)

    assert one(np.clip(tone, -0.8, 0.8))["clipped"] > 1000


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 1.0])
def test_a_stuck_value_is_measured_as_a_share_of_the_block(share):
    """The longest run of equal samples is found, wherever it starts."""
    x = noise().astype(np.float32)
    x[N - int(share * N) :] = 0.123

    assert one(x)["constant"] == pytest.approx(share, abs=1e-3)


@pytest.mark.parametrize("size", [20.0, 50.0, 1000.0])
@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("at", [0, 1, 2000, N - 2])
def test_a_lone_sample_far_outside_is_a_spike(size, width, at):
    """One or two samples that nothing leads up to or rings after."""
    x = noise(3)
    x[at : at + width] = size

    assert one(x)["spikes"] >= 1


def test_a_wide_pulse_is_no_spike():
    """Four samples in a row have duration: something moved."""
    x = noise(3)
    x[100:104] = 50.0

    assert one(x)["spikes"] == 0


def test_a_dropout_in_an_offset_signal_is_a_spike():
    """A single zero in a pressure of 100 is a lost sample."""
    x = 100 + noise(4)
    x[1234] = 0.0

    assert one(x)["spikes"] == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_seen(bad):
    """Wherever they are, the tail of the lanes included."""
    for at in (0, 777, N - 1):
        x = noise()
        x[at] = bad

        assert not one(x)["finite"]


def test_suspicious_are_exactly_the_blocks_with_a_figure():
    """Healthy blocks need no judgement."""
    x = np.stack([noise(1), np.full(N, 3.0), np.clip(noise(2), -1, 1), noise(3)]).astype(np.float32)[:, None]

    assert inspect(x).suspicious().tolist() == [False, True, True, False]


@given(st.integers(1, 40), st.integers(1, 3), st.integers(16, 200), st.integers(0, 2**32 - 1), st.integers(1, 39))
@settings(deadline=None)
def test_any_split_of_a_batch_gives_the_same_figures(blocks, channels, n, seed, cut):
    """A row depends on its own samples only."""
    x = np.random.default_rng(seed).standard_t(1, size=(blocks, channels, n)).astype(np.float32)
    x = np.clip(x, -5, 5)
    whole, first, second = inspect(x), inspect(x[:cut]), inspect(x[cut:])

    for a, b, c in zip(whole, first, second, strict=True):
        assert np.concatenate([b, c]).tobytes() == a.tobytes()


@given(st.integers(16, 300), st.integers(0, 2**32 - 1), st.data())
@settings(deadline=None)
def test_the_digest_changes_with_any_sample(n, seed, data):
    """Equal bytes, equal digest; one changed sample, another digest."""
    x = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    y = x.copy()
    y[data.draw(st.integers(0, n - 1))] += 1.0

    assert one(x)["digest"] == one(x.copy())["digest"] != one(y)["digest"]


def test_low_and_high_are_the_extremes():
    """Also with a read-only view of a message."""
    x = noise(5).astype(np.float32).reshape(1, 1, -1)
    x.flags.writeable = False
    found = inspect(x)

    assert (found.low.item(), found.high.item()) == (x.min(), x.max())
