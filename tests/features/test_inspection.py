"""What the samples tell about their sensor, on signals whose state is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreshock.features.inspection import inspect

N = 4096


def one(x):
    found = inspect(np.asarray(x, np.float32).reshape(1, 1, -1))
    return {name: value.item() for name, value in found._asdict().items()}


def noise(seed=0, n=N):
    return np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 1.0])
def test_a_stuck_value_is_measured_as_a_share_of_the_block(share):
    """The longest run of equal samples is found, wherever it starts."""
    x = noise().astype(np.float32)
    x[N - int(share * N) :] = 0.123

    assert one(x)["constant"] == pytest.approx(share, abs=1e-3)


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
def test_any_split_of_a_batch_gives_the_same_figures(blocks, channels, n, seed, cut):
    """A row depends on its own samples only."""
    x = np.random.default_rng(seed).standard_t(1, size=(blocks, channels, n)).astype(np.float32)
    x = np.clip(x, -5, 5)
    whole, first, second = inspect(x), inspect(x[:cut]), inspect(x[cut:])

    for a, b, c in zip(whole, first, second, strict=True):
        assert np.concatenate([b, c]).tobytes() == a.tobytes()


@given(st.integers(16, 300), st.integers(0, 2**32 - 1), st.data())
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


@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17])
def test_the_shortest_blocks_have_figures(n):
    """One sample is constant; a few have nothing to say."""
    found = one(np.arange(n))

    assert found["constant"] == (1.0 if n == 1 else 0.0)
    assert (found["clipped"], found["spikes"]) == (0, 0)


def test_no_samples_are_refused():
    """There is nothing to measure."""
    with pytest.raises(ValueError, match="without samples"):
        inspect(np.zeros((1, 1, 0), np.float32))
