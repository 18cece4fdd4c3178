"""A gateway at fault that makes up machines does not fill the memory of a worker."""

from __future__ import annotations

import os

import pytest

from tests.chaos.report import leave
from tests.fuzz.running import hunt

FULL = int(os.environ.get("CHAOS_NAMES", "8000"))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_names_without_end() -> None:
    """Some hundreds have state; each of the others is a dead letter that says so, and is remembered for a while at most."""
    result = hunt("tests.fuzz.names", FULL)
    found = result["found"]

    assert found["scores"] + found["dead-letters.v1"] == FULL, result
    assert found["no_room"] == found["dead-letters.v1"] > FULL * 0.9, result
    assert 50 < found["scores"] < 1_000, result
    assert result["lanes"] <= found["scores"]
    assert result["grown_mb"] < 64, result
    leave("names", {"count": FULL, **result})
