"""A defect of ours meets one block."""

from __future__ import annotations

import pytest

from tests.chaos.plant import READY_S, sound

pytestmark = pytest.mark.slow


def test_exception_in_the_core(plant):
    """The blocks that it fails on are dead letters, their assets go on as if these had not come, the others notice nothing."""
    hall = plant(processes=1)
    turns = hall.plan.turns
    names = [f"{hall.plan.asset(index)}:{turn}" for index, turn in ((1, 30), (4, turns // 2), (7, turns - 20))]
    worker = hall.start("--slot", "0", entry=("-m", "tests.chaos.failing", ",".join(names)))
    worker.wait_for("worker ready", READY_S)
    with hall.feeding():
        hall.reach(0.95, worker)
    verdict = hall.finish(worker, culprits=[lambda block: f"{block.asset}:{block.sequence}" in names])

    sound(verdict, worker, repeated=hall.holds(restarts=len(names)))
    letters = hall.read("dead-letters.v1")
    assert [each.record["reason"] for each in letters] == ["internal_error"] * len(names)
    assert all("ZeroDivisionError" in each.record["sentence"] for each in letters)
