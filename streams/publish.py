"""Outputs: produced in order, counted until the broker has them, and fatal when it refuses one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

from confluent_kafka import KafkaError, Message, Producer

from foreshock.errors import OutputRefused
from foreshock.streams.errors import stop

IN_FLIGHT_BYTES = 48 * 1024 * 1024  # room for one more batch stays below the 64 MB of the producer's queue
IN_FLIGHT_RECORDS = 50_000
POLL_S = 0.003
END_S = 5.0  # for a client that is given up to report what it had
HEADERS_BYTES = 2048  # headers and frame of a record, at most: they hold ids, times and names of bounded length

Headers = list[tuple[str, bytes]]
Report = Callable[[KafkaError | None, Message], None]


class Output(NamedTuple):
    """One record to produce, with everything explicit: nothing is left to a partitioner or to a context."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None  # None: a compacted topic has nothing under this key any more
    headers: Headers
    record_id: str = ""

    def size(self) -> int:
        """Give its bytes on the wire, at most."""
        return len(self.value or b"") + len(self.key or b"") + HEADERS_BYTES


@dataclass(slots=True)
class Outbox:
    """The outputs of one batch.

    Attributes
    ----------
    events
        Anomalies, quality, dead letters: all are on the broker before the first score is produced. So the last score of a
        partition names the last input of which everything is out.
    scores
        In input order.
    delivered
        Called with this outbox, on the event loop, once all of them are on the broker.
    offsets
        Where the broker put each event, by its id.
    """

    events: Sequence[Output]
    scores: Sequence[Output]
    delivered: Callable[[Outbox], None]
    offsets: dict[str, int] = field(default_factory=dict)

    def size(self) -> int:
        """Give the bytes of all outputs."""
        return sum(output.size() for output in self.events) + sum(output.size() for output in self.scores)


class _Delivery:
    """What is still under way of a batch, events first, then scores; the delivery callback of its scores."""

    __slots__ = ("forgotten", "left", "outbox", "size")

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.left = len(outbox.events)
        self.size = outbox.size()
        self.forgotten = False  # nobody waits for it: its inputs come again

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and not self.forgotten:
            stop(OutputRefused(_refusal(error, message)))
        self.left -= 1

    def event(self, record_id: str, error: KafkaError | None, message: Message) -> None:
        """Take the delivery report of an event, of which the place is kept."""
        self(error, message)
        self.outbox.offsets[record_id] = message.offset() or 0


class Publisher:
    """The producer of all outputs: idempotent, in no transaction, awaited.

    Batches leave in the order in which they were published, so the scores of a partition are in input order even where an
    earlier batch still waits for its events.

    Parameters
    ----------
    properties
        Of a librdkafka producer.
    halted
        Says that others may have our partitions by now: nothing more is handed to the client until `forget`.
    """

    def __init__(self, properties: Mapping[str, Any], halted: Callable[[], bool] = lambda: False) -> None:
        self._properties = properties
        self._producer = Producer(dict(properties))
        self._halted = halted
        self._held: deque[_Delivery] = deque()  # events under way, scores not yet produced
        self._scored: deque[_Delivery] = deque()  # scores under way
        self._waiting: deque[tuple[Output, Report]] = deque()  # what the client's queue had no room for, in order
        self._bytes = 0
        self.published = 0  # outboxes so far ...
        self._delivered = 0  # ... and how many of them are on the broker: they get there in order
        self._work = asyncio.Event()
        self._freed = asyncio.Event()

    def publish(self, outbox: Outbox) -> None:
        """Produce the outputs of a batch; the rest happens in `serve`."""
        delivery = _Delivery(outbox)
        self.published += 1
        self._bytes += delivery.size
        for output in outbox.events:
            self._produce(output, partial(delivery.event, output.record_id))
        outbox.events = ()  # librdkafka has its own copy, or they wait for room
        self._held.append(delivery)
        self._advance()
        self._work.set()

    async def room(self) -> None:
        """Wait until there is room for the outputs of another batch."""
        while self._bytes > IN_FLIGHT_BYTES or len(self._producer) > IN_FLIGHT_RECORDS:
            self._freed.clear()
            await self._freed.wait()

    async def serve(self) -> None:
        """Run for ever: take delivery reports and let go what they allow."""
        while True:
            if not self.under_way():
                self._work.clear()
                await self._work.wait()
            self._poll()
            await asyncio.sleep(POLL_S)

    async def drain(self, deadline: float) -> bool:
        """Wait until everything is delivered, or until the deadline (monotonic seconds); say which."""
        while self.under_way() and time.monotonic() < deadline:
            self._poll()
            await asyncio.sleep(POLL_S)
        return not self.under_way()

    async def delivered_up_to(self, count: int, deadline: float) -> bool:
        """Wait until that many outboxes are delivered, or until the deadline (monotonic seconds); say which."""
        while self._delivered < count and time.monotonic() < deadline:
            self._poll()
            await asyncio.sleep(POLL_S)
        return self._delivered >= count

    def forget(self) -> None:
        """Drop what is not sent yet: the partitions were lost, and whoever has them publishes it.

        What the client's own threads have sent by then stands on the topics twice, with the same bytes. The client goes
        with its queue: to purge one and go on with it takes records along that come afterwards (seen).
        """
        dropped = [*self._held, *self._scored]
        for delivery in dropped:
            delivery.forgotten = True
            self._bytes -= delivery.size
        self._held.clear()
        self._scored.clear()
        self._waiting.clear()
        self._delivered += len(dropped)
        self._freed.set()
        former, self._producer = self._producer, Producer(dict(self._properties))
        former.purge(blocking=False)
        threading.Thread(target=former.flush, args=(END_S,), name="former-producer", daemon=True).start()

    def under_way(self) -> bool:
        """Say whether outputs are not delivered yet."""
        return bool(self._held or self._scored)

    def in_flight(self) -> int:
        """Bytes of the outputs that the broker has not confirmed, at most."""
        return self._bytes

    def _poll(self) -> None:
        self._producer.poll(0)
        while self._waiting and not self._halted() and self._taken(*self._waiting[0]):
            self._waiting.popleft()
        self._advance()

    def _advance(self) -> None:
        """Produce the scores whose events are out; report the batches whose scores are out."""
        while self._held and not self._held[0].left and not self._halted():
            delivery = self._held.popleft()
            delivery.left = len(delivery.outbox.scores)
            for output in delivery.outbox.scores:
                self._produce(output, delivery)
            delivery.outbox.scores = ()
            self._scored.append(delivery)
        while self._scored and not self._scored[0].left:
            delivery = self._scored.popleft()
            self._bytes -= delivery.size
            self._delivered += 1
            self._freed.set()
            delivery.outbox.delivered(delivery.outbox)

    def _produce(self, output: Output, report: Report) -> None:
        """Hand an output to the client; one batch may have more of them than its queue holds (each case has a state)."""
        if self._waiting or self._halted() or not self._taken(output, report):
            self._waiting.append((output, report))

    def _taken(self, output: Output, report: Report) -> bool:
        try:
            self._producer.produce(
                output.topic,
                output.value,
                output.key,
                output.partition,
                on_delivery=report,
                headers=cast("Any", output.headers),
            )
        except BufferError:
            return False
        return True


def _refusal(error: KafkaError, message: Message) -> str:
    return (
        f"output refused: topic {message.topic()} partition {message.partition()} key {message.key()!r}: {error.str()}; "
        "nothing is acknowledged past it"
    )
