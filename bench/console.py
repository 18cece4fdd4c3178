"""`python -m bench.console`: how long the overview of a console takes, and what its rows cost, without a broker."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import orjson

from foreshock.streams.console.feed import Feed
from foreshock.streams.console.fleet import Asked, fleet
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.seen import Seen

ASSETS, ROUNDS, ASKED = 1000, 600, 15
NOW_MS, EVERY_MS = 1_790_000_000_000.0, 6000.0
PAGE = 4096


def main() -> None:
    """Fill a console as its follower does, ask it, and print."""
    held = Plant(Feed(), assets=20_000, rows=1_500_000)
    before, took = resident(), 0.0
    for number in range(ROUNDS):
        at_ms = NOW_MS - (ROUNDS - number) * EVERY_MS
        records = [record(asset, number, at_ms) for asset in range(ASSETS)]
        began = time.process_time()
        for each in records:
            held.take(each)
        took += time.process_time() - began
    times = []
    for _ in range(ASKED):
        began = time.process_time()
        told = fleet(held, Asked(from_ms=NOW_MS - 3.6e6, to_ms=NOW_MS, now_ms=NOW_MS))
        size = len(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY))
        times.append(1e3 * (time.process_time() - began))
    print(
        f"overview of {ASSETS} assets: {statistics.median(times):.0f} ms of CPU (the slowest {max(times):.0f}), {size / 1e3:.0f} kB"
    )
    print(f"a score taken up: {1e6 * took / ROUNDS / ASSETS:.1f} us of CPU")
    print(f"{ASSETS * ROUNDS:,} rows: {resident() - before:.0f} MB")


def record(asset: int, number: int, at_ms: float) -> Seen:
    """A decoded score; every fiftieth asset is in alarm in the second half."""
    ns, ill = int(at_ms * 1e6), asset % 50 == 0 and number > ROUNDS / 2
    row = {
        "source_ns": ns,
        "state": "scored",
        "reason": "",
        "value": 2.0 if ill else 0.4 + number % 7 / 10,
        "p_value": 0.2,
    }
    row |= {"alarm": ill, "run_state": "running", "trend": 0.01}
    origin = {"partition": asset % 4, "offset": number * ASSETS + asset, "ingest_ns": ns}
    told = {"asset": f"pump-{asset:04d}", "point": "de", "origin": origin, "rows": [row], "quality": [], "warmup": 1.0}
    told |= {"learning": "learning", "model": "m", "feature_set": "full", "mode": "model"}
    return Seen("scores.v1", asset % 4, number * ASSETS + asset, at_ms, b"", told)


def resident() -> float:
    """Memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


if __name__ == "__main__":
    main()
