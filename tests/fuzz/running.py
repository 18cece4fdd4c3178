"""Runs a fuzzer in a process of its own: what crashes, hangs or eats memory there does so alone."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def hunt(module: str, count: int, *options: str, seconds: float = 3_500) -> dict[str, Any]:
    """What `python OPTIONS -m MODULE SEED COUNT` found, with the seed, which is drawn here."""
    seed = random.SystemRandom().randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, *options, "-m", module, str(seed), str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )

    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    return {"seed": seed, **json.loads(done.stdout)}
