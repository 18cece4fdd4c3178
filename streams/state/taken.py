"""How far the commands and work orders of each partition are on record: from there a successor reads them on.

`control.v1` and `maintenance.v1` are spread as the input is, by asset, so those of the assets of one input partition are
all in the partition of that number, in order. Where they were taken up to stands in the marker (`state/records.py`), in the
same transaction as the places that they took effect at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from foreshock.alerts.items import Given, Refused
from foreshock.contract import Origin
from foreshock.streams.state.records import Place


class Arrival(NamedTuple):
    """A command or a work order, and the assignment for which it was read."""

    epoch: int
    item: Given | Refused


class Taken:
    """Next offset of each topic of commands, by input partition.

    Parameters
    ----------
    topics
        Kafka's id of each of these topics, by its full name: offsets of another one mean nothing.
    """

    def __init__(self, topics: Mapping[str, str]) -> None:
        self._topics = topics
        self._next: dict[int, dict[str, int]] = {}

    def assigned(self, number: int, stored: Sequence[str] | None, places: Iterable[Place]) -> None:
        """Begin with what the marker of a partition says and what is on record beside it; None: go on with what is known."""
        if stored is not None:
            self._next[number] = {}
            for each in stored:
                name, topic_id, offset = each.split("=")
                if self._topics.get(name) == topic_id:
                    self._next[number][name] = int(offset)
        for place in places:
            self.note(place)

    def note(self, place: Place) -> None:
        """Note that a place is on record."""
        found = self._next.setdefault(place.partition, {})
        for item in place.items:
            if isinstance(item, Given | Refused) and self._topics.get(item.origin.topic) == item.origin.topic_id:
                found[item.origin.topic] = max(found.get(item.origin.topic, 0), item.origin.offset + 1)

    def has(self, origin: Origin) -> bool:
        """Say whether a record is on record already."""
        return origin.offset < self._next.get(origin.partition, {}).get(origin.topic, 0)

    def of(self, number: int) -> tuple[str, ...]:
        """Give what the marker of a partition says of it."""
        found = self._next.get(number, {})
        return tuple(f"{name}={self._topics[name]}={found[name]}" for name in sorted(found))

    def starts(self, numbers: Iterable[int]) -> dict[tuple[str, int], int]:
        """Give where reading goes on, by topic and partition."""
        return {
            (name, number): self._next.get(number, {}).get(name, 0)
            for number in numbers
            for name in sorted(self._topics)
        }
