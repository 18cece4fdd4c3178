"""A topic that is read whole before it is needed, and then followed: by every worker, in no group."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.errors import Unavailable
from foreshock.streams.errors import guarded
from foreshock.streams.kafka import bounds
from foreshock.streams.topics import TopicInfo

READ_S = 60.0
ASK_S = 10.0


class WholeReader(ABC):
    """Reads a topic in a thread of its own."""

    def __init__(self, properties: Mapping[str, Any], topic: TopicInfo, name: str) -> None:
        self._consumer = Consumer({**properties, "enable.partition.eof": True})
        self._consumer.assign(  # the client fetches from here on, while the worker prepares itself
            [TopicPartition(topic.name, number, OFFSET_BEGINNING) for number in range(topic.partitions)]
        )
        self._topic = topic
        self._next = dict.fromkeys(range(topic.partitions), 0)  # the place up to which each partition was read
        self._stopping = threading.Event()
        self._thread = threading.Thread(name=name, target=guarded(self._follow), daemon=True)

    @abstractmethod
    def _use(self, message: Message) -> None:
        """Take a record, or a tombstone."""

    def read_all(self) -> None:
        """Read everything that is there now; blocks.

        The ends are asked for: a topic without records would only be known to be at its end after a fetch has waited.

        Raises
        ------
        Unavailable
            The end of the topic was not reached in time.
        """
        deadline = time.monotonic() + READ_S
        behind = {number: end for number, end in self._ends().items() if end}
        while behind:
            if time.monotonic() > deadline:
                raise Unavailable(f"topic {self._topic.name} could not be read to its end within {READ_S:.0f} s")
            self._take(self._consumer.consume(1000, 0.02))
            behind = {number: end for number, end in behind.items() if self._next[number] < end}

    def _ends(self) -> dict[int, int]:
        """Ask where each partition ends now; 0 where there is nothing to read."""
        ends = {}
        for number in range(self._topic.partitions):
            first, end = bounds(self._consumer, self._topic.name, number, ASK_S)
            ends[number] = end if first < end else 0
        return ends

    def follow(self) -> None:
        """Go on reading in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self._take(self._consumer.consume(100, 0.5))
        self._consumer.close()

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            error = message.error()
            if error is None:
                self._use(message)
                self._next[message.partition() or 0] = (message.offset() or 0) + 1
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
                self._next[message.partition() or 0] = message.offset() or 0  # past what compaction has taken
            elif error.fatal():
                raise KafkaException(error)
