"""The one thread that owns the Kafka consumer: it polls for ever and is the only one that ever calls it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.errors import Fenced
from foreshock.streams.errors import client_error, guarded, stop
from foreshock.streams.intake.calls import CallQueue
from foreshock.streams.kafka import hopeless
from foreshock.streams.state.gate import Lapse
from foreshock.streams.state.ledger import Partition

log = logging.getLogger("foreshock.worker")
T = TypeVar("T")

AHEAD = (
    2  # polls under way on the event loop: one at work, one waiting. What comes meanwhile makes the next poll larger
)
REBALANCE_S = 150.0  # a rebalance step on the event loop: deliver and checkpoint, or restore
COMMITTED_S = 60.0  # for the group's offsets: an open transaction of a dead worker hides them for some time
POLL_S = 0.1
PATIENCE = (
    15  # waits of 20 ms for a slow agent before nothing is fetched any more: that throws away what was prefetched
)
_HOPELESS = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,  # noqa: SLF001  # librdkafka's own codes start with an underscore
    }
)

Records = dict[Partition, list[Message]]


class Listener(Protocol):
    """Who hears from the poll thread. `records` is called on the event loop, the coroutines run there."""

    def records(self, generation: int, polled: Records, done: Callable[[], None]) -> None:
        """Take the records of one poll; call `done` when there is room for another, unless the assignment is over by then."""

    async def assigned(self, generation: int, committed: Mapping[Partition, int | None]) -> Mapping[Partition, int]:
        """Begin an assignment, given the group's offsets; say from where to read."""

    async def revoked(self, *, lost: bool) -> None:
        """End the assignment. Unless it was lost: deliver and checkpoint first, nobody else has the partitions yet."""


