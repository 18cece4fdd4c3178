"""What is kept of the tags of one measuring point of a registered asset; an asset that nobody registered has none of it.

It stands at the point, not in the models: what a tag is does not depend on the settings of detection, and lasts over
another set of tags for those that both have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from foreshock.contract import Origin
from foreshock.features.run_state import RunMemory
from foreshock.features.scalar import describe, fold
from foreshock.features.scalar import state as scalar
from foreshock.features.scalar.declared import SCALAR
from foreshock.features.scalar.describe import Described
from foreshock.features.scalar.fold import RUN_STATES, Rows
from foreshock.features.scalar.state import ScalarState, fields
from foreshock.records import from_tree, to_tree
from foreshock.vocabulary import RunState

_PER_TAG = tuple(name for name, f in fields(7).items() if f.shape[:1] == (7,) and name != "own")  # 7 is nothing else


class Ended(NamedTuple):
    """A stretch of rows that has its vector."""

    described: Described
    first_offset: int
    origin: Origin  # of its last record
    row: int  # place of its last row in that
    from_ns: int
    until_ns: int
    rows: int
    run_state: RunState  # of its last row
    speed_hz: float | None
    load: float | None  # as a share of the rated one, where it is stated
    regime: int  # operating condition by its number, -1: none known
    gap: bool  # whether a gap ended it


@dataclass(slots=True)
class Scalars:
    """State of the tags of one measuring point."""

    tags: tuple[str, ...]
    state: ScalarState = field(init=False)  # of one slot
    run: RunMemory = field(default_factory=RunMemory)
    last: Origin | None = None  # of the newest record

    def __post_init__(self) -> None:
        """Begin empty."""
        self.state = scalar.create(1, len(self.tags))

    @property
    def nbytes(self) -> int:
        """Bytes of state."""
        return scalar.size(len(self.tags))

    def take(self, rows: Rows, origin: Origin, every_ns: int, phase_ns: int = 0) -> Iterator[Ended]:
        """Fold the rows of one record in and give the vectors that end with them; to be exhausted.

        Parameters
        ----------
        rows
            All of slot 0.
        origin
            Of the record.
        every_ns
            Source time from vector to vector ...
        phase_ns
            ... and the phase of their grid.
        """
        first, last = 0, len(rows.at_ns)
        while first < last:
            first, included = fold.fold(self.state, rows, every_ns, first, last, phase_ns)
            if first < last:
                yield self._ended(origin, every_ns, gap=not included)
                describe.close(self.state, 0)
                first += included
        self.last = origin

    def _ended(self, origin: Origin, every_ns: int, *, gap: bool) -> Ended:
        state, last = self.state, self.state.last[0]
        described = describe.describe(state, 0, every_ns)
        drive = state.drive[0].tolist()
        earlier = self.last is not None and int(last[0]) != origin.offset
        return Ended(
            described=described,
            first_offset=int(state.offset[0]),
            origin=self.last if self.last is not None and earlier else origin,
            row=int(last[1]),
            from_ns=int(state.began_ns[0]),
            until_ns=int(state.last_ns[0]),
            rows=int(state.rows[0, 0]),
            run_state=RUN_STATES[int(last[2])],
            speed_hz=drive[1] if drive[0] else None,
            load=drive[3] if drive[2] and drive[4] else None,
            regime=int(state.regime[0, 0]),
            gap=gap,
        )

    def of(self, tags: tuple[str, ...]) -> Scalars:
        """Go on with another set of tags: those that both have keep what is known of them, the others begin."""
        if tags == self.tags:
            return self
        other = Scalars(tags)
        other.run, other.last = self.run, self.last
        old, new = self.state._asdict(), other.state._asdict()
        places = {tag: k for k, tag in enumerate(self.tags[: scalar.MOST_TAGS])}
        both = [(places[tag], k) for k, tag in enumerate(tags[: scalar.MOST_TAGS]) if tag in places]
        for name, array in new.items():
            if name in _PER_TAG:
                for i, k in both:
                    array[0, k] = old[name][0, i]
            elif name not in {"own", "pair"}:
                array[...] = old[name]
        describe.relate(self.state, other.state, both)
        return other

    def to_tree(self) -> dict[str, Any]:
        """Copy it as a tree."""
        arrays = {name: array[0, ...].copy() for name, array in self.state._asdict().items()}
        plain = {"set": SCALAR.id, "tags": to_tree(self.tags), "run": to_tree(self.run), "last": to_tree(self.last)}
        return {**plain, "arrays": arrays}

    @staticmethod
    def from_tree(tree: Mapping[str, Any]) -> Scalars | None:
        """Read what `to_tree` has made; None for what a release with another set has made: the tags begin anew.

        Raises
        ------
        ValueError
            It is not of the tags that it names.
        KeyError
            A part of it is missing.
        """
        if from_tree(str, tree["set"]) != SCALAR.id:
            return None
        found = Scalars(from_tree(tuple[str, ...], tree["tags"]))
        found.run = from_tree(RunMemory, tree["run"])
        found.last = None if tree["last"] is None else from_tree(Origin, tree["last"])
        arrays = tree["arrays"]
        declared = fields(len(found.tags))
        if arrays.keys() != declared.keys():
            raise ValueError(f"not the fields {', '.join(declared)}")
        for name, f in declared.items():
            array = arrays[name]
            if not isinstance(array, np.ndarray) or array.dtype != f.dtype or array.shape != f.shape:
                raise ValueError(f"{name} is not {np.dtype(f.dtype)} {f.shape}")
            getattr(found.state, name)[0] = array
        _check(found.state)
        return found


def _check(state: ScalarState) -> None:
    """Refuse counters that a kernel could run out of its arrays with.

    Raises
    ------
    ValueError
        One of them is not that of a state.
    """
    counters = (state.seen, state.bins, state.weight, state.rows)
    if any((each < 0).any() for each in counters) or not -1 <= state.regime[0, 0] < scalar.REGIMES:
        raise ValueError("a counter of the tags is negative")
    if not -2 <= state.regime[0, 1] < scalar.REGIMES or not -1 <= state.last[0, 2] < len(RUN_STATES):
        raise ValueError("a condition of the tags is none")
    if (state.open_hour < -1).any() or (state.open_bin < -1).any():
        raise ValueError("a time of the tags is negative")
