"""The protocol of every detector: two verbs and a fact."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.floating[Any]]


class Detector(Protocol):
    """An online detector of one asset.

    `score_one` before `learn_one`, always: a detector that has seen the value it scores has nothing to say about it.
    """

    def learn_one(self, x: Vector) -> None:
        """Fold one vector [features] in.

        Raises
        ------
        ValueError
            A value is not finite.
        """
        ...

    def score_one(self, x: Vector) -> float:
        """Score one vector, higher is more unusual; changes nothing.

        Raises
        ------
        ValueError
            A value is not finite.
        """
        ...

    @property
    def ready(self) -> bool:
        """Whether a score means anything yet. A cold detector is not "healthy"."""
        ...

    def digest(self) -> str:
        """Sha256 of everything that later scores depend on."""
        ...


def finite(x: Vector) -> Vector:
    """Return the vector, or refuse it.

    Raises
    ------
    ValueError
        A value is not finite.
    """
    if not np.isfinite(x).all():
        raise ValueError("a feature is not finite")
    return x
