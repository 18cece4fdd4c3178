"""What a block in alarm sounds like: a name where the lines of a part stand out of a short block, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from foreshock.contract import Asset, Bearing
from foreshock.detectors.diagnosis import hypothesis
from foreshock.features.kinematics.geometry import families

DRIVE_END = Bearing(name="6205", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)
PUMP = Asset(asset="pump", bearings=(DRIVE_END,))
RATE, SPEED = 25_600.0, 29.95


def impulses(frequency_hz: float, seed: int, samples: int = 16_384) -> np.ndarray:
    """Impulses that ring at 4 kHz, with slip, in noise; float32 [1, samples]."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / RATE
    x, start = rng.normal(size=t.size), 0.0
    while frequency_hz and start < t[-1]:
        lag = t - start
        x += 4.0 * np.where(lag >= 0, np.exp(-np.maximum(lag, 0) * 1500) * np.sin(2 * np.pi * 4000 * lag), 0)
        start += rng.normal(1, 0.01) / frequency_hz
    return x.astype(np.float32)[None, :]


@pytest.mark.parametrize(
    ("family", "part"), [("BPFO", "outer race"), ("BPFI", "inner race"), ("2xBSF", "rolling element")]
)
@pytest.mark.parametrize(("seed", "samples"), [(0, 16_384), (1, 16_384), (2, 8192)])
def test_names_the_part_whose_lines_stand_out(family: str, part: str, seed: int, samples: int) -> None:
    """Impulses at a fault frequency are named, with frequency and strength, in a third and in two thirds of a second."""
    hz = next(each.order for each in families(PUMP) if each.name == family) * SPEED

    sentence = hypothesis(impulses(hz, seed, samples), RATE, SPEED, PUMP)

    assert sentence.startswith(f"{part} of bearing 6205: {family}")


@pytest.mark.parametrize("seed", range(12))
def test_noise_and_foreign_lines_have_no_name(seed: int) -> None:
    """Noise, or impulses at a frequency that is none of the bearing's, lead to no guess."""
    assert hypothesis(impulses(0.0, seed), RATE, SPEED, PUMP) == ""
    assert hypothesis(impulses(67.3, seed), RATE, SPEED, PUMP) == ""


def test_without_speed_rate_or_geometry_nothing_is_said() -> None:
    """What is not known is not guessed."""
    x = impulses(107.0, 1)
    assert hypothesis(x, None, SPEED, PUMP) == ""
    assert hypothesis(x, RATE, None, PUMP) == ""
    assert hypothesis(x, RATE, 0.0, PUMP) == ""
    assert hypothesis(x, RATE, SPEED, Asset(asset="pump")) == ""
    assert hypothesis(x[:, :16], RATE, SPEED, PUMP) == ""
    assert hypothesis(np.zeros_like(x), RATE, SPEED, PUMP) == ""
