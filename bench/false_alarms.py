"""`python -m bench.false_alarms`: episodes that pure noise opens, for slow values by length of warm-up and for waveforms."""

from __future__ import annotations

import numpy as np

from foreshock.contract import Phase
from foreshock.fleet import Fleet, FleetSpec
from tests.core.builders import block, frame

SEEDS, FRAMES, ROWS = 20, 200, 10
ASSETS, BLOCKS = 10, 600


def opened(outcomes) -> int:
    """Count the episodes that opened."""
    return sum(event.phase is Phase.OPENED for outcome in outcomes for event in outcome.anomalies)


def slow_values(warmup: int) -> tuple[int, int]:
    """Give episodes and scored rows of three tags of Gaussian noise."""
    episodes = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        noise = [frame(i, rng.normal(300, 1, (ROWS, 3)), index=i * ROWS) for i in range(FRAMES)]
        episodes += opened(Fleet(FleetSpec(warmup_blocks=warmup)).receive(noise))
    return episodes, SEEDS * (FRAMES * ROWS - warmup)


def main() -> None:
    """Print a line for each."""
    for warmup in (60, 200, 500):
        episodes, rows = slow_values(warmup)
        print(f"slow values, warm-up {warmup:3} rows: {episodes} episodes in {rows:,} rows")
    spec = FleetSpec()
    fleets = [Fleet(spec).receive([block(i, asset=f"a{n}") for i in range(BLOCKS)]) for n in range(ASSETS)]
    scored = ASSETS * (BLOCKS - spec.warmup_blocks)
    print(f"waveforms, warm-up {spec.warmup_blocks} blocks: {sum(map(opened, fleets))} episodes in {scored:,} blocks")


if __name__ == "__main__":
    main()
