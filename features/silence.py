"""How long a sensor may say nothing: its rhythm, from what it promises and from how its records came.

Everything is told by ingest times, the broker's log-append times: a backlog that is read late was not late in the log.
A sensor that promises an interval (master data, or its records) is measured by it, or by what it really keeps where that
is slower: then its promise is wrong, which is a `gap`, not silence. One that promises nothing is measured by its own
rhythm once it was heard for a minute: the largest time between two records, without one outlier. Records in the same
second are one sign of life, so a gateway that sends an hour's records at once has a rhythm of an hour.
"""

from __future__ import annotations

from typing import NamedTuple

from foreshock.contract import Acquisition, Origin

NS = 1_000_000_000
TOGETHER_NS = NS
"""Records closer than this are one sign of life."""
REMEMBERED = 8
"""Times between signs of life that the rhythm is made of."""
ROBUST = 4
"""From so many on the largest does not count: it may have been an outage."""
HEARD_NS = 60 * NS
"""A rhythm that nobody promises is known after this time."""
LONGEST_S = 3.2e8
"""Ten years: no promise is longer."""


class Pulse(NamedTuple):
    """Signs of life of one measuring point; times in ns."""

    last: Origin | None = None
    """Of the last record taken in, whatever became of it."""
    first_ns: int = 0
    """Ingest time of the first one."""
    gaps: tuple[int, ...] = ()
    """The last times between signs of life."""
    promised_ns: int = 0
    """Interval that is promised; 0: none."""
    triggered: bool = False
    """It sends when something happens: without a promise there is no silence."""

    def heard(self, origin: Origin, interval_s: float | None, acquisition: Acquisition) -> Pulse:
        """Take a record in.

        Parameters
        ----------
        origin : Origin
            Its coordinates and ingest time.
        interval_s : float or None
            Promised time to the next one.
        acquisition : Acquisition
        """
        last, first_ns, gaps, _, _ = self  # once for every record: written for speed
        promised = int(min(interval_s, LONGEST_S) * NS) if interval_s else 0
        triggered = acquisition is Acquisition.TRIGGERED
        if last is None:
            return Pulse(origin, origin.ingest_ns, (), promised, triggered)
        gap = origin.ingest_ns - last.ingest_ns
        if gap >= TOGETHER_NS:
            gaps = (*gaps[1 - REMEMBERED :], gap)
        return Pulse(origin, first_ns, gaps, promised, triggered)

    def interval_ns(self) -> int:
        """Time within which the next record is expected; 0 where nothing tells it."""
        if self.last is None or (self.triggered and not self.promised_ns):
            return 0
        if not self.promised_ns and self.last.ingest_ns - self.first_ns < HEARD_NS:
            return 0
        kept = sorted(self.gaps)
        rhythm = kept[-2] if len(kept) >= ROBUST else kept[-1] if kept and not self.promised_ns else 0
        return max(self.promised_ns, rhythm, TOGETHER_NS)

    def limit_ns(self, intervals: float, least_s: float) -> int:
        """Time without a record from which it is silent; 0 where it never is."""
        interval = self.interval_ns()
        return max(int(interval * intervals), int(least_s * NS)) if interval else 0

    def silent_ns(self, at_ns: int, since_ns: int) -> int:
        """How long nothing came although it could have: counted from `since_ns` where the broker was away before."""
        return 0 if self.last is None else at_ns - max(self.last.ingest_ns, since_ns)
