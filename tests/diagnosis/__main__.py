"""Do everything that can go wrong to a real plant, and count how often the diagnosis names the layer.

    python -m tests.diagnosis [WORD ...]

Only causes whose name has one of the words; all without. Ends with 1 if fewer than nine of ten layers are named.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from foreshock.answers.diagnosis.finding import Diagnosis
from foreshock.local.stack import LocalStack
from tests.diagnosis.causes import CAUSES, Cause
from tests.diagnosis.live import Plant

SHARE = 0.9


def injected(stack: LocalStack, cause: Cause, prefix: str) -> Diagnosis:
    """Run a plant until it is calm, do it, wait for the signs, and ask once."""
    with tempfile.TemporaryDirectory() as folder:
        plant = Plant(stack, Path(folder), prefix)
        with plant.running:
            plant.calm()
            began = time.monotonic()
            with contextmanager(cause.hurt)(plant):
                time.sleep(cause.settle_s)  # the signs need their time: what is asked is what an SRE would ask then
                return plant.diagnose(since_s=time.monotonic() - began + 1.0)


def main() -> int:
    """Print a table, and say whether the share was reached."""
    words = sys.argv[1:]
    chosen = [each for each in CAUSES if not words or any(word in each.name for word in words)]
    right = 0
    with LocalStack(None) as stack:
        for number, cause in enumerate(chosen):
            found = injected(stack, cause, f"c{number}.")
            right += found.layer is cause.layer
            first = found.findings[0] if found.findings else None
            told = f"{first.cause}: {first.sentence}" if first else "nothing found"
            mark = "ok " if found.layer is cause.layer else "NO "
            print(f"{mark} {cause.name:42} {cause.layer.value:17} {found.layer or '-':17} {told}", flush=True)
            if found.layer is not cause.layer:
                for each in found.findings[:5]:
                    print(f"      {each.layer.value}/{each.cause} {each.weight}: {each.sentence} {each.evidence}")
                print(f"      not seen: {found.unseen}", flush=True)
    print(f"{right} of {len(chosen)} layers named")
    return 0 if right >= SHARE * len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
