"""What a measuring point remembers of its measurement windows: the one under way, its usual values, what was said of it.

All of it is replaced, never changed: who keeps one has it as it was. Between two windows there are no samples in it.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock.contract import Origin
from foreshock.detectors.episodes import EpisodeState
from foreshock.records import from_tree, to_tree

F32 = npt.NDArray[np.float32]

BASELINE_WINDOWS = 10
"""Windows after commissioning or repair whose median is the usual value: at one a minute as long as a warm-up takes."""
MOST_BASELINES = 128
"""Usual values of one measuring point at most."""


class Baseline(NamedTuple):
    """What a quantity was in the first windows."""

    key: str
    values: tuple[float, ...]

    @property
    def usual(self) -> float | None:
        """Their median; None while there are too few."""
        return statistics.median(self.values) if len(self.values) >= BASELINE_WINDOWS else None


class Said(NamedTuple):
    """What was last published as diagnosis."""

    fault: str
    component: str
    mask: str
    quiet: int = 0  # windows in a row since then that named nothing


class Zoned(NamedTuple):
    """How the last window stood to the zones of the point, and to limits on what only a window has."""

    ratio: float  # 1 where somebody is called
    name: str  # of the feature, with its channel
    value: float
    above: float | None  # what it must not be above, ...
    below: float | None  # ... or below
    usual: float | None
    severity: str
    reason: str


class Head(NamedTuple):
    """What is known of a window under way, but for its samples."""

    first: int  # offset of the first record
    last: Origin  # of the last one
    from_ns: int
    next_ns: int  # when the next block has to begin
    rate_hz: float | None
    quantity: str
    unit: str
    channels: tuple[str, ...]
    wanted: int  # samples of a channel that complete it
    speeds: tuple[float | None, ...]  # stated with each block
    load: float | None
    regime: str
    kinds: tuple[str, ...]  # quality conditions that held on any of them


class Window(NamedTuple):
    """A window under way."""

    head: Head
    blocks: tuple[F32, ...]  # [channels, n] in SI, one for each record in it

    @property
    def length(self) -> int:
        """Samples of a channel so far."""
        return sum(block.shape[1] for block in self.blocks)

    @property
    def reserved(self) -> int:
        """Bytes of samples that it may come to."""
        return 4 * len(self.head.channels) * max(self.head.wanted, self.length)

    def joined(self) -> F32:
        """All samples [channels, n]."""
        return np.ascontiguousarray(np.concatenate(self.blocks, axis=1))


class Memory(NamedTuple):
    """What is remembered of the windows before."""

    began_ns: int = 0  # when the last one began ...
    due_ns: int = 0  # ... and from when on the next one may
    diagnosed_ns: int = -1  # when faults were last looked for
    channels: tuple[str, ...] = ()  # of the last one
    baselines: tuple[Baseline, ...] = ()
    said: Said | None = None
    zoned: Zoned | None = None
    alarm: EpisodeState = EpisodeState()  # of the zones

    def usual(self) -> dict[str, float]:
        """Usual values that are known, by key."""
        found = ((each.key, each.usual) for each in self.baselines)
        return {key: value for key, value in found if value is not None}

    def learnt(self, values: Mapping[str, float]) -> Memory:
        """Take the values of a healthy window into the baselines; those that are complete stay as they are."""
        known = {each.key: each for each in self.baselines}
        for key, value in values.items():
            before = known.get(key)
            if before is None and len(known) < MOST_BASELINES:
                known[key] = Baseline(key, (value,))
            elif before is not None and len(before.values) < BASELINE_WINDOWS:
                known[key] = Baseline(key, (*before.values, value))
        return self._replace(baselines=tuple(known.values()))


class Gathering(NamedTuple):
    """All that a measuring point keeps of its windows."""

    memory: Memory = Memory()
    window: Window | None = None


BLANK = Gathering()


def tree_of(gathering: Gathering) -> dict[str, Any]:
    """Tree of it; what is under way has all its samples as one array."""
    memory, window = gathering
    tree: dict[str, Any] = to_tree(memory)
    if window is not None:
        tree["window"] = {"head": to_tree(window.head), "samples": window.joined()}
    return tree


def gathering_of(tree: Mapping[str, Any]) -> Gathering:
    """Build it from its tree.

    Raises
    ------
    ValueError
        The tree does not fit.
    KeyError
        A part of it is missing.
    """
    memory = from_tree(Memory, {name: each for name, each in tree.items() if name != "window"})
    under_way = tree.get("window")
    if under_way is None:
        return Gathering(memory)
    head, samples = from_tree(Head, under_way["head"]), under_way["samples"]
    fits = isinstance(samples, np.ndarray) and samples.dtype == np.float32 and samples.ndim == 2
    if not fits or len(samples) != len(head.channels) or head.wanted < 1:
        raise ValueError("the samples of its measurement window do not fit")
    return Gathering(memory, Window(head, (samples,)))
