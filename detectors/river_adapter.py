"""Any detector of `river.anomaly` by its name, one asset at a time, behind the protocol.

The features go through River's MinMaxScaler first, as River's own examples do. Supervised scorers, which watch one
number, get the root mean square of the scaled vector.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import math
import random
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import numpy as np

from foreshock.detectors import river_state
from foreshock.detectors.protocol import Vector, finite
from foreshock.detectors.snapshot_codec import canonical, from_canonical
from foreshock.detectors.trees import feature_keys
from foreshock.errors import ConfigurationError

_WRAPPERS = {"QuantileFilter", "ThresholdFilter"}  # they wrap a detector and add a threshold: ours is the alarm rule
_IMPURE = {
    "PredictiveAnomalyDetection",
    "LocalOutlierFactor",
}  # their score_one changes them (River 0.26): score a copy


def names() -> tuple[str, ...]:
    """Classes of `river.anomaly` that can be used."""
    from river import anomaly

    return tuple(n for n in sorted(anomaly.__all__) if n not in _WRAPPERS and hasattr(getattr(anomaly, n), "score_one"))


class RiverDetector:
    """A River detector of one asset.

    Parameters
    ----------
    name
        Class in `river.anomaly`.
    features
        Length of a vector.
    seed
        For classes that draw random numbers.

    Raises
    ------
    ConfigurationError
        There is no such class, or it is not a detector.
    """

    def __init__(self, name: str, features: int, *, seed: int = 42) -> None:
        from river import anomaly, preprocessing

        if name not in names():
            raise ConfigurationError(f"detection.river is {name!r}; known: {', '.join(names())}")
        kind = getattr(anomaly, name)
        parameters = inspect.signature(kind.__init__).parameters
        self._model: Any = kind(**({"seed": seed} if "seed" in parameters else {}))
        if "seed" not in parameters:
            _reseed(self._model, seed)
        self._supervised = "y" in inspect.signature(kind.score_one).parameters
        self._pure = name not in _IMPURE
        self._scaler: Any = preprocessing.MinMaxScaler()
        self._keys = feature_keys(features)
        self._learnt = 0

    def learn_one(self, x: Vector) -> None:
        """Fold one vector in: first the scaler, then the detector."""
        row = self._row(x)
        self._scaler.learn_one(row)
        self._model.learn_one(*self._arguments(self._scaler.transform_one(row)))
        self._learnt += 1

    def score_one(self, x: Vector) -> float:
        """Score of River's own scale; 0 before anything was learnt."""
        row = self._row(x)
        if not self._learnt:
            return 0.0
        model = self._model if self._pure else copy.deepcopy(self._model)
        score = float(model.score_one(*self._arguments(self._scaler.transform_one(row))))
        return score if math.isfinite(score) else 0.0

    @property
    def ready(self) -> bool:
        """Something was learnt; River's classes do not say when they are warm."""
        return self._learnt > 0

    def capture(self) -> dict[str, Any]:
        """State of scaler and model as a tree.

        Raises
        ------
        NotCapturable
            The model holds something that cannot be written down.
        """
        return {"learnt": self._learnt, "graph": river_state.capture((self._scaler, self._model))}

    def restore(self, tree: Mapping[str, Any]) -> None:
        """Go on with a captured state.

        Raises
        ------
        NotCapturable
            The tree is not one of this detector.
        """
        fresh = (self._scaler, self._model)
        found = river_state.restore(tree["graph"], fresh)
        if [type(each) for each in found] != [type(each) for each in fresh] or type(tree["learnt"]) is not int:
            raise river_state.NotCapturable(f"not the state of {type(self._model).__name__}")
        (self._scaler, self._model), self._learnt = found, tree["learnt"]

    def digest(self) -> str:
        """Sha256 of the canonical state of scaler and model."""
        return hashlib.sha256(canonical(self.capture())).hexdigest()

    def _row(self, x: Vector) -> dict[str, float]:
        return dict(zip(self._keys, finite(x).astype(np.float64).tolist(), strict=True))

    def _arguments(self, row: dict[str, float]) -> tuple[Any, ...]:
        if not self._supervised:
            return (row,)
        return row, math.sqrt(math.fsum(v * v for v in row.values()) / len(row))


@cache
def check_capturable(name: str) -> None:
    """Find out before anything runs whether the state of a detector can be kept, by doing it.

    Raises
    ------
    ConfigurationError
        There is no such detector, or it holds something that cannot be written down.
    """
    detector, again = RiverDetector(name, 3), RiverDetector(name, 3)
    vectors = [np.array([math.sin(i), math.cos(3 * i), i % 5]) for i in range(50)]
    for x in vectors[:40]:
        detector.learn_one(x)
    try:
        again.restore(cast("Mapping[str, Any]", from_canonical(canonical(detector.capture()))))
    except river_state.NotCapturable as exc:
        raise ConfigurationError(f"detection.river is {name!r}, whose state cannot be kept: {exc}") from exc
    same = [again.score_one(x) == detector.score_one(x) for x in vectors]  # what is no state may matter all the same
    if again.digest() != detector.digest() or not all(same):
        raise ConfigurationError(f"detection.river is {name!r}, whose state does not come back as it was")


def _reseed(model: Any, seed: int) -> None:
    """Give the generators that a model holds without asking for a seed one: GaussianScorer's distribution has such."""
    for part in river_state.attributes(model).values():
        for inner in (part, *(river_state.attributes(part).values() if hasattr(part, "__dict__") else ())):
            if isinstance(inner, random.Random):
                inner.seed(seed)
