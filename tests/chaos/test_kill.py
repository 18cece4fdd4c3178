"""Workers die: one, each in turn, all at once."""

from __future__ import annotations

import pytest

from tests.chaos.plant import sound

pytestmark = pytest.mark.slow


def test_sigkill_of_one_of_each_in_turn_and_of_all(plant):
    """Whoever is killed, nothing is lost, nothing is different, and little comes twice."""
    hall = plant()
    worker = hall.start()
    worker.wait_for("worker ready", times=2)
    with hall.feeding():
        for share, victims in ((0.15, [0]), (0.35, [1]), (0.55, [0]), (0.75, [])):
            hall.reach(share, worker)
            worker.hurt(*victims)
    verdict = hall.finish(worker)

    sound(verdict, worker)
    assert verdict.repeated <= hall.holds(restarts=4)
