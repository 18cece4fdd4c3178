"""Features declared once: what each number is, what it is made from, and what makes it worthless.

A feature set is a list of declarations and the constants of its formulas. Its hash covers all that its values are a
function of, so two sets of one id give the same numbers for the same input; what only explains a feature (meaning,
source, owner, deprecation) is no part of it. A `version` is raised when the code of a feature changes its values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from foreshock.vocabulary import QualityKind

OWNER = "foreshock"
"""Who answers for the features that ship with the product."""


class Scale(StrEnum):
    """What a value of a feature is: the quantity itself, or its natural logarithm."""

    LINEAR = "linear"
    LOG = "log"


class Input(StrEnum):
    """What a feature can be made from."""

    SAMPLES = "samples"
    RATE = "rate"
    """Sampling rate in Hz."""
    QUANTITY = "quantity"
    SPEED = "speed"
    """Speed of the reference shaft while the samples were taken, in Hz."""
    RATED_SPEED = "rated_speed"
    LOAD = "load"
    GEARS = "gears"
    BANDS = "bands"
    """Frequency bands that the measuring point names."""
    VALUES = "values"
    """Rows of the tags of a frame."""
    TIMES = "times"
    HISTORY = "history"
    """What the feature keeps from earlier input: part of the state of the asset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One number of a channel or of a tag."""

    name: str
    """Lower case, unique in its set."""
    unit: str
    """UCUM code, or in terms of the signal's SI unit `u` (`u`, `u2`); empty for a ratio."""
    function: str
    """Dotted name of the code that makes it: `foreshock.features.moments.window_rows`."""
    inputs: tuple[Input, ...]
    meaning: str
    """One sentence; with the value of a plain signal where that helps: `1.41 for a sine`."""
    source: str = ""
    """Where the formula is from; empty where it is its own definition."""
    voided_by: tuple[QualityKind, ...] = ()
    """Quality conditions under which the value says nothing: it is masked then."""
    scale: Scale = Scale.LINEAR
    version: int = 1
    owner: str = OWNER
    deprecated: str = ""
    """Empty, or since when, and what takes its place."""


@dataclass(frozen=True)
class DeclaredSet:
    """A named, versioned list of declared features per channel (or tag), with the constants of their formulas."""

    name: str
    version: int
    features: tuple[Declared, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    """What the values depend on besides the input: window, edges, floors. Plain values that JSON can hold."""

    def __post_init__(self) -> None:
        names = [each.name for each in self.features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the feature set {self.name} declares twice: {', '.join(twice)}")

    @property
    def per_channel(self) -> int:
        """Features of one channel."""
        return len(self.features)

    @cached_property
    def hash(self) -> str:
        """First 16 hex digits of the sha256 of all that the values are a function of."""
        definition = {
            "name": self.name,
            "version": self.version,
            "features": [_content(each) for each in self.features],
            "constants": dict(self.constants),
        }
        return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """``name-vN@hash``, as lineage names it."""
        return f"{self.name}-v{self.version}@{self.hash}"

    def names(self, channels: Iterable[str]) -> tuple[str, ...]:
        """Column names for these channels: all features of the first channel, then of the next; ``rms[DE]``."""
        return tuple(f"{each.name}[{channel}]" for channel in channels for each in self.features)

    @cached_property
    def index(self) -> dict[str, int]:
        """Column of each feature within its channel."""
        return {each.name: column for column, each in enumerate(self.features)}

    def extended(self, *more: Declared) -> DeclaredSet:
        """Give the set with more features behind its own: what a measuring point adds, as its named bands.

        The name and version stay, the hash does not: the id says that it is another function.
        """
        return DeclaredSet(self.name, self.version, (*self.features, *more), self.constants) if more else self


def _content(each: Declared) -> dict[str, Any]:
    return {
        "name": each.name,
        "unit": each.unit,
        "function": each.function,
        "inputs": list(each.inputs),
        "voided_by": list(each.voided_by),
        "scale": each.scale,
        "version": each.version,
    }
