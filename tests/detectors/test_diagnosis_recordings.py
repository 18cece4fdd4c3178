"""Diagnoses of the public recordings of a test rig: its drive-end bearing, damaged on purpose.

The geometry is that of the public description of the rig (6205-2RS: nine balls of 0.3126 in on a pitch diameter of
1.537 in); nothing was fitted to the recordings. What a ball shows is told as it is (Smith and Randall 2015, Mechanical
Systems and Signal Processing 64-65, 100-131: the ball recordings of this rig cannot be diagnosed by their own lines): the
one of 21 mil has the lines of its inner race with sidebands, the one of 7 mil some of the outer race's, neither has its own.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foreshock.contract import Asset, Bearing
from foreshock.detectors.diagnosis import diagnose
from foreshock.features.kinematics import speed
from tests.naming import wrong

DRIVE_END = Bearing(name="6205-2RS", balls=9, ball_diameter_m=0.3126 * 0.0254, pitch_diameter_m=1.537 * 0.0254)
RIG = Asset(asset="rig", bearings=(DRIVE_END,))
RATE, RPM = 48_000.0, 1797.0
LENGTH = 65_536
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def folder() -> Path:
    """The recordings."""
    data = Path(os.environ.get("FORESHOCK_DATA", "../shared/data")) / "cwru"
    if not data.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"FORESHOCK_DATA: no recordings at {data}")
        pytest.skip(f"no recordings at {data}: set FORESHOCK_DATA")
    return data


def named(folder: Path, name: str, asset: Asset = RIG, channel: str = "DE") -> Counter[str]:
    """Count what the windows of a recording are named."""
    with np.load(folder / f"{name}.npz") as found:
        x = found[channel]
    windows = [x[None, i : i + LENGTH] for i in range(0, len(x) - LENGTH + 1, LENGTH)]
    return Counter(
        diagnose(w, RATE, speed.of(w, RATE, [RPM / 60.0], None), asset, {}, unit="[g]").fault for w in windows
    )


@pytest.mark.parametrize("name", ["1797_IR_7_DE48", "1797_IR_21_DE48"])
@pytest.mark.parametrize("channel", ["DE", "FE"])
def test_the_inner_race_is_named_in_both_recordings(folder: Path, name: str, channel: str):
    """In every window, at the damaged end and through the motor at the other one."""
    assert named(folder, name, channel=channel) == {"inner_race": 3}


@pytest.mark.parametrize("channel", ["DE", "FE"])
def test_the_healthy_rig_is_not_named(folder: Path, channel: str):
    """Real tones and a real floor: nothing."""
    assert named(folder, "1797_Normal", channel=channel) == {"": 3}


@pytest.mark.parametrize("name", ["1797_IR_7_DE48", "1797_IR_21_DE48", "1797_B_7_DE48", "1797_B_21_DE48"])
@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_wrong_geometry_names_nothing(folder: Path, name: str, factor: float):
    """The same recordings with another bearing in the register, whose BPFI is 5 % off."""
    other = replace(RIG, bearings=(wrong(DRIVE_END, factor),))

    assert named(folder, name, other) == {"": 3}


@pytest.mark.parametrize("name", ["1797_B_7_DE48", "1797_B_21_DE48"])
def test_a_ball_is_never_found_by_lines_it_does_not_have(folder: Path, name: str):
    """No window of the ball recordings shows 2 x BSF with sidebands of the cage, so none is called a rolling element."""
    assert "rolling_element" not in named(folder, name)
