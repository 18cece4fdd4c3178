"""The short way of a row through the alerts: what stands, or is over, is heard and nothing else."""

from __future__ import annotations

import pytest

from foreshock.alerts.vocabulary import Change
from foreshock.core import desk
from foreshock.fleet import Fleet, FleetSpec
from tests.core.alerting import feed, told

WARM = 30


@pytest.mark.parametrize("loud", [1, 3], ids=["suppressed", "raised"])
def test_a_row_that_is_only_heard_changes_the_same_either_way(monkeypatch, loud):
    """Some loud blocks; what follows goes the short way, and state, alerts and due times are those of the long one."""
    passed = []

    def run(passes) -> tuple:
        monkeypatch.setattr(desk, "_passes", passes)
        fleet = Fleet(FleetSpec(warmup_blocks=20))
        feed(fleet, 0, WARM)
        outcomes = [*feed(fleet, WARM, WARM + loud, fault=3.0), *feed(fleet, WARM + loud, WARM + 60)]
        owner = fleet._admission.partitions[0].owners["pump-1"]
        return [each.change for each in told(outcomes)], fleet.capture(0, "pump-1").digest(), owner.due_ns, owner.alerts

    short = desk._passes
    watched = run(lambda *given: passed.append(short(*given)) or passed[-1])

    assert watched == run(lambda *_: False)
    assert (Change.SUPPRESSED if loud == 1 else Change.RAISED) in watched[0]
    assert sum(passed) > 40
