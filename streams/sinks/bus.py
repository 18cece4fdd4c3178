"""What delivery writes to Kafka itself: dead letters, and work orders that came back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from confluent_kafka import KafkaError, Message, Producer

from foreshock.alerts.records import WorkOrder
from foreshock.contract import DeadLetter, Origin, Reason
from foreshock.errors import InputRejected, OutputRefused
from foreshock.lineage import event_id
from foreshock.settings import Settings
from foreshock.streams import wire
from foreshock.streams.codec.headers import iso
from foreshock.streams.coders import encoder_for
from foreshock.streams.errors import client_error, guarded
from foreshock.streams.kafka import producer_config

LETTERS, MAINTENANCE = "dead-letters.v1", "maintenance.v1"
SINK = "deliver-sink"  # header of a dead letter: the sink that refused it
NOTED = "redriven_letter"  # header of the note that a letter was sent again, as `dead-letters redrive` writes it
_POLL_S = 0.05
Headers = Sequence[tuple[str, bytes | None]]


class Bus:
    """A producer that is awaited: what is sent is on the brokers when the call returns."""

    def __init__(self, settings: Settings, *, name: str) -> None:
        self._prefix = settings.topics.prefix
        self._framing = settings.topics.value_framing
        self._encoders = {topic: encoder_for(settings, topic) for topic in (LETTERS, MAINTENANCE)}
        self._producer = Producer({**producer_config(settings), "error_cb": client_error, "log_level": 2})
        self._name = name
        self.letters: Counter[str] = Counter()  # dead letters so far, by reason
        self._stopping = threading.Event()
        self._thread = threading.Thread(name="bus", target=guarded(self._poll), daemon=True)
        self._thread.start()

    async def work_order(self, record: WorkOrder, traceparent: str) -> None:
        """Put a work order on `maintenance.v1`, under its asset; it is part of the trace that it came of."""
        headers = {
            "traceparent": traceparent,
            "ce_specversion": "1.0",
            "ce_id": record.record_id,
            "ce_type": f"io.foreshock.work-order.{record.kind}.v1",
            "ce_source": f"/{self._name}",
            "ce_subject": record.asset,
            "ce_time": iso(record.at_ns),
            "content-type": wire.content_type(self._framing),
        }
        value = self._encoders[MAINTENANCE].encode(record)
        given = [(name, text.encode()) for name, text in headers.items() if text]
        await self.send(MAINTENANCE, value, record.asset.encode(), given)

    async def letter(
        self, sink: str, why: str, origin: Origin, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        """Set aside what a sink refuses: the original, where it stands, and why."""
        rejected = InputRejected(
            Reason.UNDELIVERABLE,
            f"sink {sink} refuses it: {why}",
            fix=f"mend it, then `foreshock deliver --redrive --only {sink}`",
        )
        await self.dead(sink, rejected, origin, key, value, headers)

    async def dead(
        self,
        sink: str,
        rejected: InputRejected,
        origin: Origin,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> None:
        """Set a record of `alerts.v1` aside for one sink; for the others it is what it is."""
        kept = [(name, data) for name, data in headers if name != SINK]
        made: DeadLetter = wire.dead_letter(rejected, origin, key, value, [*kept, (SINK, sink.encode())])
        letter = replace(made, event_id=event_id(f"dead-letter/{sink}", origin))
        given = wire.headers(
            letter,
            traceparent=_text(dict(headers).get("traceparent")),
            scored_ns=time.time_ns(),
            worker=self._name,
            framing=self._framing,
        )
        value = self._encoders[LETTERS].encode(letter)
        await self.send(LETTERS, value, key, [each for each in given if each[1]], origin.partition)
        self.letters[rejected.reason.value] += 1

    async def note_redriven(self, letter_id: str, key: bytes | None, partition: int, sink: str) -> None:
        """Note on the dead-letter topic that a letter was sent again."""
        await self.send(LETTERS, None, key, [(NOTED, letter_id.encode()), (SINK, sink.encode())], partition)

    async def send(
        self, topic: str, value: bytes | None, key: bytes | None, headers: Headers, partition: int = -1
    ) -> None:
        """Send one record and wait until the brokers have it.

        Raises
        ------
        OutputRefused
            They do not take it.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def report(error: KafkaError | None, _: Message) -> None:
            loop.call_soon_threadsafe(_settle, done, error, topic)

        while True:
            try:
                self._producer.produce(
                    self._prefix + topic, value, key, partition, on_delivery=report, headers=cast("Any", list(headers))
                )
            except BufferError:
                await asyncio.sleep(_POLL_S)
            else:
                break
        await done

    def close(self) -> None:
        """End the thread; nothing is under way any more that anybody waits for."""
        self._stopping.set()
        self._thread.join(5.0)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(_POLL_S)


def _settle(done: asyncio.Future[None], error: KafkaError | None, topic: str) -> None:
    if done.done():
        return  # nobody waits any more
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(OutputRefused(f"topic {topic}: {error.str()}"))


def _text(data: bytes | str | None) -> str:
    return data.decode("ascii", "replace") if isinstance(data, bytes) else data or ""


def names(headers: Headers) -> Mapping[str, str]:
    """Give headers as text, by name."""
    return {name: _text(data) for name, data in headers}
