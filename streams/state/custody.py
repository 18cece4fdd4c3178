"""Whose state the Fleet holds: it is kept over a rebalance where it still fits, and dropped where it does not.

The state of a partition is a function of its records up to one offset, and of the places that were put on record. It may be
used again exactly when all its outputs are out and nobody else has written to the partition of `state.v1` since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from foreshock.streams.state.ledger import Partition


class Custody:
    """Remembers up to where each partition is folded into the Fleet, and has the Fleet drop what no longer fits."""

    def __init__(self, release: Callable[[Collection[int]], None]) -> None:
        self._release = release
        self._folded: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}

    def fold(self, partition: Partition, next_offset: int) -> None:
        """Note that the Fleet has received all records of a partition before this offset."""
        self._folded[partition] = next_offset

    def folded(self, partition: Partition) -> int | None:
        """Give the offset up to which a partition is folded in; None where its state is not held."""
        return self._folded.get(partition)

    def partitions(self) -> Collection[Partition]:
        """Give the partitions whose state is held."""
        return self._folded.keys()

    def stored(self, partition: Partition, end: int | None) -> None:
        """Note where the partition of `state.v1` ends if nobody else writes to it; None: that is not known."""
        if end is None:
            self._ends.pop(partition, None)
        else:
            self._ends[partition] = end

    def settle(self, delivered: Mapping[Partition, int]) -> None:
        """End an assignment: drop the state of which some outputs may not be out."""
        self.drop([partition for partition, offset in self._folded.items() if delivered.get(partition) != offset])

    def fits(self, partition: Partition, end: int) -> bool:
        """Say whether the state of a partition is still good, given where `state.v1` ends now."""
        return partition in self._folded and self._ends.get(partition) == end

    def drop(self, partitions: Collection[Partition]) -> None:
        """Drop the state of these partitions: they were lost, or their state cannot be trusted."""
        for partition in partitions:
            self._ends.pop(partition, None)
        known = [partition for partition in partitions if self._folded.pop(partition, None) is not None]
        if known:
            self._release({number for _, number in known})
