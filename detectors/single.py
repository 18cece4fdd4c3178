"""The banks as detectors of one asset: a slot of its own behind the protocol, for checks and for trying things out."""

from __future__ import annotations

import numpy as np

from foreshock.detectors import waveform_kernel
from foreshock.detectors.episodes import EpisodeRule, for_budget
from foreshock.detectors.protocol import Vector, finite
from foreshock.detectors.trees import TreeBank
from foreshock.detectors.vector_bank import VectorBank, VectorInputs
from foreshock.detectors.waveform import WaveformBank
from foreshock.detectors.waveform_state import Inputs, outputs

_SECOND = 1_000_000_000


class HalfSpaceTrees:
    """Half-space trees on a running min-max range, as River's."""

    def __init__(self, features: int, *, window: int = 50, seed: int = 42) -> None:
        self._bank = TreeBank(features, window=window, seed=seed)
        self._slot = self._bank.slots.take()

    def learn_one(self, x: Vector) -> None:
        """Count one vector."""
        self._bank.learn_one(self._slot, finite(x))

    def score_one(self, x: Vector) -> float:
        """Score in [0, 1]."""
        return self._bank.score_one(self._slot, finite(x))

    @property
    def ready(self) -> bool:
        """A full window was seen."""
        return self._bank.ready(self._slot)

    def digest(self) -> str:
        """State."""
        return self._bank.slots.digest(self._slot)


class WaveformModel:
    """The model of a waveform measuring point: novelty against the baseline with the trees beside it, gate and alarm.

    Scores are in units of the boundary. `learn_one` does what the Fleet does with a block: what the gate holds back is
    not learnt.
    """

    def __init__(
        self,
        features: int,
        *,
        warmup: int = 40,
        online_only: bool = False,
        river: str = "",
        rule: EpisodeRule | None = None,
    ) -> None:
        self._bank = WaveformBank(range(features), rule or for_budget(1.0), online_only=online_only, river=river)
        self._slot = self._bank.take()
        self._warmup = warmup
        self._seen = 0

    def learn_one(self, x: Vector) -> None:
        """Score, step the alarm, and learn under the gate."""
        inputs = Inputs(
            slot=np.array([self._slot]),
            x=finite(x).astype(np.float32)[None, :],
            usable=np.ones(1, np.uint8),
            warmup=np.array([self._warmup]),
            warmup_ns=np.zeros(1, np.int64),
            apart_ns=np.zeros(1, np.int64),
            promised_ns=np.zeros(1, np.int64),
            shared=np.zeros(1, np.uint8),
            at_ns=np.array([self._seen * _SECOND]),
            offset=np.array([self._seen]),
            external=np.full(1, np.nan),
            hold=np.zeros(1, np.uint8),
        )
        for _ in self._bank.run(inputs, outputs(1), 0, 1):
            pass
        self._seen += 1

    def score_one(self, x: Vector) -> float:
        """Score in units of the boundary; 0 while warming."""
        row = finite(x).astype(np.float32)
        if not self.ready:
            return 0.0
        work = waveform_kernel.scratch(len(row))
        bank = self._bank
        external = bank.external(self._slot, row)
        state, forest_state = bank.slots.arrays, bank.trees.slots.arrays
        moment = waveform_kernel.moment_of(bank.config, state, self._slot, self._seen * _SECOND, 0, work)
        parts = waveform_kernel.score(bank.config, forest_state, state, self._slot, row, external, moment, work)
        return float(parts.value)

    @property
    def ready(self) -> bool:
        """The warm-up is over."""
        return bool(self._bank.slots.arrays.ready[self._slot])

    def digest(self) -> str:
        """State."""
        return self._bank.digest(self._slot)


class VectorModel:
    """The model of a telemetry point: rows of tags against their own warm-up."""

    def __init__(self, features: int, *, warmup: int = 40, rule: EpisodeRule | None = None) -> None:
        self._bank = VectorBank(features, rule or for_budget(1.0))
        self._slot = self._bank.slots.take()
        self._warmup = warmup
        self._seen = 0

    def learn_one(self, x: Vector) -> None:
        """Score, step the alarm, and remember the row."""
        inputs = VectorInputs(
            slot=np.array([self._slot]),
            x=finite(x).astype(np.float64)[None, :],
            usable=np.ones(1, np.uint8),
            warmup=np.array([self._warmup]),
            warmup_ns=np.zeros(1, np.int64),
            promised_ns=np.zeros(1, np.int64),
            at_ns=np.array([self._seen * _SECOND]),
            offset=np.array([self._seen]),
            hold=np.zeros(1, np.uint8),
        )
        for _ in self._bank.run(inputs, outputs(1)):
            pass
        self._seen += 1

    def score_one(self, x: Vector) -> float:
        """Score in units of the boundary; 0 while warming."""
        row = finite(x).astype(np.float64)
        return self._bank.value(self._slot, row, self._seen * _SECOND) if self.ready else 0.0

    @property
    def ready(self) -> bool:
        """The warm-up is over."""
        return bool(self._bank.slots.arrays.ready[self._slot])

    def digest(self) -> str:
        """State."""
        return self._bank.slots.digest(self._slot)
