"""Which transition may be sent now, and up to where everything is done. Pure: no clock, no waiting.

Transitions of one alert leave strictly one after the other, in the order of their partition; alerts do not wait for each
other. What may be committed of a partition is the offset below which everything is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Place = tuple[int, int]  # partition, offset


@dataclass(slots=True)
class _Partition:
    """What was read of one partition: from `done_to` on, in order."""

    done_to: int
    open: deque[int] = field(default_factory=deque)  # offsets in order; done ones leave from the front
    done: set[int] = field(default_factory=set)


class Order(Generic[Item]):
    """The transitions of a sink that are read and not yet done."""

    def __init__(self) -> None:
        self._partitions: dict[int, _Partition] = {}
        self._lines: dict[str, deque[tuple[Place, Item]]] = {}  # by alert; its first is the one that may be sent

    def __len__(self) -> int:
        """Count what is read and not done."""
        return sum(len(each.open) - len(each.done) for each in self._partitions.values())

    def begin(self, partition: int, offset: int) -> None:
        """Take a partition from this offset on."""
        self._partitions[partition] = _Partition(offset)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget partitions: they are somebody else's now."""
        gone = set(partitions)
        for partition in gone:
            self._partitions.pop(partition, None)
        for alert, line in list(self._lines.items()):
            kept = deque(each for each in line if each[0][0] not in gone)
            if kept:
                self._lines[alert] = kept
            else:
                del self._lines[alert]

    def add(self, place: Place, alert: str, item: Item) -> bool:
        """Put a transition in its alert's line; say whether it may be sent at once.

        Raises
        ------
        ValueError
            The offset is not above the ones before: the topic would be read in another order than it has.
        """
        partition, offset = place
        known = self._partitions[partition]
        if offset < known.done_to or (known.open and offset <= known.open[-1]):
            raise ValueError(f"offset {offset} of partition {partition} came after a later one")
        known.open.append(offset)
        line = self._lines.setdefault(alert, deque())
        line.append((place, item))
        return len(line) == 1

    def skip(self, place: Place) -> None:
        """Count a record as done that concerns nobody here."""
        partition, offset = place
        known = self._partitions[partition]
        known.open.append(offset)
        self._finish(known, offset)

    def done(self, place: Place, alert: str) -> Item | None:
        """Take a transition out of its line; give the next of its alert, if there is one."""
        known = self._partitions.get(place[0])
        line = self._lines.get(alert)
        if known is None or line is None or line[0][0] != place:
            return None  # the partition was taken away meanwhile
        line.popleft()
        self._finish(known, place[1])
        if line:
            return line[0][1]
        del self._lines[alert]
        return None

    def positions(self) -> dict[int, int]:
        """Give the offset to commit of each partition: below it everything is done."""
        return {partition: each.done_to for partition, each in self._partitions.items()}

    def span(self) -> int:
        """Count the records from the first that is not done on."""
        return sum(len(each.open) for each in self._partitions.values())

    @staticmethod
    def _finish(known: _Partition, offset: int) -> None:
        known.done.add(offset)
        while known.open and known.open[0] in known.done:
            first = known.open.popleft()
            known.done.discard(first)
            known.done_to = first + 1
