"""Faust's transport, fed by librdkafka: one stream event is the records of one partition of one poll.

Faust pays some 80 us for an event before any work is done, and its own clients 30 to 40 us for a record. An event of a few
hundred records makes both small. What stays of Faust: agents, `noack()`, acknowledgement, signals, sensors, one consumer
group. What goes: tables, `group_by`, and operators that see single records.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

from confluent_kafka import Message as Record
from faust.transport import base
from faust.types import TP, ConsumerMessage, Message
from yarl import URL

from foreshock.streams.intake.faust_base import BareConsumer
from foreshock.streams.intake.poller import Poller, Records
from foreshock.streams.state.gate import Lapse
from foreshock.streams.state.ledger import Ledger, Partition

EVENT_BYTES = 8 * 1024 * 1024  # what one CPU step gets at most (or one record): it keeps the step below a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What the transport needs from the product.

    Attributes
    ----------
    properties
        Of the librdkafka consumer.
    batch
        Records of one poll at most.
    ledger
        What was handed out.
    keeper
        Goes through assignments with the state.
    lapse
        Notices that the process was stopped for too long.
    assigned
        Is told the partition numbers of each assignment when reading goes on.
    """

    properties: Mapping[str, Any]
    batch: int
    ledger: Ledger
    keeper: Keeper
    lapse: Lapse
    assigned: Callable[[list[int]], None]


class Keeper(Protocol):
    """What becomes of the state when partitions come and go (streams/state/keeper.py)."""

    async def take_up(self, generation: int, committed: Mapping[Partition, int | None]) -> Mapping[Partition, int]:
        """Restore partitions; say from where to read."""
        ...

    async def settle(self) -> None:
        """Deliver and take a checkpoint, while nobody else has the partitions yet."""
        ...

    def lose(self) -> None:
        """Drop everything: others have the partitions."""
        ...


class Polled(NamedTuple):
    """The value of an event: records of one partition in offset order, from one poll.

    Attributes
    ----------
    records
        As librdkafka gave them.
    received_ns
        When it gave them, wall time.
    done
        To be called once the step that took them is over.
    """

    records: list[Record]
    received_ns: int
    done: Callable[[], None]


class _Countdown:
    """Calls something when all events of a poll are done."""

    def __init__(self, events: int, then: Callable[[], None]) -> None:
        self._left = events
        self._then = then

    def __call__(self) -> None:
        self._left -= 1
        if not self._left:
            self._then()


