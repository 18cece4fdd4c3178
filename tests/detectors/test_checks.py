"""Every detector passes every check of the suite, and the suite sees what it is there to see."""

from __future__ import annotations

import numpy as np
import pytest

from foreshock.detectors import river_adapter
from foreshock.detectors.checks import FEATURES, check_bounded_state, check_score_is_pure, detector_checks
from foreshock.detectors.river_adapter import RiverDetector
from foreshock.detectors.single import HalfSpaceTrees, VectorModel, WaveformModel
from foreshock.errors import ConfigurationError

FACTORIES = {
    "half_space_trees": lambda: HalfSpaceTrees(FEATURES),
    "waveform_full": lambda: WaveformModel(FEATURES),
    "waveform_lean": lambda: WaveformModel(FEATURES, online_only=True),
    "waveform_river": lambda: WaveformModel(FEATURES, river="OneClassSVM"),
    "telemetry": lambda: VectorModel(FEATURES),
    **{f"river_{name}": lambda name=name: RiverDetector(name, FEATURES) for name in river_adapter.names()},
}
# What River's classes do not do, with the reason; they may be used all the same, as the user named them.
KNOWN = {
    ("river_HalfSpaceTrees", "check_ranks_a_far_outlier_high"): "River's default window of 250 is not full yet",
    ("river_OneClassSVM", "check_ranks_a_far_outlier_high"): "a linear machine: an outlier to both sides cancels",
    ("river_LocalOutlierFactor", "check_bounded_state"): "keeps every vector it has seen",
    ("river_PredictiveAnomalyDetection", "check_ranks_a_far_outlier_high"): "predicts the norm from the vector itself",
}


@pytest.mark.parametrize("check", detector_checks(), ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", FACTORIES)
def test_detector(name: str, check) -> None:
    """The detector keeps the promise that the check is about."""
    if (name, check.__name__) in KNOWN:
        with pytest.raises(AssertionError):
            check(FACTORIES[name])
        return
    check(FACTORIES[name])


class Leaky:
    """A detector with two faults."""

    def __init__(self) -> None:
        self.seen: list = []

    def learn_one(self, x) -> None:
        self.seen.append(np.array(x))

    def score_one(self, x) -> float:
        self.seen.append(float(x[0]))
        return 0.0

    @property
    def ready(self) -> bool:
        return bool(self.seen)

    def digest(self) -> str:
        return str(len(self.seen))


@pytest.mark.parametrize("check", [check_score_is_pure, check_bounded_state])
def test_a_faulty_detector_is_found(check) -> None:
    """A detector that changes while scoring, or grows for ever, fails its check."""
    with pytest.raises(AssertionError):
        check(Leaky)


def test_an_unknown_river_class_is_refused_with_those_known() -> None:
    """The error names the setting and what could be written instead."""
    with pytest.raises(ConfigurationError, match=r"detection\.river.*OneClassSVM"):
        RiverDetector("ThresholdFilter", 3)
