"""Issue 5: the month through processes that are killed at random points tells the same transitions, each once, same ids.

    MONTH_KILLED=50,30,100 pytest -s tests/chaos/test_month.py

is the whole month of 50 assets and 100 kills; `make chaos` runs it. The kills inside of one process, at 100 points of the
month, are those of tests/alerts/test_month.py.
"""

from __future__ import annotations

import os

import pytest

from foreshock.alerts.vocabulary import Change
from tests.alerts.month_plan import Month
from tests.chaos.month import Killed, settings_of
from tests.chaos.plant import sound

ASSETS, DAYS, KILLS = (int(each) for each in os.environ.get("MONTH_KILLED", "8,15,4").split(","))
SEED = 7
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 60 * KILLS)]


def test_a_month_with_workers_that_are_killed(settings, running, tmp_path):
    """Every output and every asset's last state are those of an undisturbed run; each command is answered once."""
    killed = Killed(settings_of(settings, tmp_path), Month(SEED, ASSETS, DAYS), KILLS, SEED, running)
    verdict, worker = killed.run()

    assert len(killed.points) == KILLS
    sound(verdict, worker, repeated=KILLS * settings.worker.batch)
    told = {each.id: each.record for each in killed.plant.read("alerts.v1")}
    assert {Change.RAISED, Change.ACKNOWLEDGED, Change.WORK_ORDER, Change.LABELLED} <= {
        each["change"] for each in told.values()
    }
    answers = [each["command_id"] for each in told.values() if each["command_id"]]
    assert len(answers) == len(set(answers))
