"""Sealed bytes: what comes back is what was sealed, and anything else has its code."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foreshock.detectors import snapshot, snapshot_codec
from foreshock.detectors.snapshot import Key, Keys, canonical, from_canonical, seal, unseal
from foreshock.errors import SnapshotRejected

KEYS = Keys(Key("2026-11", b"one secret"), Key("2025-04", b"the one before"))
TREE = {
    "a": [1, -2.5, None, True, 2**70, "ü", b"12"],
    "m": np.arange(6, dtype=np.float32).reshape(2, 3),
    "d": {"x": {}},
}
SMALL = seal("marker", {"resume": 17}, header={"partition": 3}, keys=KEYS)

arrays = hnp.arrays(
    st.sampled_from([np.bool_, np.uint8, np.uint64, np.int64, np.float32, np.float64]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
plain = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats() | st.text() | st.binary() | arrays
trees = st.recursive(
    plain, lambda t: st.lists(t, max_size=4) | st.dictionaries(st.text(), t, max_size=4), max_leaves=15
)


def code(data: bytes, keys: Keys = KEYS) -> str:
    with pytest.raises(SnapshotRejected) as caught:
        unseal(data, keys)
    assert caught.value.sentence
    return caught.value.code


class TestCanonical:
    @given(trees)
    def test_a_tree_comes_back_with_the_same_bytes(self, tree: snapshot.Tree) -> None:
        """Every tree can be read, and what was read has the same canonical bytes: NaN, -0.0 and empty arrays too."""
        data = canonical(tree)

        assert canonical(from_canonical(data)) == data

    def test_types_and_bits_are_kept(self) -> None:
        """True is not 1, 1 is not 1.0, -0.0 is not 0.0, and an array keeps its type and shape."""
        values = [True, 1, 1.0, -0.0, math.inf, 2**63, -(2**63) - 1]
        back = from_canonical(canonical([*values, np.zeros((2, 0, 3), np.uint16)]))

        assert isinstance(back, list)
        assert [(type(v), repr(v)) for v in back[:-1]] == [(type(v), repr(v)) for v in values]
        assert (back[-1].dtype, back[-1].shape) == (np.dtype(np.uint16), (2, 0, 3))

    def test_the_order_of_a_dict_and_the_layout_of_an_array_do_not_count(self) -> None:
        """Equal trees have equal bytes, however they were made."""
        x = np.arange(12.0).reshape(3, 4)

        assert canonical({"a": 1, "b": x}) == canonical({"b": np.asfortranarray(x), "a": 1})
        assert canonical(x.astype(">f8")) == canonical(x)
        assert canonical(x[:, ::2]) == canonical(x[:, ::2].copy())

    @pytest.mark.slow
    def test_every_process_gives_the_same_bytes(self) -> None:
        """Whatever the seed of its hashes is."""
        script = (
            "from foreshock.detectors.river_adapter import RiverDetector; import numpy as np\n"
            "from foreshock.detectors.snapshot import canonical\n"
            "import hashlib\n"
            "for name in ('HalfSpaceTrees', 'OneClassSVM'):\n"
            "    d = RiverDetector(name, 4)\n"
            "    for i in range(30): d.learn_one(np.sin(np.arange(4.0) * i))\n"
            "    print(d.digest(), hashlib.sha256(canonical({k: {k} and 1 for k in 'hgfedcba'})).hexdigest())"
        )
        runs = [
            subprocess.run(
                [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
            ).stdout
            for seed in ("1", "77")
        ]

        assert runs[0] == runs[1]
        assert len(runs[0].split()) == 4

    @pytest.mark.parametrize(
        "data",
        [
            b"", b"x", b"i123", b"NN", b"l" + b"\xff" * 4, b"d" + b"\xff" * 4, b"s\x05\x00\x00\x00ab",
            b"s\x01\x00\x00\x00\xff", b"a\x63\x01", b"a\x00\x09", b"a\x0a\x02" + b"\xff" * 8, b"l\x01\x00\x00\x00" * 40 + b"N",
            b"I\x01\x00\x00\x00\x07", b"d\x02\x00\x00\x00\x01\x00\x00\x00bN\x01\x00\x00\x00aN",
        ],
    )  # fmt: skip
    def test_what_is_not_canonical_is_refused(self, data: bytes) -> None:
        """Ends within a value, counts beyond the bytes, too deep, not in order, not in shortest form."""
        with pytest.raises(SnapshotRejected) as caught:
            from_canonical(data)
        assert caught.value.code == "malformed"

    def test_values_are_bounded(self) -> None:
        """A list of more values than any state has is refused before they are made."""
        many = snapshot_codec.MOST_VALUES + 1
        with pytest.raises(SnapshotRejected) as caught:
            from_canonical(b"l" + struct.pack("<I", many) + b"N" * many)
        assert caught.value.code == "too_large"

    def test_objects_are_refused(self) -> None:
        """Only plain values are written, and no object of numpy's."""
        for value in (object(), {1, 2}, np.array([object()]), 1j):
            with pytest.raises(TypeError):
                canonical([value])


