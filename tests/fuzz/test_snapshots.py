"""No state, sealed or from a stranger, crashes a worker, holds it up or fills its memory."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FULL = int(os.environ.get("CHAOS_SNAPSHOTS", "5000"))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_mutated_snapshots() -> None:
    """Each is gone on with or refused with a code, in less than 100 ms, in bounded memory."""
    seed = random.SystemRandom().randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.snapshots", str(seed), str(FULL)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3_500,
        check=False,
    )

    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    result = json.loads(done.stdout)
    found = result["found"]
    assert sum(found.values()) == FULL
    assert found["scored"] > FULL / 20, f"the states reach as deep as the models: {found}"
    assert {"truncated", "bad_signature", "malformed", "restore:malformed", "restore:other_shape"} <= found.keys()
    assert result["slowest_ms"] < 100, f"seed {seed}: {result}"
    assert result["grown_mb"] < 64, f"seed {seed}: {result}"
    if folder := os.environ.get("CHAOS_REPORT"):
        Path(folder, "fuzz-snapshots.json").write_text(json.dumps({"count": FULL, "seed": seed, **result}))
