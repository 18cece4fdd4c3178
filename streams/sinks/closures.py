"""Work orders that were raised for alerts are looked at until they are done; that comes back on `maintenance.v1`.

Which ones are open is on `maintenance.v1` itself: opened by this sink, and closed by nobody yet. So there is no state here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.errors import InputRejected
from foreshock.settings import Settings
from foreshock.streams.border import origin_of
from foreshock.streams.coders import decoder_for
from foreshock.streams.errors import attempt
from foreshock.streams.kafka import reader_config
from foreshock.streams.sinks.answers import Delivered, decide
from foreshock.streams.sinks.bus import MAINTENANCE, Bus
from foreshock.streams.sinks.rest import RestSink
from foreshock.streams.sinks.work_request import actor, work_order
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.deliver")

_BATCH = 500
_POLL_S = 0.2


class Raised(NamedTuple):
    """A work order that is open."""

    alert_id: str
    asset: str
    number: str
    incident_id: str = ""  # of a line: what it is known by where it was raised


class Open:
    """The work orders of one sink that are open, folded from `maintenance.v1` in its order."""

    def __init__(self, sink: str) -> None:
        self._actor = actor(sink)
        self._raised: dict[tuple[str, str], Raised] = {}  # by number and asset: a line's has many

    def take(self, record: WorkOrder) -> None:
        """Take the next record; whoever closes a work order, it is closed."""
        if record.kind is WorkKind.OPENED and record.actor == self._actor and record.alert_id:
            self._raised[record.work_order, record.asset] = Raised(
                record.alert_id, record.asset, record.work_order, record.incident_id
            )
        elif record.kind is WorkKind.CLOSED:
            self._raised.pop((record.work_order, record.asset), None)

    def raised(self) -> list[Raised]:
        """Give those that are open, the oldest first."""
        return list(self._raised.values())


class Closures:
    """Looks at each open work order every `closures_s` seconds, and publishes `closed` once it is done."""

    def __init__(self, settings: Settings, sink: RestSink, found: Mapping[str, TopicInfo], bus: Bus) -> None:
        self._sink = sink
        self._bus = bus
        self._topic = found[MAINTENANCE]
        self._decoder = decoder_for(settings)
        self._open = Open(sink.settings.name)
        self._consumer = Consumer({**reader_config(settings), "enable.partition.eof": False, "log_level": 2})

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the topic, and look, until it is to stop."""
        loop = asyncio.get_running_loop()
        places = [
            TopicPartition(self._topic.name, number, OFFSET_BEGINNING) for number in range(self._topic.partitions)
        ]
        self._consumer.assign(places)
        look_at = time.monotonic() + self._sink.settings.closures_s
        while not stopping.is_set():
            for message in await loop.run_in_executor(None, self._consumer.consume, _BATCH, _POLL_S):
                self._take(message)
            if time.monotonic() >= look_at:
                await self._look(stopping)
                look_at = time.monotonic() + self._sink.settings.closures_s
        await loop.run_in_executor(None, self._consumer.close)

    def _take(self, message: Message) -> None:
        if message.error() is not None or message.value() is None:
            return
        origin = origin_of(message, self._topic)
        record = attempt(self._decoder.decode_work_order, message.value(), origin=origin, key=message.key())
        if not isinstance(record, InputRejected):  # the worker tells of those that cannot be used
            self._open.take(record)

    async def _look(self, stopping: asyncio.Event) -> None:
        for raised in self._open.raised():
            if stopping.is_set():
                return
            reply = await self._sink.look_up(raised.incident_id or raised.alert_id, raised.asset, {})
            decision = decide(reply.answer)
            if not isinstance(decision, Delivered):
                log.warning("sink %s: look-up of %s: %s", self._sink.settings.name, raised.number, decision.why)
                return  # it is down, or busy: the next round looks at all of them
            if self._sink.template.is_closed(reply.tree):
                closed = work_order(
                    raised.alert_id,
                    raised.asset,
                    self._sink.settings.name,
                    raised.number,
                    WorkKind.CLOSED,
                    time.time_ns(),
                    incident_id=raised.incident_id,
                )
                await self._bus.work_order(closed, "")
                self._open.take(closed)
