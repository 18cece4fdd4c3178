"""From Faust's events to batches: what is queued now, of this assignment, as far as one CPU step may go."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message

from foreshock.contract import Block, Origin
from foreshock.errors import InputRejected
from foreshock.outcome import Outcome
from foreshock.streams.intake.transport import EVENT_BYTES
from foreshock.streams.publish import Publisher
from foreshock.streams.state.gate import Gate


@dataclass(slots=True, eq=False)
class Batch:
    """The records of a few events on their walk; every stage adds its list, in input order.

    Attributes
    ----------
    events
        Faust's events; acknowledged when everything is delivered.
    records
        As Kafka gave them.
    received_ns, started_ns
        Wall time at which the (last) poll gave the records, and of the start of the walk.
    origins
        Coordinates of each record.
    inputs
        The block of each record, or why there is none.
    results
        The outcome of each record, or why it became a dead letter; None: its outcome is known since long.
    stages_ns
        Wall time at which each stage ended, by its name.
    sizes
        Bytes of the values of the records that got a score, in their order.
    repeated
        Partitions of the records whose outputs are out already.
    """

    events: list[Any]
    records: list[Message]
    received_ns: int
    started_ns: int
    origins: list[Origin] = field(default_factory=list)
    inputs: list[Block | InputRejected] = field(default_factory=list)
    results: list[Outcome | InputRejected | None] = field(default_factory=list)
    stages_ns: dict[str, int] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    def mark(self, stage: str) -> None:
        """Note the wall time at which a stage ended."""
        self.stages_ns[stage] = time.time_ns()

    def done(self) -> None:
        """End the step: free the records, which are the bulk of the memory, and make room for another poll."""
        for event in self.events:
            event.value.records.clear()
            event.value.done()
        self.records, self.origins, self.inputs, self.results = [], [], [], []

    def void(self) -> None:
        """Have nothing come of it: its records come again."""
        self.done()
        self.events = []

    def ack(self) -> None:
        """Acknowledge the records: all their outputs are on the broker."""
        for event in self.events:
            event.ack()


async def gather(stream: Any, first: Any, publisher: Publisher, gate: Gate, *, limit: int) -> Batch:
    """Join an event with those that are queued behind it.

    Waits for room for the outputs and for the gate before it looks, never for more input: a batch is what is there. After
    the wait nothing else runs until the batch is published, so that a rebalance or a checkpoint finds it either untouched
    or wholly under way. What does not pass the gate is dropped here; those records come again.

    Parameters
    ----------
    stream, first
        The stream and the event that it gave.
    gate
        Lets events of the present assignment pass.
    limit
        Records at most, unless one event has more.
    """
    await publisher.room()
    while gate.held:
        await gate.freed()
        await publisher.room()
    queue = stream.channel.queue
    events, records, size, received_ns = [], [], 0, 0
    event = first
    while True:
        if gate.lets(event.message.generation_id):
            events.append(event)
            records += event.value.records
            received_ns = event.value.received_ns
            size += event.message.serialized_value_size
        if queue.empty() or len(records) >= limit or size >= EVENT_BYTES / 2:
            break
        event = queue.get_nowait()
    return Batch(events, records, received_ns, time.time_ns())
