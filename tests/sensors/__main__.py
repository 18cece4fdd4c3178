"""Run the trials of sensors: `python -m tests.sensors [--seeds 200] [--each 4] [--first 0] [--days 10]`.

Of each seed so many machines have a fault of their sensor, the kinds taking turns.

Prints for each fault of a sensor how often it was found, how soon, what else was said, and how often the machine was
blamed; then the false quality events of sound sensors by sensor-day.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from statistics import median

from foreshock.simulate.faults import SENSOR_KINDS
from tests.sensors.trials import Trial, drawn, healthy, run

HOUR_S = 3600.0


def faults(first: int, seeds: int, each: int) -> bool:
    """Let sensors fail; gives whether each was found and no machine blamed."""
    trials: list[Trial] = []
    for seed in range(first, first + seeds):
        for trial in run(seed, drawn(seed, each)):
            trials.append(trial)
            print(f"seed {seed}: {len(trials)} sensors", end="\r", file=sys.stderr, flush=True)
            if trial.found_s is None or trial.alarms or trial.strange:
                print(f"seed {seed}: {trial}", flush=True)
    print(f"{'fault':18s} {'found':>9s} {'median s':>9s} {'worst s':>8s} {'alarms':>7s}  also said")
    for kind in sorted(SENSOR_KINDS):
        of = [t for t in trials if t.kind is kind]
        times = [t.found_s for t in of if t.found_s is not None]
        also = Counter(other for t in of for other in set(t.others))
        shown = ", ".join(f"{name} {count}" for name, count in also.most_common())
        middle, worst = (f"{median(times):.1f}", f"{max(times):.1f}") if times else ("-", "-")
        alarms = sum(bool(t.alarms) for t in of)
        print(f"{kind:18s} {len(times):4d}/{len(of):4d} {middle:>9s} {worst:>8s} {alarms:7d}  {shown}")
    early = Counter(kind for t in trials for kind in t.early)
    print(f"before any fault: {dict(early) or 'nothing'}")
    return all(t.found_s is not None and not t.alarms for t in trials)


def days(first: int, wanted: float) -> bool:
    """Listen to sound sensors; gives whether at most one event a sensor-day was false."""
    total, raised = 0.0, []
    while total < wanted:
        lived, told = healthy(first, HOUR_S)
        for each in told:
            print(f"seed {first}: {each.asset} {each.kind} {each.detail}", flush=True)
        total, raised, first = total + lived, raised + told, first + 1
    print(
        f"{len(raised)} false quality events in {total:.1f} sensor-days of 0.5 s blocks: {Counter(map(str, (r.kind for r in raised)))}"
    )
    return len(raised) <= total


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--days", type=float, default=10.0)
    asked = parser.parse_args()
    good = not asked.seeds or faults(asked.first, asked.seeds, asked.each)
    return 0 if (not asked.days or days(asked.first, asked.days)) and good else 1


if __name__ == "__main__":
    sys.exit(main())
