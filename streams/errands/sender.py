"""Sending inputs as any integrator's producer does: keyed by asset, by the configured partitioner, acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, Message, Producer

from foreshock.alerts.records import Command, WorkOrder
from foreshock.contract import Asset, SensorBlock, TelemetryFrame
from foreshock.errors import ConfigurationError, OutputRefused, Unavailable
from foreshock.settings import Settings
from foreshock.streams.coders import encoder_for
from foreshock.streams.kafka import producer_config
from foreshock.streams.spans.sending import Sending, Sent

Input = SensorBlock | TelemetryFrame | Asset | Command | WorkOrder
TOPIC_OF: Mapping[type, str] = {
    SensorBlock: "sensors.v1",
    TelemetryFrame: "sensors.v1",
    Asset: "assets.v1",
    Command: "control.v1",
    WorkOrder: "maintenance.v1",
}
FLUSH_S = 60.0


class Sender:
    """Produces inputs; leaving the context waits until the broker has all of them.

    Parameters
    ----------
    settings
        Broker, prefix, framing, partitioner.
    delivered
        Called with (topic, partition, offset) of each record that the broker took.
    idempotent
        Each record is on the topic once and in order. It takes half a second before the first one is sent (a second on a
        new broker), which master data can do without: a repeated record says the same.
    spans
        Gives each record a trace context, and has a span of it. None: records go out without one.

    Raises
    ------
    ConfigurationError
        A record is larger than `topics.max_message_bytes`.
    OutputRefused
        The broker did not take a record.
    Unavailable
        The broker did not answer within `FLUSH_S` seconds.
    """

    def __init__(
        self,
        settings: Settings,
        delivered: Callable[[str, int, int], None] | None = None,
        *,
        idempotent: bool = True,
        spans: Sending | None = None,
    ) -> None:
        self._settings = settings
        self.spans = spans
        self._delivered = delivered
        self._encoders = {topic: encoder_for(settings, topic) for topic in dict.fromkeys(TOPIC_OF.values())}
        # what matters is raised below; librdkafka's own lines about a broker that just started would only worry
        self._producer = Producer({**producer_config(settings), "enable.idempotence": idempotent, "log_level": 2})
        self._refused: list[str] = []
        self.sent = 0

    def send(self, record: Input, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Queue one input, with the sender's own headers; waits while the queue is full."""
        topic = TOPIC_OF[type(record)]
        value = self._encoders[topic].encode(record)
        if len(value) > self._settings.topics.max_message_bytes:
            raise ConfigurationError(
                f"a record of {record.asset} has {len(value)} bytes, topics.max_message_bytes is "
                f"{self._settings.topics.max_message_bytes}: send fewer samples or rows in a record"
            )
        full = self._settings.topics.prefix + topic
        sent = self._begin(full, record, len(value))
        given = [*headers, ("traceparent", sent.traceparent)] if sent else list(headers)
        while True:
            try:
                self._producer.produce(
                    full, value, record.asset.encode(), on_delivery=partial(self._report, sent), headers=given
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                break
        self.sent += 1
        self._producer.poll(0)
        self._raise_refused()

    def flush(self) -> None:
        """Wait until the broker has everything that was sent."""
        left = self._producer.flush(FLUSH_S)
        self._raise_refused()
        if left:
            raise Unavailable(
                f"Kafka at {self._settings.kafka.bootstrap} took no records for {FLUSH_S:.0f} s; {left} left"
            )

    def _begin(self, topic: str, record: Input, size: int) -> Sent | None:
        """Begin the trace of a record: a share of the blocks is sampled, a person's word always, master data has none."""
        if self.spans is None or isinstance(record, Asset):
            return None
        return self.spans.begin(topic, record.asset, size, always=isinstance(record, Command | WorkOrder))

    def _report(self, sent: Sent | None, error: KafkaError | None, message: Message) -> None:
        partition, offset = int(message.partition() or 0), int(message.offset() or 0)
        if self.spans is not None and sent is not None:
            self.spans.done(sent, partition, offset, "" if error is None else error.str())
        if error is not None:
            self._refused.append(f"{message.topic()}: {error.str()}")
        elif self._delivered is not None:
            self._delivered(str(message.topic()), partition, offset)

    def _raise_refused(self) -> None:
        if self._refused:
            raise OutputRefused(f"{len(self._refused)} records were refused, the first of topic {self._refused[0]}")

    def __enter__(self) -> Self:
        """Send inside the context."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the broker, unless an error is on its way already."""
        try:
            if kind is None:
                self.flush()
        finally:
            if self.spans is not None:
                self.spans.close()
