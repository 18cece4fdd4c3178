"""What a diagnosis says: a layer, a cause, what says so and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """Where a trouble sits, from the broker to the sink."""

    BROKER = "broker"
    PARTITION = "partition"
    WORKER = "worker"
    GATEWAY = "gateway"
    SENSOR = "sensor"
    FEATURES = "feature pipeline"
    MODEL = "model"
    MACHINE = "machine"
    SINK = "sink"
    CACHE = "cache"
    TRACING = "tracing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    layer
        Where.
    cause
        A stable code.
    weight
        Between 0 and 1: how much of what else is seen it would explain. The heaviest is the diagnosis.
    sentence
        What is wrong, with names and figures.
    evidence
        What says so: one fact a line.
    fix
        What to do.
    """

    layer: Layer
    cause: str
    weight: float
    sentence: str
    evidence: tuple[str, ...]
    fix: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, the heaviest first; none: nothing is wrong as far as could be seen.

    `unseen` names what could not be looked at, so that "nothing found" is not taken for "all is well".
    """

    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]

    @property
    def layer(self) -> Layer | None:
        """The layer of the heaviest finding."""
        return self.findings[0].layer if self.findings else None
