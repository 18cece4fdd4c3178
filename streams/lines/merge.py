"""Records of several partitions in the order of the brokers' time. Pure: the clock is an argument.

Live, every partition is at its end and a record is taken at once. After an outage there is a backlog, and one partition may
be read hours ahead of another: then an incident would end before the machines on the other partition were part of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")

PATIENCE_S = 5.0  # a partition of which nothing is heard for so long (its leader is away) holds up no other


class Merge(Generic[Item]):
    """What was read and is not taken so far, by partition."""

    def __init__(self, partitions: Iterable[int], now_s: float) -> None:
        self._waiting: dict[int, deque[tuple[int, Item]]] = {number: deque() for number in partitions}
        self._ended: set[int] = set()
        self._heard = dict.fromkeys(self._waiting, now_s)

    def add(self, partition: int, at_ms: int, item: Item, now_s: float) -> None:
        """Put a record behind those of its partition."""
        self._waiting[partition].append((at_ms, item))
        self._ended.discard(partition)
        self._heard[partition] = now_s

    def ended(self, partition: int) -> None:
        """Take note that a partition has no more for now."""
        self._ended.add(partition)

    def take(self, most: int, now_s: float) -> list[Item]:
        """Take the records that nothing earlier can come before, the earliest first."""
        found: list[Item] = []
        while len(found) < most and not any(self._holds_up(number, now_s) for number in self._waiting):
            firsts = [(line[0][0], number) for number, line in self._waiting.items() if line]
            if not firsts:
                break
            found.append(self._waiting[min(firsts)[1]].popleft()[1])
        return found

    def _holds_up(self, partition: int, now_s: float) -> bool:
        """Whether an earlier record may still come from a partition."""
        if self._waiting[partition] or partition in self._ended:
            return False
        return now_s < self._heard[partition] + PATIENCE_S
