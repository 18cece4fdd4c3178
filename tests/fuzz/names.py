"""Names without end through the walk of a worker: `python -m tests.fuzz.names SEED COUNT`. Prints what happened as JSON.

Each record names another machine, most of them another layout or other channels as well. What a worker remembers of
names has to have an end; the state of the machines that there is room for does not count.
"""

from __future__ import annotations

import gc
import json
import random
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

from foreshock.contract import SensorBlock
from foreshock.core.room import Room
from foreshock.fleet import Fleet, FleetSpec
from foreshock.streams import wire
from tests.broker.conftest import block
from tests.broker.test_walk import batch_of, go, walk_around
from tests.fuzz.messages import resident

BATCH = 100
ROOM = 4 * 1024 * 1024
"""Bytes of state on each of the four partitions: full after a few hundred names."""


def hostile(rng: random.Random, number: int) -> SensorBlock:
    """A block of a machine that nobody heard of."""
    made = block(f"{rng.getrandbits(64):x}-{number}", number % 7, samples=rng.choice([64, 256, 300]))
    channels = (f"c{rng.getrandbits(32)}",)
    return replace(made, channels=channels, sampling_rate_hz=1_600.0 + rng.randrange(1000), point=f"p{number}")


def hunt(seed: int, count: int) -> dict[str, Any]:
    """Send so many names."""
    rng, found, sizes = random.Random(seed), Counter[str](), []
    fleet = Fleet(FleetSpec(warmup_blocks=12))
    fleet._room = Room(fleet._admission, strangers=ROOM)
    walk = walk_around(fleet)
    for start in range(0, count, BATCH):
        box = go(walk, batch_of([hostile(rng, start + n) for n in range(BATCH)], start=start))
        found["scores"] += len(box.scores)
        for each in box.events:
            found[each.topic] += 1
            if each.topic == "dead-letters.v1":
                found[wire.decode_output(each.value)["record"]["reason"]] += 1
        if start % (10 * BATCH) == 0:
            gc.collect()
            sizes.append(resident())
    grown = max(sizes[len(sizes) // 2 :]) - sizes[len(sizes) // 2]
    return {"found": found, "lanes": len(fleet._admission.lanes), "grown_mb": grown / 2**20}


if __name__ == "__main__":
    print(json.dumps(hunt(int(sys.argv[1]), int(sys.argv[2]))))
