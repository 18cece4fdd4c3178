"""No record crashes a worker, holds it up, fills its memory, or ends as anything but a block or an `InputRejected`."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FULL = int(os.environ.get("CHAOS_MESSAGES", "50000"))


@pytest.mark.parametrize("count", [500, pytest.param(FULL, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
def test_hostile_records(count: int) -> None:
    """Each is scored or refused with a sentence and a fix, in less than 100 ms, in bounded memory."""
    seed = random.SystemRandom().randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.fuzz.messages", str(seed), str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3_500,
        check=False,
    )

    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    result = json.loads(done.stdout)
    found = result["found"]
    assert sum(number for name, number in found.items() if not name.startswith("asset:")) == count
    assert not [name for name in found if name.startswith("no words")], f"seed {seed}"
    assert found["score:scored"] > count / 50, f"the records reach as deep as the models: {found}"
    assert len(found) > 15, found
    assert result["slowest_ms"] < 100, f"seed {seed}: {result}"
    assert result["grown_mb"] < 64, f"seed {seed}: {result}"
    if folder := os.environ.get("CHAOS_REPORT"):
        Path(folder, "fuzz-messages.json").write_text(json.dumps({"count": count, "seed": seed, **result}))
