"""Two workers with one instance id, on one host and on two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.plant import READY_S, sound

pytestmark = pytest.mark.slow


def test_one_instance_id_twice(plant, tmp_path):
    """On one host the second one refuses to start; across hosts the one that is fenced exits and names the id."""
    hall = plant(processes=1)
    first = hall.start("--slot", "0")
    first.wait_for("worker ready", READY_S)
    with hall.feeding():
        hall.reach(0.2, first)
        second = hall.start("--slot", "0")
        assert second.ends() == 2
        assert "'hall' is in use on this host" in second.lines[-1]
        assert first.process.poll() is None, first.shown()
        elsewhere = replace(hall.settings, worker=replace(hall.settings.worker, data_dir=tmp_path / "another-host"))
        third = hall.start("--slot", "0", settings=elsewhere)
        assert first.ends() == 70, first.shown()
        assert "hall' was taken over by another worker" in first.lines[-1], first.shown()
        third.wait_for("worker ready", READY_S)
    verdict = hall.finish(third)

    sound(verdict, first, third, repeated=hall.holds(restarts=1))
