"""The rows of a measuring point that are held: a ring that grows while there is room for all. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

ROW = np.dtype(
    [
        ("at_ms", "<f8"),  # arrival of the input at the broker, UTC
        ("source_ms", "<f8"),
        ("value", "<f4"),
        ("p", "<f4"),
        ("trend", "<f4"),
        ("offset", "<i8"),  # of the score on scores.v1
        ("input", "<i8"),  # of the record on sensors.v1
        ("state", "u1"),  # place in STATES
        ("alarm", "u1"),
        ("running", "u1"),
    ]
)
STATES = ("none", "scored", "warming", "not_running", "not_usable", "late")
FIRST = 16
MOST = 16_384  # rows of one measuring point

Rows = npt.NDArray[Any]


class Room:
    """How many rows all rings together may hold."""

    def __init__(self, rows: int) -> None:
        self.most = rows
        self.taken = 0

    def take(self, rows: int) -> bool:
        """Take room, if there is so much."""
        if self.taken + rows > self.most:
            return False
        self.taken += rows
        return True

    def give(self, rows: int) -> None:
        """Give room back."""
        self.taken -= rows


class Ring:
    """The newest rows of a measuring point, in the order in which they came.

    It doubles while there is room; where there is none the oldest rows go. The first `FIRST` rows are always had.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._rows: Rows = np.zeros(FIRST, ROW)
        self._next = 0
        self.count = 0
        room.taken += FIRST

    def add(self, row: tuple[float, ...]) -> None:
        """Add a row with the fields of `ROW`."""
        size = len(self._rows)
        if self.count == size and size < MOST and self._room.take(size):
            self._rows = np.concatenate([self.rows(), np.zeros(size, ROW)])
            self._next, size = size, 2 * size
        self._rows[self._next] = row
        self._next = (self._next + 1) % size
        self.count = min(self.count + 1, size)

    def rows(self) -> Rows:
        """Give the rows, the oldest first: a copy."""
        if self.count < len(self._rows):
            return self._rows[: self.count].copy()
        return np.concatenate([self._rows[self._next :], self._rows[: self._next]])

    def between(self, from_ms: float, to_ms: float) -> Rows:
        """Give the rows of an interval."""
        found = self.rows()
        return found[(found["at_ms"] >= from_ms) & (found["at_ms"] < to_ms)]

    def newest(self, count: int) -> Rows:
        """Give the newest rows, the oldest of them first."""
        count = min(count, self.count)
        return self._rows[(self._next - count + np.arange(count)) % len(self._rows)]

    def close(self) -> None:
        """Give the room back."""
        self._room.give(len(self._rows))


def spans(times: npt.NDArray[np.float64], from_ms: float, to_ms: float, width: int) -> npt.NDArray[np.int64]:
    """First row of each bucket of a picture `width` buckets wide; buckets without a row are left out.

    With no more rows than buckets each row is its own.
    """
    if len(times) <= width or to_ms <= from_ms:
        return np.arange(len(times))
    bucket = np.clip((times - from_ms) / (to_ms - from_ms) * width, 0, width - 1).astype(np.int64)
    order = np.maximum.accumulate(bucket)  # rows of a backlog may be a little out of order
    return np.flatnonzero(np.diff(order, prepend=-1))
