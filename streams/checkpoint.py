"""Checkpoints: the only place that commits.

In order: 1. the outputs are delivered (the ledger moves only then). 2. One Kafka transaction takes the input offsets, with
the group's metadata, so that Kafka refuses them from a worker that is no longer in the group. Outputs are in no
transaction: an alert hidden behind the open transaction of a dead worker is worse than one that comes twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from foreshock.errors import Unavailable
from foreshock.streams.errors import Verdict, decide, stop
from foreshock.streams.ledger import Ledger, Partition

log = logging.getLogger("foreshock.worker")
T = TypeVar("T")

START_S = 30.0
TRANSACTION_MS = 10_000  # an open transaction of a dead worker hides the group's offsets for that long at most


class Checkpoint:
    """Commits how far the input is done, every few seconds and before partitions are given away.

    Parameters
    ----------
    properties
        Of a librdkafka producer; it is used for transactions only.
    identity
        `transactional.id`: a restarted worker with the same one ends what its former self left open.
    ledger
        Says how far each partition is done.
    """

    def __init__(self, properties: Mapping[str, Any], identity: str, ledger: Ledger) -> None:
        self._producer = Producer(
            {**properties, "transactional.id": identity, "transaction.timeout.ms": TRANSACTION_MS}
        )
        self._ledger = ledger
        self._open = False  # a transaction that could be neither committed nor aborted yet
        self._one_at_a_time = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")  # librdkafka's calls block

    async def start(self) -> None:
        """Take up the identity; what its former owner left open is aborted.

        Raises
        ------
        Unavailable
            The broker did not answer in time.
        """
        try:
            await self._call(lambda: self._producer.init_transactions(START_S))
        except KafkaException as exc:
            raise Unavailable(f"no checkpoint can be taken: {exc.args[0].str()}") from exc

    async def every(self, period_s: float, metadata: Callable[[], Awaitable[Any]]) -> None:
        """Run for ever: take a checkpoint each period. A failed one is tried again the next time."""
        while True:
            await asyncio.sleep(period_s)
            await self.take(metadata, time.monotonic() + period_s)

    async def take(self, metadata: Callable[[], Awaitable[Any]], deadline: float) -> bool:
        """Commit how far each partition is done now.

        Parameters
        ----------
        metadata
            Gives the consumer group's metadata; called in the loop.
        deadline
            Monotonic seconds; what is not committed until then comes again.

        Returns
        -------
        bool
            Whether the broker has all of it.
        """
        async with self._one_at_a_time:
            moved = self._ledger.uncommitted()
            if not moved:
                return True
            group = await metadata()
            done = await self._call(lambda: self._commit(moved, group, deadline))
            if done:
                self._ledger.committed(moved)
            return done

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    # In the checkpoint's thread.

    def _commit(self, offsets: Mapping[Partition, int], group: Any, deadline: float) -> bool:
        places = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        try:
            if self._open:
                self._abort(deadline)
            self._producer.begin_transaction()
            self._open = True
            self._producer.send_offsets_to_transaction(places, group, _left(deadline))
            self._producer.commit_transaction(_left(deadline))
            self._open = False
        except KafkaException as exc:
            return self._failed(exc, deadline)
        return True

    def _failed(self, exc: KafkaException, deadline: float) -> bool:
        """Give up this checkpoint; nothing is lost, its records would come again."""
        error: KafkaError = exc.args[0]
        if error.fatal() or not (error.txn_requires_abort() or decide(exc) is Verdict.RETRY or _timed_out(error)):
            stop(exc)
        log.warning("checkpoint put off: %s", error.str())
        try:
            self._abort(deadline)
        except KafkaException as again:
            if again.args[0].fatal():
                stop(again)
        return False

    def _abort(self, deadline: float) -> None:
        self._producer.abort_transaction(_left(deadline))
        self._open = False


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.1)


def _timed_out(error: KafkaError) -> bool:
    return bool(error.code() == KafkaError._TIMED_OUT)  # noqa: SLF001  # librdkafka's own codes start with an underscore
