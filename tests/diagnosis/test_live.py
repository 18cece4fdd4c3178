"""The diagnosis of a real plant: nothing while it is calm, then the sensor that freezes. All causes: `python -m tests.diagnosis`."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest

from foreshock.answers.diagnosis.finding import Layer
from tests.broker.conftest import until
from tests.diagnosis.causes import CAUSES, VICTIM
from tests.diagnosis.live import Plant

FROZEN = next(cause for cause in CAUSES if cause.name == "a sensor is frozen")


@pytest.mark.slow
@pytest.mark.broker
def test_a_calm_plant_and_a_frozen_sensor(stack, settings, tmp_path):
    """Two workers, delivery and twelve machines: no finding, nothing unseen; a frozen sensor is named within a minute."""
    plant = Plant(stack, tmp_path, settings.topics.prefix)
    with plant.running:
        plant.calm()
        # Right after a start a rebalance or a backlog may still be seen; it passes.
        until(lambda: not (found := plant.diagnose(since_s=3.0)).findings and not found.unseen, 90)
        began = time.monotonic()
        with contextmanager(FROZEN.hurt)(plant):
            named = lambda: plant.diagnose(since_s=time.monotonic() - began + 1.0)
            until(lambda: (found := named()).findings and found.layer is Layer.SENSOR, 60)
            found = named().findings[0]

    assert found.cause == "frozen"
    assert VICTIM in found.sentence
