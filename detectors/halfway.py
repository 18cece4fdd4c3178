"""A warm-up that is half done: what a calibrated model knew of its machine, as the first half of a new warm-up.

A state that somebody accepted as normal goes into the baseline this way: the new warm-up ends once it has seen as much of
that state, and the baseline is what one would have been that had seen both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.detectors.constants import MEMORY, RING
from foreshock.detectors.vector import LONGEST, ROWS

Arrays = dict[str, npt.NDArray[Any]]


def waveform(old: Mapping[str, npt.NDArray[Any]], blank: Arrays, blocks: int, lived_ns: int) -> Arrays:
    """Begin the warm-up of a waveform model by vectors of the baseline of another one.

    Parameters
    ----------
    old
        Captured arrays of a model that is past its warm-up.
    blank
        Those of one that has seen nothing; they are filled.
    blocks
        Of the new warm-up. Half of them count as seen, as far as the baseline holds so many vectors; a longer one goes on
        as if its reservoir had seen half of them.
    lived_ns
        Time that counts as lived.
    """
    stored = int(old["stored"])
    kept = min(stored, blocks // 2, MEMORY)
    seen = blocks // 2 if kept == MEMORY else kept
    which = np.arange(kept) * stored // max(kept, 1)
    vectors = old["memory"][:, which] * old["scale"][:, None] + old["centre"][:, None]
    blank["memory"][:, :kept] = vectors
    blank["when"][:kept] = old["when"][which]
    blank["stored"][...], blank["seen"][...] = kept, seen
    blank["times"][...] = np.roll(old["times"], seen - int(old["pushed"]))
    blank["offsets"][...] = np.roll(old["offsets"], (seen - int(old["seen"])) % RING)
    blank["latest_ns"][...], blank["lived_ns"][...] = old["latest_ns"], lived_ns
    return blank


def vector(old: Mapping[str, npt.NDArray[Any]], blank: Arrays, rows: int, lived_ns: int) -> Arrays:
    """The same for rows of tags; of a warm-up longer than the table half of the table is kept for what is new."""
    known = np.flatnonzero(old["when"] >= 0)
    known = known[np.argsort(old["when"][known], kind="stable")]
    kept = min(len(known), min(rows, ROWS) // 2)
    seen = rows - ROWS // 2 if kept == ROWS // 2 and rows > ROWS else kept
    which = known[np.arange(kept) * len(known) // max(kept, 1)]
    where = (seen - kept + np.arange(kept)) % ROWS
    blank["rows"][where], blank["when"][where] = old["rows"][which], old["when"][which]
    blank["seen"][...] = seen
    blank["offsets"][...] = np.roll(old["offsets"], (seen - int(old["seen"])) % LONGEST)
    blank["latest_ns"][...], blank["lived_ns"][...] = old["latest_ns"], lived_ns
    return blank
