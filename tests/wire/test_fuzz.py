"""No bytes crash the decoder, hang it, or make it raise anything but `InputRejected`."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_mutated_inputs() -> None:
    """Each mutation is decoded or refused with a sentence and a fix, in less than 100 ms; tests/fuzz sends many more."""
    count = 5_000
    seed = random.SystemRandom().randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, "-m", "tests.wire.fuzz", str(seed), str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )

    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]}"
    found = json.loads(done.stdout)
    assert sum(found["found"].values()) == 2 * count
    assert len(found["found"]) > 10, found  # the mutations reach deep enough to be refused for many reasons
    assert not [name for name in found["found"] if name.startswith("no words")]
    assert found["slowest_ms"] < 100, f"seed {seed}: {found}"
