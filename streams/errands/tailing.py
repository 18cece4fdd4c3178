"""Reading a topic to look at it: no group, no commit, nothing that others would notice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, Message, TopicPartition

from foreshock.errors import ConfigurationError, InputRejected, Unavailable
from foreshock.settings import Settings
from foreshock.streams.codec.registry import Registry
from foreshock.streams.errands.show import with_samples
from foreshock.streams.kafka import administration, reader_config
from foreshock.streams.topics import TOPICS
from foreshock.streams.wire import decode_output

_ANSWER_S = 10.0


def records(
    settings: Settings,
    topic: str,
    *,
    beginning: bool,
    follow: bool,
    only: int | None = None,
    since_ms: int | None = None,
) -> Iterator[Message]:
    """Give the records of a topic as they are read, the partitions side by side.

    Parameters
    ----------
    topic
        A name of the contract (the prefix is added), or any other topic's full name.
    beginning
        From the first record that is kept; else from now on.
    follow
        Wait for more at the end.
    only
        One partition alone.
    since_ms
        From the first record that the broker took at this time or later.

    Raises
    ------
    ConfigurationError
        There is no such topic.
    Unavailable
        Kafka cannot be reached.
    """
    name = settings.topics.prefix + topic if topic in TOPICS else topic
    with administration(settings):
        pass  # a broker that cannot be reached is one line here; the consumer would log each attempt
    consumer = Consumer({**reader_config(settings), "enable.partition.eof": True})
    try:
        partitions = [each for each in _partitions(consumer, name, settings) if only in {None, each}]
        start = OFFSET_BEGINNING if beginning else OFFSET_END
        places = [TopicPartition(name, number, start) for number in partitions]
        if since_ms is not None:
            asked = [TopicPartition(name, number, since_ms) for number in partitions]
            places = consumer.offsets_for_times(asked, _ANSWER_S)
        consumer.assign(places)
        waiting = set(partitions)
        while follow or waiting:
            message = consumer.poll(0.5)
            if message is None:
                continue
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
                waiting.discard(message.partition() or 0)
            elif error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise Unavailable(f"topic {name}: {error.str()}")
    finally:
        consumer.close()


def describe(message: Message, registry: Registry | None) -> dict[str, Any]:
    """Give coordinates, key, headers and the decoded value of a record; what cannot be decoded says why."""
    value = message.value()
    found: dict[str, Any] = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp_ms": message.timestamp()[1],
        "key": _text(message.key()),
        "headers": {str(each[0]): _text(each[1]) for each in message.headers() or ()},
    }
    if value is None:
        return {**found, "schema": "", "record": None}
    try:
        decoded = decode_output(value, registry)
    except InputRejected as exc:
        return {**found, "schema": "", "problem": f"{exc.reason}: {exc.sentence}", "value": value}
    return {**found, **decoded, "record": with_samples(decoded["record"])}


def _partitions(consumer: Consumer, name: str, settings: Settings) -> list[int]:
    from confluent_kafka import KafkaException

    try:
        known = consumer.list_topics(timeout=_ANSWER_S).topics
    except KafkaException as exc:
        raise Unavailable(f"Kafka at {settings.kafka.bootstrap} cannot be reached: {exc.args[0].str()}") from exc
    if name not in known:
        ours = sorted(each for each in known if not each.startswith("__"))
        raise ConfigurationError(f"there is no topic {name}; there are {', '.join(ours) or 'none'}")
    return sorted(known[name].partitions)


def _text(data: Any) -> Any:
    """Give bytes as text where they are text."""
    if not isinstance(data, bytes):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
