"""No bytes crash the decoder, hang it, or make it raise anything but `InputRejected`."""

from __future__ import annotations

from tests.fuzz.running import hunt


def test_mutated_inputs() -> None:
    """Each mutation is decoded or refused with a sentence and a fix, in less than 100 ms; tests/fuzz sends many more."""
    count = 5_000
    found = hunt("tests.wire.fuzz", count, seconds=250)

    assert sum(found["found"].values()) == 2 * count
    assert len(found["found"]) > 10, found  # the mutations reach deep enough to be refused for many reasons
    assert not [name for name in found["found"] if name.startswith("no words")]
    assert found["slowest_ms"] < 100, found
