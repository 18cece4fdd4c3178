"""The page of the pipeline, from the last look at the brokers and from what is held in memory. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from foreshock.streams.console.machinery import INPUT, LETTERS, Look, Machinery
from foreshock.streams.console.plant import Plant

HOUR_MS = 3.6e6


def pipeline(
    machinery: Machinery, plant: Plant, stages: Sequence[Mapping[str, Any]], now_ms: float, problem: str
) -> dict[str, Any]:
    """Give the page.

    Parameters
    ----------
    stages
        Where the time of single records goes.
    problem
        Why Kafka cannot be read now; "" where it can.
    """
    look = machinery.last
    first, last = (sum(end[side] for (t, _), end in look.ends.items() if t == LETTERS) for side in (0, 1))
    return {
        "now_ms": now_ms,
        "looked_ms": look.at_ms,
        "kafka": {
            "reachable": not (problem or look.problem),
            "problem": problem or look.problem,
            "cluster_id": look.cluster_id,
            "brokers": look.brokers,
        },
        "group": look.group,
        "topics": [_topic(machinery, plant, name, now_ms) for name in dict.fromkeys(topic for topic, _ in look.ends)],
        "stages": list(stages),
        "throughput": throughput(machinery),
        "checkpoints": [
            {"partition": number, "at_ms": at_ms, "age_s": max(0.0, (now_ms - at_ms) / 1e3)}
            for number, at_ms in sorted(machinery.checkpoints.items())
        ],
        "dead_letters": {
            "total": last - first,
            "last_hour": sum(now_ms - each["at_ms"] < HOUR_MS for each in plant.letters),
            "by_reason": plant.reasons,
        },
        "sinks": look.sinks,
        "counts": plant.outcomes,
    }


def throughput(machinery: Machinery) -> dict[str, list[float]]:
    """Give records a second between one look and the next."""
    found: dict[str, list[float]] = {"t_ms": [], "in_per_s": [], "scored_per_s": [], "dead_per_s": []}
    for before, after in pairwise(list(machinery.history)):
        passed = max((after[0] - before[0]) / 1e3, 1e-3)
        found["t_ms"].append(after[0])
        for place, name in enumerate(("in_per_s", "scored_per_s", "dead_per_s"), start=1):
            found[name].append(round(max(0, after[place] - before[place]) / passed, 3))
    return found


def behind(look: Look, plant: Plant, partition: int, end: int, now_ms: float) -> tuple[int, float | None]:
    """Say how far the workers are behind on a partition of the input.

    Returns
    -------
    tuple
        Records without an outcome, and for how many seconds the newest outcome has been the newest; None: not known.
    """
    after, arrived_ms = plant.done.get(partition, (0, 0.0))
    done = max(after, look.committed.get(partition, 0))
    lag = max(0, end - done)
    if not lag:
        return 0, 0.0
    return lag, max(0.0, (now_ms - arrived_ms) / 1e3) if arrived_ms else None


def _topic(machinery: Machinery, plant: Plant, name: str, now_ms: float) -> dict[str, Any]:
    look = machinery.last
    partitions = []
    for (topic, number), (low, end) in sorted(look.ends.items()):
        if topic != name:
            continue
        told: dict[str, Any] = {
            "partition": number,
            "low": low,
            "end": end,
            "per_s": round(machinery.rates.get((topic, number), 0.0), 3),
        }
        if name == INPUT:
            lag, lag_s = behind(look, plant, number, end, now_ms)
            at_ms = machinery.checkpoints.get(number)
            told |= {
                "committed": look.committed.get(number),
                "lag": lag,
                "lag_s": lag_s,
                "owner": look.owners.get(number, ""),
                "checkpoint_age_s": None if at_ms is None else max(0.0, (now_ms - at_ms) / 1e3),
            }
        partitions.append(told)
    return {
        "name": name,
        "partitions": partitions,
        "end": sum(each["end"] for each in partitions),
        "kept": sum(each["end"] - each["low"] for each in partitions),
        "per_s": round(sum(each["per_s"] for each in partitions), 3),
        "lag": sum(each["lag"] for each in partitions) if name == INPUT else None,
    }
