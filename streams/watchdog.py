"""The watchdog: a worker that is alive, has work and gets nowhere ends itself."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from foreshock.errors import Stalled
from foreshock.streams.errors import guarded
from foreshock.streams.state.ledger import Ledger, Partition

log = logging.getLogger("foreshock.worker")

ASK_S = 5.0
ASKS = 4  # times it asks before it is sure


class Watchdog(threading.Thread):
    """Looks on from a thread of its own, so that a blocked event loop cannot blind it.

    No progress alone is no stall: there may be nothing to do, or the brokers may be away. So while nothing is done it asks the
    broker for the end of each partition, and counts from the first answer by which records wait: a worker to which a record comes
    after a long quiet has only just begun to wait for it.

    Parameters
    ----------
    properties
        Of a librdkafka client.
    ledger
        Counts progress, and says how far each partition is done.
    ends
        Where reading last came to the end of each partition.
    stall_s
        Seconds for which records may wait without progress while the brokers answer.
    """

    def __init__(
        self,
        properties: Mapping[str, Any],
        ledger: Ledger,
        ends: Callable[[], Mapping[Partition, int]],
        *,
        stall_s: float,
    ) -> None:
        super().__init__(name="watchdog", daemon=True, target=guarded(self._watch))
        self._admin = AdminClient({**properties, "log_level": 0})
        self._ledger = ledger
        self._ends = ends
        self._stall_s = stall_s
        self._on_orphaned: Callable[[], object] = _ignore
        self._over = threading.Event()
        self._said = float("-inf")  # when an outage was last told

    def watch(self, on_orphaned: Callable[[], object]) -> None:
        """Start; `on_orphaned` is called once when the process that started this one is gone."""
        self._on_orphaned = on_orphaned
        self.start()

    def stop(self) -> None:
        """End the watch."""
        self._over.set()

    def _watch(self) -> None:
        parent = os.getppid()
        seen, asked = self._done(), time.monotonic()
        waiting: float | None = None
        while not self._over.wait(min(1.0, self._stall_s / ASKS)):
            if parent and os.getppid() != parent:
                parent = 0
                self._on_orphaned()
            now = time.monotonic()
            if self._done() != seen:
                seen, asked, waiting = self._done(), now, None
            elif now - asked >= self._stall_s / ASKS:
                waiting, asked = self._waiting(waiting), now

    def _done(self) -> tuple[int, int]:
        """Tell what has to move: batches, or the assignment; before the present one there was nothing it could move."""
        return self._ledger.progress, self._ledger.assignments

    def _waiting(self, since: float | None) -> float | None:
        """Ask since when records wait although the brokers answer; None where nothing waits, or nobody answers.

        Parameters
        ----------
        since
            What was found the last time, if nothing was done since then.

        Raises
        ------
        Stalled
            For too long, or for a topic that is gone.
        """
        before, now = self._done(), time.monotonic()
        waited = 0.0 if since is None else now - since
        try:
            lag = self._lag()
        except KafkaException as exc:
            return self._unanswered(exc, now if since is None else since, waited)
        if not lag or self._over.is_set() or self._done() != before:
            return None
        if waited < self._stall_s:
            return now if since is None else since
        raise Stalled(f"no progress for {waited:.0f} s with {lag} records waiting while the brokers answer")

    def _unanswered(self, exc: KafkaException, since: float, waited: float) -> float | None:
        """Tell an outage, which is waited out, from a topic that is gone, which no waiting will mend."""
        gone = self._gone()
        if not gone:
            if time.monotonic() - self._said >= self._stall_s:
                self._said = time.monotonic()
                log.warning("there is no progress, and the brokers do not answer (%s)", exc.args[0].str())
            return None
        if waited < self._stall_s:
            return since
        raise Stalled(f"no progress for {waited:.0f} s, and there is no topic {', '.join(gone)} any more") from exc

    def _gone(self) -> list[str]:
        """Name the topics of this worker that brokers that do answer know nothing of."""
        try:
            there = self._admin.list_topics(timeout=1.0).topics
        except KafkaException:
            return []
        return sorted({topic for topic, _ in self._ledger.partitions()} - set(there))

    def _lag(self) -> int:
        """Count the records that wait, of this worker's partitions."""
        positions = self._ledger.positions()
        latest = OffsetSpec.latest()
        asked = {TopicPartition(*partition): latest for partition in self._ledger.partitions()}
        if not asked:
            return 0
        lag = 0
        for place, answer in self._admin.list_offsets(asked, request_timeout=ASK_S).items():
            partition = (place.topic, place.partition)
            # Markers of transactions take offsets too: an end that was read counts, if nothing is under way before it.
            read = 0 if self._ledger.outstanding() else self._ends().get(partition, 0)
            lag += max(answer.result().offset - max(positions.get(partition, 0), read), 0)
        return lag


def _ignore() -> None:
    """Take no notice."""
