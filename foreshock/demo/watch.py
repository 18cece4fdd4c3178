"""Reading the outputs while they come: all partitions of the output topics, from their beginning, in no group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from foreshock.settings import Settings
from foreshock.streams.kafka import reader_config
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import decode_output

OUTPUTS = ("scores.v1", "anomalies.v1", "alerts.v1", "quality.v1", "dead-letters.v1")
_AT_ONCE = 1000


class Watch:
    """A reader of the output topics.

    Parameters
    ----------
    settings
    topics
        From `topics.ensure`.
    """

    def __init__(self, settings: Settings, topics: Mapping[str, TopicInfo]) -> None:
        self._names = {topics[name].name: name for name in OUTPUTS}
        self._consumer = Consumer({**reader_config(settings), "enable.partition.eof": False})
        self._consumer.assign(
            [
                TopicPartition(topics[name].name, number, OFFSET_BEGINNING)
                for name in OUTPUTS
                for number in range(topics[name].partitions)
            ]
        )

    def records(self, wait_s: float) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give (topic without prefix, decoded record) of what there is; waits at most `wait_s` for the first."""
        for message in self._consumer.consume(_AT_ONCE, wait_s):
            error, value = message.error(), message.value()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start so
                    raise KafkaException(error)
            elif value is not None:
                yield self._names[str(message.topic())], decode_output(value)["record"]

    def __enter__(self) -> Self:
        """Read inside the context."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the broker."""
        self._consumer.close()
