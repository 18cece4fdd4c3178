"""The broker dies and comes back: on a broker of this test alone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from foreshock.local.stack import LocalStack
from foreshock.settings import RedisSettings
from tests.chaos.plant import FULL, READY_S, SESSION_S, hall, sound

pytestmark = pytest.mark.slow

AWAY_S = 60.0 if FULL else 2.5 * SESSION_S
"""Beyond the session timeout: the members are gone when the broker is back."""


@pytest.fixture
def own_stack(stack):
    """A broker to be killed; `stack` has shown that one can be started here."""
    with LocalStack(None, redis=False) as mine:
        yield mine


def test_broker_is_killed_and_stays_away(plant, settings, own_stack):
    """Killed and started at once, then away beyond the session timeout: static members go on, and nothing is lost."""
    given = replace(settings, kafka=replace(settings.kafka, bootstrap=own_stack.bootstrap), redis=RedisSettings())
    plant = plant(given=hall(given, session_s=SESSION_S))
    worker = plant.start()
    worker.wait_for("worker ready", READY_S, times=2)
    with plant.feeding():
        plant.reach(0.2, worker)
        own_stack.broker.kill()
        own_stack.broker.start()
        plant.reach(0.5, worker)
        own_stack.broker.kill()
        time.sleep(AWAY_S)  # the outage itself
        own_stack.broker.start()
    verdict = plant.finish(worker)

    sound(verdict, worker, repeated=plant.holds(restarts=2))
