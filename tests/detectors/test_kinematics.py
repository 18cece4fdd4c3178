"""Fault frequencies of a known bearing, and a name only where its lines stand out."""

from __future__ import annotations

import numpy as np
import pytest

from foreshock.contract import Bearing
from foreshock.detectors.kinematics import fault_frequencies, hypothesis

DRIVE_END = Bearing(name="6205", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)
RATE, SPEED = 25_600.0, 29.95


def impulses(frequency_hz: float, seed: int, size: float = 4.0) -> np.ndarray:
    """Impulses that ring at 4 kHz, with slip, in noise; float32 [1, 16384]."""
    rng = np.random.default_rng(seed)
    t = np.arange(16_384) / RATE
    x, start = rng.normal(size=t.size), 0.0
    while frequency_hz and start < t[-1]:
        lag = t - start
        x += size * np.where(lag >= 0, np.exp(-np.maximum(lag, 0) * 1500) * np.sin(2 * np.pi * 4000 * lag), 0)
        start += rng.normal(1, 0.01) / frequency_hz
    return x.astype(np.float32)[None, :]


def test_fault_frequencies_are_those_of_the_data_sheet() -> None:
    """The drive-end bearing of the public test rig: 3.585, 5.415 and 4.714 orders of the shaft."""
    found = fault_frequencies(DRIVE_END, 1.0)
    assert found == pytest.approx({"BPFO": 3.585, "BPFI": 5.415, "2xBSF": 4.714}, abs=0.003)


@pytest.mark.parametrize(("family", "part"), [("BPFO", "outer race"), ("BPFI", "inner race")])
@pytest.mark.parametrize("seed", range(3))
def test_names_the_part_whose_lines_stand_out(family: str, part: str, seed: int) -> None:
    """Impulses at a fault frequency are named, with frequency and strength."""
    x = impulses(fault_frequencies(DRIVE_END, SPEED)[family], seed)
    sentence = hypothesis(x, RATE, SPEED, (DRIVE_END,))

    assert sentence.startswith(f"{part} of bearing 6205: {family}")


@pytest.mark.parametrize("seed", range(20))
def test_noise_and_foreign_lines_have_no_name(seed: int) -> None:
    """Noise, or impulses at a frequency that is none of the bearing's, lead to no guess."""
    assert hypothesis(impulses(0.0, seed), RATE, SPEED, (DRIVE_END,)) == ""
    assert hypothesis(impulses(67.3, seed), RATE, SPEED, (DRIVE_END,)) == ""


def test_without_speed_rate_or_geometry_nothing_is_said() -> None:
    """What is not known is not guessed."""
    x = impulses(107.0, 1)
    assert hypothesis(x, None, SPEED, (DRIVE_END,)) == ""
    assert hypothesis(x, RATE, None, (DRIVE_END,)) == ""
    assert hypothesis(x, RATE, SPEED, ()) == ""