class TestSeal:
    def test_it_comes_back(self) -> None:
        """Kind, header and tree."""
        found = unseal(seal("snapshot", TREE, header={"offset": 5}, keys=KEYS), KEYS)

        assert (found.kind, dict(found.header)) == ("snapshot", {"offset": 5})
        assert canonical(found.tree) == canonical(TREE)

    def test_the_previous_key_is_taken_and_others_are_not(self) -> None:
        """So keys can be rotated: two are known at a time."""
        before = Keys(Key("2025-04", b"the one before"))
        data = seal("place", TREE, header={}, keys=before)

        assert unseal(data, KEYS).kind == "place"
        assert code(data, Keys(Key("2026-12", b"x"), Key("2026-11", b"one secret"))) == "unknown_key"
        assert code(data, Keys(Key("2025-04", b"another secret of the same name"))) == "bad_signature"

    def test_every_flipped_bit_is_noticed(self) -> None:
        """At any byte, by the code of the part that it is in."""
        size = len("2026-11")
        end = 7 + size + 4
        expected = {
            range(4): {"unsigned"}, range(4, 6): {"bad_signature"},
            range(6, 7): {"unsigned", "unknown_key", "truncated", "bad_signature"}, range(7, 7 + size): {"unknown_key"},
            range(7 + size, end): {"truncated", "bad_signature"}, range(end, len(SMALL)): {"bad_signature"},
        }  # fmt: skip
        for at in range(len(SMALL)):
            for bit in range(8):
                data = bytearray(SMALL)
                data[at] ^= 1 << bit
                assert code(bytes(data)) in next(codes for part, codes in expected.items() if at in part), (at, bit)

    def test_every_cut_is_noticed(self) -> None:
        """Whatever is missing at the end; and what is added is no part of it."""
        assert {code(SMALL[:length]) for length in range(len(SMALL))} == {"truncated"}
        assert code(SMALL + b"x") == "bad_signature"
        assert code(b"not sealed at all") == "unsigned"

    def test_nothing_is_decompressed_before_the_signature_is_checked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A stranger's bytes reach neither zlib nor the decoder."""
        monkeypatch.setattr(zlib, "decompressobj", lambda: pytest.fail("decompressed"))
        data = bytearray(SMALL)
        data[-1] ^= 1

        assert code(bytes(data)) == "bad_signature"

    def test_a_body_that_swells_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Decompression stops at the bound; what could not be read again is not sealed either."""
        bomb = zlib.compress(b"\x00" * (snapshot.LARGEST + 10), 9)
        assert code(snapshot._sealed(1, bomb, KEYS.current)) == "too_large"

        monkeypatch.setattr(snapshot, "LARGEST", 100)
        with pytest.raises(SnapshotRejected, match="too_large"):
            seal("snapshot", b"x" * 101, header={}, keys=KEYS)

    @pytest.mark.parametrize(
        "body",
        [b"", b"no zlib", zlib.compress(canonical([1])), zlib.compress(canonical(TREE)), zlib.compress(b"N")[:-2]],
    )
    def test_a_signed_body_of_another_form_is_malformed(self, body: bytes) -> None:
        """Signed by us, and still not what it must be."""
        assert code(snapshot._sealed(1, body, KEYS.current)) == "malformed"

    def test_a_secret_is_in_no_repr(self) -> None:
        """Keys can be logged."""
        assert "secret" not in repr(KEYS)


class TestVersions:
    def test_a_newer_version_is_refused_by_its_number(self) -> None:
        """An older release does not guess; it says what it reads."""
        data = snapshot._sealed(snapshot.VERSION + 1, b"who knows", KEYS.current)

        assert code(data) == "newer_version"

    def test_older_versions_are_migrated_step_by_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each step takes the content of its version to the next one; a missing step is no guess."""
        old = seal("marker", {"at": 5}, header={"n": 1}, keys=KEYS)
        steps = {
            1: lambda _kind, content: {**content, "tree": {"place": content["tree"]["at"]}},
            2: lambda kind, content: {**content, "tree": {**content["tree"], "kind": kind}},
        }
        monkeypatch.setattr(snapshot, "VERSION", 3)
        monkeypatch.setattr(snapshot, "MIGRATIONS", steps)
        found = unseal(old, KEYS)

        assert (found.tree, dict(found.header)) == ({"place": 5, "kind": "marker"}, {"n": 1})
        monkeypatch.setattr(snapshot, "MIGRATIONS", {2: steps[2]})
        assert code(old) == "malformed"
