"""Whose state the Fleet holds: it is kept over a rebalance where it still fits, and dropped where it does not.

The state of a partition is a function of its records up to one offset. It may be used again exactly when the partition
comes back at that offset, whoever had it in between; anything else would fold a record twice or skip one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from foreshock.streams.ledger import Partition


class Custody:
    """Remembers up to where each partition is folded into the Fleet, and has the Fleet drop what no longer fits."""

    def __init__(self, release: Callable[[Collection[int]], None]) -> None:
        self._release = release
        self._folded: dict[Partition, int] = {}

    def fold(self, partition: Partition, next_offset: int) -> None:
        """Note that the Fleet has received all records of a partition before this offset."""
        self._folded[partition] = next_offset

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        """Take up an assignment: drop the state of partitions that went away or go on from another offset."""
        self.drop([partition for partition, offset in self._folded.items() if positions.get(partition) != offset])

    def drop(self, partitions: Collection[Partition]) -> None:
        """Drop the state of these partitions: they were lost, or their state cannot be trusted."""
        known = [partition for partition in partitions if self._folded.pop(partition, None) is not None]
        if known:
            self._release({number for _, number in known})
