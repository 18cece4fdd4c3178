"""What an asset was, over time, as pieces of one colour. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise

LANE = ("none", "stopped", "warming", "ok", "quality", "anomaly", "info", "watch", "warning", "critical")
RANK = {name: place for place, name in enumerate(LANE)}
PIECES = 256  # of a lane
GAP_MS = 60_000.0  # without a record ...
GAP_INTERVALS = 5.0  # ... and so many of the asset's own intervals: then nothing is known of the time between

Piece = tuple[float, float, str]


class Lane:
    """The pieces of one asset from its scores; the oldest go."""

    def __init__(self) -> None:
        self._pieces: deque[list[float | str]] = deque(maxlen=PIECES)
        self._passed_ms = 0.0  # between the last two records

    def add(self, at_ms: float, word: str) -> None:
        """Say what the asset is at a time; records a little out of order change nothing of what was before."""
        last = self._pieces[-1] if self._pieces else None
        if last is None:
            self._pieces.append([at_ms, at_ms, word])
            return
        end = float(last[1])
        passed = at_ms - end
        usual, self._passed_ms = min(self._passed_ms, passed), max(passed, 0.0)
        if passed > max(GAP_MS, GAP_INTERVALS * usual):
            self._pieces.append([at_ms, at_ms, word])
            return
        last[1] = max(end, at_ms)
        if word != last[2]:
            if last[0] == last[1]:
                last[2] = word
            else:
                self._pieces.append([float(last[1]), float(last[1]), word])

    def pieces(self, from_ms: float, to_ms: float) -> list[Piece]:
        """Give the pieces of an interval, clipped to it."""
        return clipped(((float(a), float(b), str(word)) for a, b, word in self._pieces), from_ms, to_ms)


def clipped(pieces: Iterable[Piece], from_ms: float, to_ms: float) -> list[Piece]:
    """Give the parts of pieces that lie in an interval."""
    return [
        (max(a, from_ms), min(b, to_ms), word)
        for a, b, word in pieces
        if b >= from_ms and a <= to_ms and min(b, to_ms) >= max(a, from_ms)
    ]


def overlaid(base: Sequence[Piece], over: Sequence[Piece]) -> list[Piece]:
    """Lay pieces over others: where both are, the worse one counts.

    Parameters
    ----------
    base, over
        Each in the order of time; those of `base` do not overlap, those of `over` may.

    Returns
    -------
    list
        In the order of time, without overlap, neighbours of one word joined.
    """
    if not over:
        return list(base)
    changes = sorted(
        [(end, -1, word) for start, end, word in (*base, *over) if end > start]
        + [(start, 1, word) for start, end, word in (*base, *over) if end > start]
    )
    found: list[Piece] = []
    # Of each word so many pieces stand: what it takes grows with the pieces, and not with their square.
    standing = [0] * len(LANE)
    for (a, change, word), (b, _, _) in pairwise(changes):
        standing[RANK[word]] += change
        worst = next((rank for rank in range(len(LANE) - 1, -1, -1) if standing[rank]), None)
        if worst is None or a == b:
            continue
        if found and found[-1][2] == LANE[worst] and found[-1][1] == a:
            found[-1] = (found[-1][0], b, LANE[worst])
        else:
            found.append((a, b, LANE[worst]))
    return found
