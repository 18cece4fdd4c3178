"""What telemetry and cache cost a block: `python -m bench.kernels_telemetry`.

Prints microseconds of one core for a block, best of several rounds, for the parts that stand in the worker's hot path.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

from foreshock import lineage
from foreshock.contract import Origin
from foreshock.outcome import Outcome
from foreshock.settings import Settings, TelemetrySettings
from foreshock.streams.cache import Cache
from foreshock.streams.telemetry import BatchTimes, Telemetry
from tests.wire import samples

BATCH = 256
BATCHES = 40
ROUNDS = 5
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
GOAL_US = 2.0


def outcomes(traceparent: str | None) -> list[list[Outcome]]:
    """Make batches of ordinary outcomes."""
    first = Origin(
        topic="sensors.v1", topic_id="x" * 22, partition=1, offset=0, ingest_ns=10**18 * 4, traceparent=traceparent
    )
    score = replace(samples.ORDINARY, rows=(replace(samples.ORDINARY_ROW, features=(0.0,) * 22),))
    found = []
    for offset in range(BATCH * BATCHES):
        origin = replace(first, offset=offset)
        found.append(
            Outcome(
                score=replace(
                    score, origin=origin, asset=f"a{offset % 32}", score_id=lineage.event_id("score", origin, 0)
                )
            )
        )
    return [found[at : at + BATCH] for at in range(0, len(found), BATCH)]


def best_us(call: Callable[[list[Outcome]], object], batches: list[list[Outcome]]) -> float:
    """Best of some rounds, CPU microseconds of the process a block (exporter and cache threads count)."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for batch in batches:
            call(batch)
        times.append((time.process_time() - began) / (BATCH * len(batches)) * 1e6)
    return min(times)


def telemetry_us(ratio: float, batches: list[list[Outcome]]) -> tuple[float, float]:
    """Cost of `record` and of the header of a score."""
    times = BatchTimes(*(time.time_ns() + stage for stage in range(9)))
    with tempfile.TemporaryDirectory() as folder:
        telemetry = Telemetry(Settings(telemetry=TelemetrySettings(sample_ratio=ratio, store=folder)), worker="bench")
        record = best_us(lambda batch: telemetry.record(times, batch), batches)
        header = best_us(
            lambda batch: [telemetry.traceparent_for(o.score.origin, o.score.score_id, event=False) for o in batch],
            batches,
        )
        telemetry.close()
    return record, header


def main() -> None:
    """Print the table and one line of JSON."""
    plain, sent = outcomes(None), outcomes(UNSAMPLED)
    figures = {
        "record, share 0": telemetry_us(0.0, plain)[0],
        "record, share 0.01": telemetry_us(0.01, plain)[0],
        "record, producer does not sample": telemetry_us(0.01, sent)[0],
        "traceparent_for": telemetry_us(0.0, plain)[1],
        "traceparent_for, producer's": telemetry_us(0.0, sent)[1],
    }
    cache = Cache("redis://127.0.0.1:1/0")
    figures["cache.put, nobody there"] = best_us(cache.put, plain)
    cache.close(0)
    for name, figure in figures.items():
        print(f"{name:36} {figure:7.2f} us a block")
    print(json.dumps({"telemetry": {name: round(figure, 3) for name, figure in figures.items()}, "goal_us": GOAL_US}))


if __name__ == "__main__":
    main()