class Poller(threading.Thread):
    """Polls, hands the records to the event loop, at most `AHEAD` polls ahead of it, and goes through rebalances.

    Rebalance callbacks run in this thread, inside `poll`. They wait for a coroutine on the event loop and serve the calls
    that this makes meanwhile.
    """

    def __init__(
        self,
        properties: Mapping[str, str | int | float | bool],
        listener: Listener,
        loop: asyncio.AbstractEventLoop,
        *,
        batch: int,
        lapse: Lapse,
    ) -> None:
        super().__init__(name="kafka-poll", daemon=True, target=guarded(self._live))
        self.calls = CallQueue()
        self.consumer = Consumer({**properties, "enable.partition.eof": True, "error_cb": self._fault})
        self._name = properties.get("group.instance.id", "")
        self.ends: dict[Partition, int] = {}  # where reading last came to the end of a partition
        self._listener = listener
        self._loop = loop
        self._batch = batch
        self._topics: list[str] = []
        self._generation = 0
        self._assignment: list[TopicPartition] = []
        self._room = threading.Semaphore(AHEAD)
        self._held: list[Message] = []  # polled while there was no room
        self._next: dict[Partition, int] = {}  # offset after the last record that the client gave
        self._lapse = lapse
        self._again = threading.Event()  # the assignment is to be taken up again
        self._stopping = threading.Event()

    def subscribe(self, topics: Sequence[str]) -> None:
        """Join the group and start to poll. From any thread, once."""
        self._topics = list(topics)
        self.start()

    def restart(self) -> None:
        """Take the present assignment up again, from its last checkpoint. From any thread."""
        self._again.set()

    def stop(self) -> None:
        """Leave the group and end; `join` waits for it. From any thread."""
        self._stopping.set()
        self._room.release()

    # In this thread only, from here on.

    def _live(self) -> None:
        self._join()
        while not self._stopping.is_set():
            self.calls.serve()
            if self._lapse.beat():
                self._rejoin()
            if self._again.is_set():
                self._restart()
            room = self._room
            if room.acquire(timeout=0.02) or self._patient(room):
                self._turn(room)
            else:
                self._wait_for_room()
        self.calls.serve()
        self.consumer.close()

    def _join(self) -> None:
        self.consumer.subscribe(self._topics, on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose)

    def _rejoin(self) -> None:
        """Come back after the process was stopped for longer than the group waits: others have its partitions.

        The client would find that out with its next heartbeat only. What it polled or holds until then may be done by others.
        """
        log.warning(
            "this process was stopped for longer than the session timeout: it drops its partitions and joins anew"
        )
        self._end(self.consumer, lost=True)
        self.consumer.unsubscribe()
        self._join()
        self._lapse.settle()

    def _restart(self) -> None:
        """Go through a rebalance of our own, with the same partitions."""
        self._again.clear()
        partitions = self._assignment
        self._end(self.consumer, lost=False)
        if partitions:
            self._assign(self.consumer, partitions)

    def _turn(self, room: threading.Semaphore) -> None:
        """Poll once. `consume(n, t)` would wait `t` for a full batch; so wait for one record and take what else is there."""
        generation = self._generation
        first = self.consumer.poll(0.0 if self._held else POLL_S)
        found, self._held = self._held, []
        if first is not None:
            found += [first, *self.consumer.consume(self._batch - 1, 0)]
        if found and generation != self._generation:
            # A rebalance ran inside the pair of calls: these records may be of either side of it. Start the new
            # assignment again from its offsets; nothing of it was handed out yet, so nothing comes twice.
            self.consumer.assign(self._assignment)
            found = []
        polled = self._sort(found)
        if polled:
            self._loop.call_soon_threadsafe(self._listener.records, generation, polled, room.release)
        else:
            room.release()

    def _sort(self, found: Sequence[Message]) -> Records:
        """Group records by partition, in offset order as they came; note ends of partitions and errors."""
        polled: Records = {}
        for message in found:
            error = message.error()
            place = (message.topic() or "", message.partition() or 0)
            if error is None:
                polled.setdefault(place, []).append(message)
                self._next[place] = (message.offset() or 0) + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # as above
                self.ends[place] = message.offset() or 0
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001  # as above
                log.warning("%s partition %d: %s; finding out what was lost", *place, error.str())
                self._again.set()
            elif error.code() in _HOPELESS:
                raise KafkaException(error)
            else:
                self._fault(error)
                log.warning("consumer: %s", error.str())
        return polled

    def _fault(self, error: KafkaError) -> None:
        """Take what the client reports beside its records or with them; what is fatal ends the process.

        A message says that a static member was fenced with a code that does not count as fatal (seen).
        """
        if error.code() == KafkaError.FENCED_INSTANCE_ID or "fenced" in error.str():
            stop(Fenced(f"worker.instance_id {self._name!r} was taken over by another worker: this one ends"))
        if error.code() == KafkaError._FATAL:  # noqa: SLF001  # as above
            stop(KafkaException(error))
        client_error(error)

    def _patient(self, room: threading.Semaphore) -> bool:
        for _ in range(PATIENCE):
            self.calls.serve()
            self._lapse.beat()
            if room.acquire(timeout=0.02):
                return True
        return False

    def _wait_for_room(self) -> None:
        """Stay in the group and fetch nothing. Records that slip through are kept and handed out first.

        The partitions are given back to the client afterwards with the offset after the last record that it gave. To pause
        them loses records: with polls between, `resume` goes on one record too far now and then (seen, librdkafka 2.8).
        """
        generation = self._generation
        self.consumer.unassign()
        while not self._stopping.is_set() and generation == self._generation and not self._again.is_set():
            self.calls.serve()
            if self._lapse.beat():
                break
            message = self.consumer.poll(0.05)
            if message is not None and generation == self._generation:
                self._held.append(message)
                if message.error() is None:
                    self._next[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
            if self._room.acquire(blocking=False):
                self._room.release()
                break
        if generation == self._generation:
            self.consumer.assign([TopicPartition(*partition, offset) for partition, offset in self._next.items()])
        else:
            self._held = []
            self.consumer.assign(self._assignment)

    def _assign(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Restore what is known of the partitions, and read on from where that says."""
        committed = self._committed([TopicPartition(p.topic, p.partition) for p in partitions])
        self._generation += 1
        self._room = threading.Semaphore(AHEAD)  # polls of the former assignment may never be done
        self._held = []
        self.ends.clear()
        positions = self._on_loop(self._listener.assigned(self._generation, committed))
        if positions is not None:  # else the worker stops
            self._assignment = [TopicPartition(*partition, offset) for partition, offset in positions.items()]
            self._next = dict(positions)
            consumer.assign(self._assignment)
        self._lapse.beat()

    def _committed(self, partitions: list[TopicPartition]) -> dict[Partition, int | None]:
        """Ask for the group's offsets; None where there is none. Open transactions that hold some are waited for."""
        deadline = time.monotonic() + COMMITTED_S
        while True:
            try:
                return {
                    (each.topic, each.partition): _offset(each) for each in self.consumer.committed(partitions, 2.0)
                }
            except KafkaException as exc:
                late = time.monotonic() > deadline
                if late or self._stopping.is_set() or hopeless(exc.args[0]):
                    raise
            self.calls.serve()
            self._lapse.beat()

    def _revoke(self, consumer: Consumer, _: Sequence[TopicPartition]) -> None:
        self._end(consumer, lost=False)

    def _lose(self, consumer: Consumer, _: Sequence[TopicPartition]) -> None:
        log.warning("the group went on without this worker: its partitions were lost, their records come again")
        self._end(consumer, lost=True)

    def _end(self, consumer: Consumer, *, lost: bool) -> None:
        self._on_loop(self._listener.revoked(lost=lost))
        self._generation += 1
        self._assignment, self._next = [], {}
        consumer.unassign()

    def _on_loop(self, step: Coroutine[Any, Any, T]) -> T | None:
        if self._stopping.is_set():
            step.close()  # the loop has said good-bye to its partitions already
            return None
        return self.calls.run_on_loop(
            step, self._loop, timeout_s=REBALANCE_S, give_up=self._stopping.is_set, meanwhile=self._lapse.beat
        )


def _offset(committed: TopicPartition) -> int | None:
    if committed.error is not None:
        raise KafkaException(committed.error)
    return committed.offset if committed.offset >= 0 else None
