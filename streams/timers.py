"""The timer: asks every second whether a sensor is overdue, and has the time put on record where one is.

What it hands in takes effect like everything from outside the order: at a place on `state.v1` (`state/places.py`). It is only
handed in for partitions that are read to their end *after* the time was taken, so a backlog silences nobody: what was in
the log by then is folded in, with the time at which the broker took it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping

from confluent_kafka import KafkaException

from foreshock.fleet import Fleet
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.ledger import Partition
from foreshock.streams.state.records import TickRequest

log = logging.getLogger("foreshock.worker")

PERIOD_S = 1.0
ASLEEP_S = 10.0  # beyond the period: the process, or the machine, was stopped


class Timers:
    """Looks for overdue sensors on the partitions of this worker.

    Parameters
    ----------
    fleet, custody
        Whose sensors, and how far each partition is folded in.
    ready
        Says whether the Fleet is not just being restored.
    ends
        Where reading last came to the end of each partition: markers of transactions take offsets too.
    idle
        Says whether nothing that was read is still on its way.
    latest
        Asks the broker for the end of partitions; blocks, and raises `KafkaException` while it cannot be reached.
    submit
        `Places.submit`.
    wait_s
        After the start nobody is told silent for so long: who was stopped with us comes back with us.
    now_ns
        The clock; it must agree with the brokers' to a few seconds, as everywhere in a cluster.
    """

    def __init__(
        self,
        fleet: Fleet,
        custody: Custody,
        *,
        ready: Callable[[], bool],
        ends: Callable[[], Mapping[Partition, int]],
        idle: Callable[[], bool],
        latest: Callable[[Collection[Partition]], Mapping[Partition, int]],
        submit: Callable[[TickRequest], None],
        wait_s: float,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._fleet = fleet
        self._custody = custody
        self._ready = ready
        self._ends = ends
        self._idle = idle
        self._latest = latest
        self._submit = submit
        self._wait_ns = int(wait_s * 1e9)
        self._now_ns = now_ns
        self._from_ns = -1  # nobody is told before
        self._since_ns = 0  # nobody could be heard before
        self._looked_ns = -1
        self._away = False

    async def every(self, period_s: float = PERIOD_S) -> None:
        """Run for ever, on the event loop."""
        while True:
            await self.look(period_s)
            await asyncio.sleep(period_s)

    async def look(self, period_s: float = PERIOD_S) -> None:
        """Look once."""
        at_ns = self._now_ns()
        self._wake(at_ns, period_s)
        if at_ns < self._from_ns or not self._ready():
            return
        overdue = [each for each in self._custody.partitions() if self._fleet.overdue(each[1], at_ns, self._since_ns)]
        if not overdue:
            return
        try:
            latest = await asyncio.get_running_loop().run_in_executor(None, self._latest, overdue)
        except KafkaException as exc:
            if not self._away:
                log.warning("no sensor is told silent while the brokers are away (%s)", exc.args[0].str())
            self._away = True
            return
        if self._away:  # they were deaf, not the sensors silent: from now on it counts
            self._away, self._since_ns = False, self._now_ns()
            return
        for partition in overdue if self._ready() else ():
            if self._is_read(partition, latest.get(partition)):
                self._submit(TickRequest(partition[1], at_ns, self._since_ns))

    def _wake(self, at_ns: int, period_s: float) -> None:
        """Note that nobody was heard while this process stood still, and wait after the start."""
        if self._looked_ns < 0:
            self._from_ns = at_ns + self._wait_ns
        elif at_ns - self._looked_ns > (period_s + ASLEEP_S) * 1e9:
            self._since_ns = at_ns
        self._looked_ns = at_ns

    def _is_read(self, partition: Partition, latest: int | None) -> bool:
        """Say whether all that was in the partition is folded in."""
        folded = self._custody.folded(partition)
        if folded is None or latest is None:
            return False
        return folded >= latest or (self._idle() and self._ends().get(partition, -1) >= latest)
