"""No state, sealed or from a stranger, crashes a worker, holds it up or fills its memory."""

from __future__ import annotations

import os

import pytest

from tests.chaos.report import leave
from tests.fuzz.running import hunt

FULL = int(os.environ.get("CHAOS_SNAPSHOTS", "5000"))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_mutated_snapshots() -> None:
    """Each is gone on with or refused with a code, in less than 100 ms, in bounded memory."""
    result = hunt("tests.fuzz.snapshots", FULL)
    found = result["found"]

    assert sum(found.values()) == FULL
    assert found["scored"] > FULL / 20, f"the states reach as deep as the models: {found}"
    assert {"truncated", "bad_signature", "malformed", "restore:malformed"} <= found.keys()
    assert result["slowest_ms"] < 100, result
    assert result["grown_mb"] < 64, result
    leave("fuzz-snapshots", {"count": FULL, **result})
