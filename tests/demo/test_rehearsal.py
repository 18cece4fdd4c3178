"""The demonstration in the core: the same plans, the same Fleet, the same verdict, without a broker."""

import secrets

import pytest

from foreshock.fleet import Fleet, FleetSpec
from foreshock.simulate.plan import demo_plan
from foreshock.simulate.rehearsal import rehearse

SEEDS = 20
LEAST = 19


def outcome(seed, faults="all", duration_s=60.0):
    """The verdict on a seed."""
    plan = demo_plan(seed, duration_s, faults=faults, epoch_ns=1_790_000_000 * 10**9)
    report, _ = rehearse(plan, Fleet(FleetSpec()).receive)
    return report


def describe(report):
    """What went wrong, for the test's log."""
    missed = [f"{f.fault.asset} {f.fault.kind} missed" for f in report.findings if f.event is None]
    return (
        missed + [f"{e.asset} {e.what} at {e.plant_s:.1f} s false" for e in report.false_alarms] + list(report.unscored)
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nineteen_of_twenty_seeds_pass():
    """Seeds drawn now: every fault found, each sensor fault called one, nothing else reported, in at least 19 of 20."""
    failed = {}
    for _ in range(SEEDS):
        seed = secrets.randbelow(2**32)
        report = outcome(seed)
        if not report.passed:
            failed[seed] = describe(report)
    print(f"{SEEDS - len(failed)} of {SEEDS} seeds pass; failed: {failed}")

    assert len(failed) <= SEEDS - LEAST, failed


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["none", "sensor"])
def test_sound_machines_are_called_sound(faults):
    """Without faults, and with those of sensors alone, no machine fault is reported."""
    seed = secrets.randbelow(2**32)
    report = outcome(seed, faults)

    assert [e for e in report.false_alarms if e.what == "anomaly"] == [], (seed, describe(report))
    assert report.passed, (seed, describe(report))
