"""Writes docs/chaos.md from what `make chaos` left in a folder: `python -m tests.chaos.report FOLDER > docs/chaos.md`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FAULTS: Mapping[str, str] = {
    "test_sigkill_of_one_of_each_in_turn_and_of_all": "SIGKILL of one worker, of each in turn, of all",
    "test_a_month_with_workers_that_are_killed": "SIGKILL at 100 random points of a month of 50 machines, alerts and all",
    "test_zombie_sends_what_it_had_queued": "SIGSTOP beyond the session with outputs and state queued, then SIGCONT",
    "test_scaling_from_one_to_three_and_back": "scale 1 -> 3 -> 1",
    "test_broker_is_killed_and_stays_away": "broker SIGKILL and restart, then away beyond the session timeout; static members",
    "test_output_topics_refuse_records": "scores.v1, then anomalies.v1 refuse records (too large)",
    "test_output_topic_is_deleted": "scores.v1 deleted: reported = actual",
    "test_retention_deletes_unread_input": "retention deleted unread input: reported = actual",
    "test_state_record_is_corrupt": "two snapshots on state.v1 damaged: these two assets start cold and say so",
    "test_poison_and_jumping_clocks": "one record in a hundred is poison; the clocks of half of the sources jump",
    "test_cache_is_killed_flushed_and_full": "cache killed, flushed, its disk full, stopped",
    "test_one_instance_id_twice": "two workers with one instance id, on one host and on two",
    "test_exception_in_the_core": "exceptions inside the core on three blocks",
}
COLUMNS = ("lost", "pending", "duplicated", "reordered", "different", "missing", "strange")

HEAD = """\
# What it survives

Written by `python -m tests.chaos.report` from the figures that a run leaves (2 cores, everything on one machine: broker,
workers and the client that sends). Each line of the first table is one test of `tests/chaos/` on a real Kafka. The inputs
are numbered; a verifier reads the input topic and all output topics back and compares every record, byte for byte, and the
final state of every asset with an undisturbed run of the same records. `make test` runs these tests with 5,000 blocks each;
`make chaos` with 100,000 blocks, 1,000,000 hostile records and 100,000 hostile snapshots, and writes this page.

- *lost*: the group went past an input that has no outcome; *pending*: nobody came to it.
- *duplicated*: one input under two ids. *repeated*: the same record twice, same id and same bytes, which at least once allows;
  a consumer drops the second by its id. Each test holds outcomes and events to what one checkpoint interval holds for each
  restart, and to none where all workers stop in order. A process that was stopped and goes on sends what its client had in
  its queue (`linger.ms`, 5 ms unless set; 1.5 s in that test), and nothing that waited before it.
- *reordered*: two outcomes of one asset in the wrong order, after the second copies are dropped.
- *different*, *missing*, *strange*: against the undisturbed run, over scores, anomalies, cases, feature vectors, diagnoses, quality, alerts and dead letters.
- Where two snapshots were damaged on purpose, the outputs and the digests of these two assets differ, and nobody else's.
- *digests*: assets whose final model state is the same, bit for bit, as after the undisturbed run.
"""


def leave(name: str, row: Mapping[str, object]) -> None:
    """Leave figures for `make chaos`, where it asks for them."""
    if folder := os.environ.get("CHAOS_REPORT"):
        Path(folder, f"{name}.json").write_text(json.dumps(row))


def main(folder: Path) -> None:
    """Print the report."""
    results = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    print("\n".join([HEAD, *_faults(results), *_timings(results), *_fuzz(results)]))


def _faults(results: Mapping[str, Any]) -> Iterator[str]:
    yield "## Faults\n"
    yield f"| fault | blocks | {' | '.join(COLUMNS)} | repeated | digests |"
    yield f"| --- | --- |{' --- |' * len(COLUMNS)} --- | --- |"
    for name, fault in FAULTS.items():
        row = results.get(f"fault-{name}")
        if row is None:
            continue
        counts = " | ".join(str(row[column]) for column in COLUMNS)
        equal = f"{row['digests_equal']} of {row['digests_equal'] + row['digests']}"
        yield f"| {fault} | {row['inputs']:,} | {counts} | {row['repeated']:,} | {equal} |"
    if replays := results.get("replays"):
        yield (
            f"\nEvery anomaly of the first run that opened an episode or escalated was replayed from its case alone: "
            f"{replays['equal']:,} of {replays['of']:,} EQUAL, bit for bit. With one bit of the case flipped, "
            f"{replays['refused']:,} were refused by the sha256 that the anomaly names."
        )


def _timings(results: Mapping[str, Any]) -> Iterator[str]:
    rows = [row for name, row in results.items() if name.startswith("timing-")]
    if not rows:
        return
    yield "\n## Times\n\n500 blocks a second, two workers.\n"
    yield "| what | seconds | wanted |\n| --- | --- | --- |"
    for row in rows:
        yield f"| {row['what']} | {', '.join(f'{each:.1f}' for each in row['seconds'])} | {row['target_s']:.0f} |"
    for row in rows:
        if "memory_mb" in row:
            yield (
                f"\nIts memory: {row['memory_mb']:.0f} MB at most, with {row['declared_mb']:.0f} MB of declared state; "
                f"450 MB + 1.3 x that is {row['allowed_mb']:.0f} MB. From its start to its first batch: {row['ready_s']:.1f} s."
            )


def _fuzz(results: Mapping[str, Any]) -> Iterator[str]:
    rows = [row for name, row in results.items() if name.startswith("fuzz-")]
    if not rows:
        return
    yield "\n## Hostile bytes\n"
    for row in rows:
        deep = row["found"].get("score:scored", row["found"].get("scored", 0))
        yield (
            f"- {row['count']:,} {row.get('what', 'records')}, bytes with changes and well-formed ones with wild values: "
            f"no crash, slowest {row['slowest_ms']:.0f} ms, memory grew by {row['grown_mb']:.0f} MB. "
            f"{deep:,} came as far as a score."
        )
    if names := results.get("names"):
        yield (
            f"- {names['count']:,} records, each of another machine that nobody registered: {names['found']['scores']:,} had "
            f"room for state in this run, the others are dead letters `no_room`. Over the second half memory grew by {names['grown_mb']:.0f} MB."
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
