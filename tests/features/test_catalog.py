"""The catalogue: names, hashes, and the same bytes in any batch."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreshock.features import catalog
from foreshock.features.catalog import FULL, LEAN, extract
from foreshock.features.declared import Scale


@given(
    blocks=st.integers(1, 70),
    channels=st.integers(1, 3),
    n=st.sampled_from([16, 33, 100, 256, 1000]),
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, 70), max_size=5),
    feature_set=st.sampled_from([LEAN, FULL]),
)
@settings(max_examples=60)
def test_any_split_of_a_batch_gives_the_same_bytes(blocks, channels, n, seed, cuts, feature_set):
    """The features of a block do not depend on what else is in its batch."""
    x = np.random.default_rng(seed).normal(size=(blocks, channels, n)).astype(np.float32)
    whole = extract(x, 1000.0, feature_set)
    at = sorted({0, blocks, *(c for c in cuts if c < blocks)})
    parts = [extract(x[a:b], 1000.0, feature_set) for a, b in itertools.pairwise(at)]

    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("feature_set", [LEAN, FULL])
def test_production_sized_blocks_one_by_one_equal_the_batch(feature_set):
    """64 blocks of 4096 samples, alone and together, to the last bit."""
    x = np.random.default_rng(5).normal(size=(64, 1, 4096)).astype(np.float32)
    alone = np.concatenate([extract(block[None], None, feature_set) for block in x])

    assert alone.tobytes() == extract(x, None, feature_set).tobytes()


def test_order_of_blocks_does_not_matter():
    """A permuted batch gives permuted rows."""
    x = np.random.default_rng(6).normal(size=(50, 2, 300)).astype(np.float32)
    order = np.random.default_rng(7).permutation(50)

    assert extract(x[order], 50.0, FULL).tobytes() == extract(x, 50.0, FULL)[order].tobytes()


def test_channels_stand_one_after_the_other():
    """A triaxial block has the columns of its three channels, each as if it were alone."""
    x = np.random.default_rng(8).normal(size=(4, 3, 512)).astype(np.float32)
    together = extract(x, 100.0, FULL)
    alone = np.concatenate([extract(x[:, c : c + 1], 100.0, FULL) for c in range(3)], axis=1)

    assert together.tobytes() == alone.tobytes()
    assert FULL.names(("x", "y", "z"))[FULL.per_channel] == "rms[y]"


def test_names_number_and_shape_agree():
    """There are as many names as columns."""
    for feature_set in (LEAN, FULL):
        names = feature_set.names(("DE", "FE"))
        features = extract(np.ones((1, 2, 64), np.float32), None, feature_set)

        assert len(names) == len(set(names)) == features.shape[1]
    assert {"rms[DE]", "band_03[DE]", "env_2_depth[FE]", "centroid[FE]"} <= set(FULL.names(("DE", "FE")))


def test_model_inputs_are_bands_and_envelopes_and_logarithmic():
    """The detectors take twelve bands, and six envelope triples where they are computed; all are logarithms."""
    for feature_set, count in ((LEAN, 12), (FULL, 30)):
        inputs = [f for f in feature_set.features if f.model_input]

        assert len(inputs) == count
        assert {f.scale for f in inputs} == {Scale.LOG}
        assert [feature_set.names(("a", "b"))[i] for i in feature_set.columns(2)] == [
            f"{f.name}[{c}]" for c in "ab" for f in inputs
        ]


def test_columns_of_named_features():
    """Named columns come channel by channel; an unknown name is an error."""
    assert FULL.columns(2, "rms", "centroid").tolist() == [
        0,
        FULL.per_channel - 1,
        FULL.per_channel,
        2 * FULL.per_channel - 1,
    ]
    with pytest.raises(KeyError):
        LEAN.columns(1, "env_1_depth")


def test_the_hash_follows_the_definition(monkeypatch):
    """A changed constant or feature is another feature set."""
    before = FULL.hash  # before the change: a set keeps its hash once asked
    assert before not in {LEAN.hash, catalog.FeatureSet("full", 2, FULL.features).hash}

    monkeypatch.setattr(catalog.spectrum, "RELATIVE_FLOOR", 1e-9)

    assert catalog.FeatureSet("full", 1, FULL.features).hash != before


def test_without_a_rate_frequencies_are_in_orders_of_the_rate():
    """The centroid is in Hz where the rate is known, in cycles per sample where it is not; nothing else changes."""
    x = np.random.default_rng(9).normal(size=(3, 1, 1024)).astype(np.float32)
    orders, hertz = extract(x, None, FULL), extract(x, 25600.0, FULL)

    assert orders[:, :-1].tobytes() == hertz[:, :-1].tobytes()
    assert hertz[:, -1] == pytest.approx(25600 * orders[:, -1])


@given(
    st.integers(16, 80),
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=80),
)
def test_finite_samples_give_finite_features(n, values):
    """Zeros, constants, subnormal and huge samples: never NaN, never infinite."""
    x = np.resize(np.array(values, np.float32), (1, 1, n))

    assert np.isfinite(extract(x, None, FULL)).all()


def test_input_is_left_alone_and_may_be_read_only_or_strided():
    """A view of a message can be passed as it is."""
    x = np.random.default_rng(10).normal(size=(5, 2, 64)).astype(np.float32)
    before = x.tobytes()
    x.flags.writeable = False

    assert extract(x[::2], None, LEAN).tobytes() == extract(x.copy()[::2].copy(), None, LEAN).tobytes()
    assert x.tobytes() == before


@pytest.mark.parametrize("shape", [(4, 100), (1, 1, 15), (100,)])
def test_wrong_shapes_are_refused(shape):
    """Blocks have three axes and at least 16 samples."""
    with pytest.raises(ValueError, match="blocks must be"):
        extract(np.zeros(shape, np.float32), None, LEAN)


def test_no_blocks_give_no_rows():
    """An empty batch is a batch."""
    assert extract(np.zeros((0, 2, 64), np.float32), None, FULL).shape == (0, 2 * FULL.per_channel)
