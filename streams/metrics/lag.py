"""Lag of a partition in records and in seconds, from what is seen of it now and then."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Lag:
    """Follows one partition.

    The seconds are the smaller of two bounds of how long the oldest record that is not done can have waited: since the
    newest one that is done was appended, and since nothing waited when it was last looked at.

    Attributes
    ----------
    records
        Not done when it was last looked at.
    """

    records: int = 0
    _begun_ns: int = 0  # of the assignment
    _clear_ns: int = 0  # when nothing waited
    _done_ns: int = 0  # log-append time of the newest record that is done

    def done(self, ingest_ns: int) -> None:
        """Note the log-append time of a record that is done."""
        self._done_ns = max(self._done_ns, ingest_ns)

    def look(self, end: int, position: int, at_ns: int) -> None:
        """Note the end of the partition and the offset up to which it is done, at a wall time."""
        self._begun_ns = self._begun_ns or at_ns
        self.records = max(end - position, 0)
        if not self.records:
            self._clear_ns = at_ns

    def seconds(self, now_ns: int) -> float:
        """Give for how long the oldest waiting record has waited, at most; 0 where none waits."""
        if not self.records:
            return 0.0
        since = max(self._done_ns, self._clear_ns) or self._begun_ns
        return max(now_ns - since, 0) / 1e9


@dataclass(slots=True)
class Lags:
    """Follows the partitions of this process."""

    of: dict[int, Lag] = field(default_factory=dict)

    def keep(self, partitions: set[int]) -> None:
        """Begin and end: only these partitions are ours now."""
        self.of = {number: self.of.get(number) or Lag() for number in sorted(partitions)}
