"""No record crashes a worker, holds it up, fills its memory, or ends as anything but a block or an `InputRejected`."""

from __future__ import annotations

import os

import pytest

from tests.chaos.report import leave
from tests.fuzz.running import hunt

FULL = int(os.environ.get("CHAOS_MESSAGES", "50000"))


@pytest.mark.parametrize("count", [500, pytest.param(FULL, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
def test_hostile_records(count: int) -> None:
    """Each is scored or refused with a sentence and a fix, in less than 100 ms, in bounded memory."""
    result = hunt("tests.fuzz.messages", count, "-W", "error::RuntimeWarning")
    found = result["found"]

    assert sum(number for name, number in found.items() if not name.startswith("asset:")) == count
    assert not [name for name in found if name.startswith("no words")], result
    assert found["score:scored"] > count / 50, f"the records reach as deep as the models: {found}"
    assert len(found) > 15, found
    assert result["slowest_ms"] < 100, result
    assert result["grown_mb"] < 64, result
    leave("fuzz-messages", {"count": count, **result})
