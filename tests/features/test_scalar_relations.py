"""What tags are by the others: correlations and residuals against numpy, in any mixture of rates."""

import numpy as np
import pytest

from foreshock.features.scalar import relations
from tests.features.scalar_rows import rows_of, vectors

N = 400


def windows(rng, tags, weights=None, noise=0.3):
    """Means of windows [N, tags]: the last tag follows the others."""
    x = rng.normal(0, 1, (N, tags)) * np.arange(1, tags + 1) + 10 * np.arange(tags)
    weights = rng.normal(0, 1, tags - 1) if weights is None else weights
    x[:, -1] = 7 + (x[:, :-1] @ weights) + noise * rng.normal(0, 1, N)
    return x


def learnt(x):
    """State after all windows."""
    tags = x.shape[1]
    own, pairs = np.zeros((tags, 3)), np.zeros((tags * (tags - 1) // 2, 6))
    for row in np.ascontiguousarray(x):
        relations.learn(own, pairs, row)
    return own, pairs


def given(own, pairs, row):
    out, why = np.zeros((len(row), 4)), np.zeros(len(row), np.int64)
    relations.given_others(own, pairs, np.ascontiguousarray(row), out, why)
    return out, why


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tags", [2, 5, 12])
def test_correlations_equal_numpy(seed, tags):
    """Of all pairs, to 1e-9."""
    x = windows(np.random.default_rng(seed), tags)
    _, pairs = learnt(x)
    expected = np.corrcoef(x.T)

    for i in range(tags):
        for j in range(i):
            assert relations.correlation(pairs[relations.place(i, j)]) == pytest.approx(expected[i, j], abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("tags", [2, 5, 12])
def test_what_the_others_make_of_a_tag_is_the_least_squares_regression(seed, tags):
    """Expected value, residual and explained share of each tag are those of a regression on the others, to 1e-4."""
    rng = np.random.default_rng(seed)
    x = windows(rng, tags)
    row = x.mean(axis=0) + rng.normal(0, 2, tags)
    out, why = given(*learnt(x), row)

    assert not why.any()
    for i in range(tags):
        rest = np.column_stack([np.ones(N), np.delete(x, i, axis=1)])
        beta, *_ = np.linalg.lstsq(rest, x[:, i], rcond=None)
        residuals = x[:, i] - rest @ beta
        expected = float(np.concatenate([[1.0], np.delete(row, i)]) @ beta)
        share = 1 - residuals.var() / x[:, i].var()
        found = (share, expected, row[i] - expected, (row[i] - expected) / residuals.std())

        assert out[i] == pytest.approx(found, rel=1e-4, abs=1e-4)


def test_a_window_is_held_against_those_before_it_only():
    """A sensor that begins to drift away from its twin is seen by as much as it drifts, and before it is learnt."""
    rng = np.random.default_rng(1)
    true = 50 + rng.normal(0, 1, N)
    x = np.column_stack([true, true + 0.05 * rng.normal(size=N)])
    out, _ = given(*learnt(x), np.array([50.0, 50.0 + 1.0]))

    assert out[1, 2] == pytest.approx(1.0, abs=0.05)
    assert out[1, 3] == pytest.approx(20.0, rel=0.15)


def test_two_equal_tags_are_no_accident():
    """The matrix has no inverse; the ridge gives it one, and each tag is expected to be the other."""
    x = np.repeat(np.random.default_rng(1).normal(0, 1, (N, 1)), 3, axis=1)
    out, why = given(*learnt(x), np.array([1.0, 1.0, 1.0]))

    assert not why.any()
    assert out[:, 0] == pytest.approx(1.0, abs=1e-6)
    assert out[:, 1] == pytest.approx(1.0, abs=1e-6)


def test_pairs_of_different_windows_still_have_residuals():
    """Correlations from windows that differ by pair may contradict each other: the inverse is made safe."""
    rng = np.random.default_rng(2)
    common = rng.normal(0, 1, (900, 1))
    x = np.full((900, 3), np.nan)
    x[:300, :2] = common[:300] * [1, 1]
    x[300:600, 1:] = common[300:600] * [1, 1]
    x[600:, [0, 2]] = common[600:] * [1, -1]
    out, why = given(*learnt(x), np.array([0.5, 0.5, 0.5]))

    assert not why.any()
    assert np.isfinite(out).all()
    assert (out[:, 0] <= 1.0).all()


def test_why_a_tag_is_not_held_against_the_others():
    """Too few windows, constant, without a value, or alone."""
    rng = np.random.default_rng(3)
    x = windows(rng, 3)
    x[:, 1] = 4.0
    own, pairs = learnt(x)

    assert given(own, pairs, x[0])[1].tolist() == [relations.THERE, relations.FLAT, relations.THERE]
    assert given(own, pairs, np.array([np.nan, 4.0, 1.0]))[1].tolist() == [
        relations.ABSENT,
        relations.FLAT,
        relations.ABSENT,
    ]
    few = learnt(x[:20])
    assert given(*few, x[0])[1].tolist() == [relations.TOO_FEW] * 3


def test_one_wild_window_does_not_outvote_the_others():
    """A mean a million standard deviations off counts as eight."""
    rng = np.random.default_rng(4)
    x = windows(rng, 2, noise=0.1)
    before = relations.correlation(learnt(x)[1][0])
    x[300, 0] = 1e6
    after = relations.correlation(learnt(x)[1][0])

    assert after == pytest.approx(before, abs=0.12)
    assert abs(np.corrcoef(x.T)[0, 1]) < 0.2


def test_what_was_long_ago_counts_less():
    """After two weeks of the other sign the correlation has it."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (7 * relations.MEMORY, 1))
    sign = np.where(np.arange(len(x)) < relations.MEMORY, 1.0, -1.0)[:, None]

    assert relations.correlation(learnt(np.hstack([x, sign * x]))[1][0]) < -0.9


def test_tags_of_different_rates_are_aligned_by_window():
    """A current at 1 Hz and a temperature each five minutes that follows it: learnt from the minutes that have both."""
    rng = np.random.default_rng(6)
    t = np.arange(0.0, 12 * 3600.0)
    load = np.repeat(rng.normal(0, 1, 12 * 60), 60)
    fast = 30 + 5 * load + 0.1 * rng.normal(size=len(t))
    slow = np.where(t % 300 == 30, 60 + 2 * load + 0.05 * rng.normal(size=len(t)), np.nan)
    slow[(t > 9 * 3600)] += 3.0
    found = vectors(rows_of(t, [fast, slow]))
    drifted = [e for e in found if e["until"] > 9 * 3600e9 and not isinstance(e["residual[b]"], str)]
    minutes = {e["until"] // (60 * 10**9) % 5 for e in drifted}

    assert (found[400]["interval[a]"], found[400]["interval[b]"]) == (1.0, 300.0)
    assert found[530]["correlation[a,b]"] > 0.99
    assert minutes == {1}  # the others have no value of it
    assert {e["residual[b]"] for e in found if e["until"] // (60 * 10**9) % 5 == 3} == {"channel_absent"}
    assert drifted[0]["residual[b]"] == pytest.approx(3.0, abs=0.3)
    assert drifted[0]["residual_z[b]"] > 20
