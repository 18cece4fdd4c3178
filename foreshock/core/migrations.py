"""From the state of an older release to that of this one, where a model can go on at all.

A release that computes something else (other constants, other features, `MODEL_VERSION` counted up) makes other scores of
the same settings. State of the release before is refused then, and its assets start cold, unless a step is registered here
that turns the tree of a model as that release wrote it into one that this release goes on with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Move = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Migration:
    """A step to the next release: `move` takes the tree of a model (`core/state.py`) and gives a new one."""

    to: str
    move: Move


# By the name of the computation (`spec.computation`) that a step starts from. The first release has none before it.
MIGRATIONS: dict[str, Migration] = {}


def path(start: str, end: str) -> tuple[Move, ...] | None:
    """Give the steps from one computation to another; None where they do not lead there."""
    moves: list[Move] = []
    while start != end:
        if start not in MIGRATIONS or len(moves) > len(MIGRATIONS):
            return None
        moves.append(MIGRATIONS[start].move)
        start = MIGRATIONS[start].to
    return tuple(moves)
