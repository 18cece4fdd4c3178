"""What was handed out, what is done, and from where each partition must go on."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

Partition = tuple[str, int]  # topic, number


class Ledger:
    """Keeps the order of the input per partition.

    A batch is *handed out* when it goes to the agent and *done* when all its outputs are delivered. Batches may be done in
    any order; the *position* moves over the longest unbroken run of done ones, so a commit can never pass a record whose
    outputs are still under way.
    """

    def __init__(self) -> None:
        self._open: dict[Partition, deque[int]] = {}
        self._done: dict[Partition, set[int]] = {}
        self._position: dict[Partition, int | None] = {}
        self._committed: dict[Partition, int | None] = {}
        self.progress = 0  # how many batches were done since the start; for the watchdog
        self.assignments = 0  # and how often partitions were given or taken

    def start(self, positions: Mapping[Partition, int | None]) -> None:
        """Begin an assignment: only these partitions, from these offsets (None: nothing was ever committed)."""
        self.assignments += 1
        self._open = {partition: deque() for partition in positions}
        self._done = {partition: set() for partition in positions}
        self._position = dict(positions)
        self._committed = dict(positions)

    def hand_out(self, partition: Partition, last: int) -> None:
        """Note a batch by the offset of its last record.

        Raises
        ------
        ValueError
            The offset does not increase: the order of the input is broken.
        """
        batches = self._open[partition]
        before = batches[-1] if batches else (self._position[partition] or 0) - 1
        if last <= before:
            raise ValueError(f"{partition} hands out offset {last} after {before}")
        batches.append(last)

    def done(self, partition: Partition, last: int) -> None:
        """Note that all outputs of a batch are delivered."""
        if partition not in self._open:
            return  # of a former assignment: it will come again
        finished = self._done[partition]
        finished.add(last)
        batches = self._open[partition]
        while batches and batches[0] in finished:
            head = batches.popleft()
            finished.discard(head)
            self._position[partition] = head + 1
            self.progress += 1

    def positions(self) -> dict[Partition, int]:
        """Give the offset to go on from, for each partition that has one."""
        return {partition: offset for partition, offset in self._position.items() if offset is not None}

    def uncommitted(self) -> dict[Partition, int]:
        """Give the positions that moved since they were last committed."""
        return {at: offset for at, offset in self.positions().items() if offset != self._committed[at]}

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note what the broker has; of a former assignment it says nothing any more."""
        self._committed.update((at, offset) for at, offset in offsets.items() if at in self._committed)

    def partitions(self) -> Collection[Partition]:
        """Give the partitions of this assignment."""
        return self._position.keys()

    def outstanding(self) -> int:
        """Count the batches that are handed out and not done."""
        return sum(len(batches) for batches in self._open.values())