class Consumer(BareConsumer):
    """Faust's side of the poll thread: it goes through rebalances with Faust and hands batches to the agents.

    It never commits; `streams/checkpoint.py` does.
    """

    def __init__(self, transport: Transport, *args: Any, **kwargs: Any) -> None:
        super().__init__(transport, *args, **kwargs)
        self._intake = transport.intake
        self._inbox: deque[tuple[int, deque[tuple[Partition, Polled]]]] = deque()
        self._arrived = asyncio.Event()
        self._poller: Poller | None = None

    @property
    def poller(self) -> Poller:
        """The thread that owns the Kafka consumer."""
        if self._poller is None:
            raise RuntimeError("the consumer is not started")
        return self._poller

    async def on_start(self) -> None:
        """Make the Kafka consumer; it joins the group when Faust subscribes."""
        loop = asyncio.get_running_loop()
        intake = self._intake
        self._poller = Poller(intake.properties, self, loop, batch=intake.batch, lapse=intake.lapse)

    async def on_stop(self) -> None:
        """Deliver, take the last checkpoint, leave the group."""
        if self._poller is not None and self._poller.is_alive():
            await self._intake.keeper.settle()
            self._poller.stop()
            await asyncio.get_running_loop().run_in_executor(None, self._poller.join, 10.0)

    # Called by the poll thread (see poller.Listener).

    def records(self, generation: int, polled: Records, done: Callable[[], None]) -> None:
        """Queue the records of one poll."""
        now = time.time_ns()
        parts = [(partition, part) for partition, records in polled.items() for part in _portions(records)]
        countdown = _Countdown(len(parts), done)
        self._inbox.append((generation, deque((partition, Polled(part, now, countdown)) for partition, part in parts)))
        self._arrived.set()

    async def assigned(self, generation: int, committed: Mapping[Partition, int | None]) -> Mapping[Partition, int]:
        """Begin an assignment: everything of the one before is void from here on."""
        if not self.app.rebalancing:  # librdkafka revokes nothing before the first assignment
            self.app.on_rebalance_start()
        positions = await self._intake.keeper.take_up(generation, committed)
        self.app.consumer_generation_id = generation
        await self.on_partitions_assigned({TP(*partition) for partition in positions}, generation)
        self._intake.assigned(sorted(number for _, number in positions))
        return positions

    async def revoked(self, *, lost: bool) -> None:
        """End the assignment. Revoked: stop, deliver, checkpoint. Lost: others have it already, so write nothing."""
        partitions = {TP(*partition) for partition in self._intake.ledger.partitions()}
        self.app.on_rebalance_start()
        self.stop_flow()
        self.app.flow_control.suspend()
        if lost:
            self._intake.keeper.lose()
        else:
            await self._intake.keeper.settle()
        await self.on_partitions_revoked(partitions)
        self._intake.ledger.start({})

    # Faust's fetcher.

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand batches to the agents, until Faust stops the fetcher or the consumer."""
        while not (fetcher.should_stop or self.should_stop):
            if not self._inbox:
                self._arrived.clear()
                await self._arrived.wait()
            elif not self.flow_active:
                await self.wait(self.can_resume_flow.wait())
            else:
                await self._hand_out(*self._inbox[0])

    async def _hand_out(self, generation: int, batches: deque[tuple[Partition, Polled]]) -> None:
        """Hand out one poll; what a rebalance interrupts is dropped, it comes again from the committed offset."""
        while batches and generation == self.app.consumer_generation_id and self.flow_active:
            partition, polled = batches.popleft()
            message = _event(partition, polled, generation)
            self._intake.ledger.hand_out(partition, message.offset)
            # It never waits: the slots of the poll thread bound what is queued, far below the buffer of the stream. So
            # all events of a poll are queued before the agent runs again, and it joins them to one step.
            await self.callback(message)
        if not batches or generation != self.app.consumer_generation_id:
            self._inbox.popleft()

    def ack(self, message: Message) -> bool:
        """Take note that all outputs of a batch are delivered."""
        if message.generation_id == self.app.consumer_generation_id:
            self._intake.ledger.done(message.tp, message.offset)
        return True

    # What Faust's base class asks for.

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group."""
        if not self.poller.is_alive():
            self.poller.subscribe(sorted(topics))

    def assignment(self) -> set[TP]:
        """Give the partitions of this assignment."""
        return {TP(*partition) for partition in self._intake.ledger.partitions()}

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Give where reading started; the poll thread is there already."""
        return {TP(*partition): offset for partition, offset in self._intake.ledger.positions().items()}


class Transport(base.Transport):
    """Only the consumer is ours; Faust's producer is never started, outputs go through `streams/publish.py`."""

    Consumer = Consumer
    driver_version = "librdkafka"

    def __init__(self, app: Any, intake: Intake) -> None:
        super().__init__([URL("kafka://by-librdkafka")], app)
        self.intake = intake


def _portions(records: list[Record]) -> Iterator[list[Record]]:
    """Cut the records of a poll where they would be too many bytes for one CPU step."""
    portion: list[Record] = []
    size = 0
    for record in records:
        size += len(record)
        if portion and size > EVENT_BYTES:
            yield portion
            portion, size = [], len(record)
        portion.append(record)
    yield portion


def _event(partition: Partition, polled: Polled, generation: int) -> ConsumerMessage:
    """Wrap a batch as one of Faust's messages; its offset is that of the last record."""
    topic, number = partition
    last = polled.records[-1].offset()
    if last is None:
        raise ValueError(f"a record of {partition} has no offset")
    kind, at_ms = polled.records[-1].timestamp()
    size = sum(map(len, polled.records))
    return ConsumerMessage(
        topic,
        number,
        last,
        at_ms / 1000.0,
        kind,
        [],
        None,
        cast("bytes", polled),  # Faust passes it on unseen
        None,
        0,
        size,
        TP(topic, number),
        generation_id=generation,
    )
