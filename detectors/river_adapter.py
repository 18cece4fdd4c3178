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
from collections import deque
from typing import Any

import numpy as np

from foreshock.detectors.protocol import Vector, finite
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

    def digest(self) -> str:
        """Sha256 of the canonical text of scaler and model."""
        return hashlib.sha256(state_text((self._scaler, self._model, self._learnt)).encode()).hexdigest()

    def _row(self, x: Vector) -> dict[str, float]:
        return dict(zip(self._keys, finite(x).astype(np.float64).tolist(), strict=True))

    def _arguments(self, row: dict[str, float]) -> tuple[Any, ...]:
        if not self._supervised:
            return (row,)
        return row, math.sqrt(math.fsum(v * v for v in row.values()) / len(row))


def state_text(value: Any, above: frozenset[int] = frozenset()) -> str:
    """Text of an object graph that is the same for equal states: attributes by name, floats in shortest form."""
    if id(value) in above:
        return "<above>"
    inside = above | {id(value)}
    name = type(value).__name__
    if isinstance(value, np.ndarray):
        text = f"{value.dtype.str}{value.shape}{value.tobytes().hex()}"
    elif isinstance(value, random.Random):
        text = repr(value.getstate())
    elif isinstance(value, dict):
        text = ",".join(f"{state_text(k, inside)}:{state_text(v, inside)}" for k, v in value.items())
    elif isinstance(value, set | frozenset):
        text = ",".join(sorted(state_text(v, inside) for v in value))
    elif isinstance(value, list | tuple | deque):
        text = ",".join(state_text(v, inside) for v in value)
    elif value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        text = repr(value)
    else:
        text = ",".join(f"{k}={state_text(v, inside)}" for k, v in sorted(_attributes(value).items()))
    return f"{name}({text})"


def _attributes(value: Any) -> dict[str, Any]:
    slots = [s for kind in type(value).__mro__ for s in getattr(kind, "__slots__", ()) if hasattr(value, s)]
    return {**getattr(value, "__dict__", {}), **{s: getattr(value, s) for s in slots}}


def _reseed(model: Any, seed: int) -> None:
    """Give the generators that a model holds without asking for a seed one: GaussianScorer's distribution has such."""
    for part in _attributes(model).values():
        for inner in (part, *(_attributes(part).values() if hasattr(part, "__dict__") else ())):
            if isinstance(inner, random.Random):
                inner.seed(seed)
