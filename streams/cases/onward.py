"""Reading raw records on from several places: where windows are open, and as far as they are."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

log = logging.getLogger("foreshock.cases")


class Onward:
    """Gives the records of partitions from where they are wanted first.

    Parameters
    ----------
    config
        Of a librdkafka consumer that is in no group, with ``auto.offset.reset=error``.
    topic
        Name of the topic.

    Attributes
    ----------
    ended
        Partitions that were read to their present end.
    """

    def __init__(self, config: Mapping[str, Any], topic: str) -> None:
        self._consumer = Consumer(dict(config))
        self._topic = topic
        self._read: dict[int, int] = {}  # next offset, by partition that is followed
        self._moved = False  # `_read` is not what the client was told
        self._heard = True  # something came since the client was told
        self.ended: set[int] = set()

    def want(self, partition: int, offset: int) -> None:
        """Have a partition read from an offset on; where it is read already, go back to it where that is further on."""
        if offset < self._read.get(partition, offset + 1):
            self._read[partition] = offset
            self._moved = True
            self.ended.discard(partition)

    def records(self, wanted: Collection[int]) -> Iterator[tuple[int, Message]]:
        """Give what has come, with the number of its partition; partitions that are not wanted are left."""
        done = [number for number in self._read if number not in wanted]
        for number in done:
            del self._read[number]
        self._moved |= bool(done)
        self._assign()
        if not self._read and self._heard:
            return
        for message in self._consumer.consume(500, 0.1):
            self._heard = True
            number, error = message.partition() or 0, message.error()
            at_end = error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  # librdkafka's own codes start with an underscore
            if error is not None and not at_end:
                if error.code() == KafkaError._AUTO_OFFSET_RESET and number in self._read:  # noqa: SLF001  # as above
                    self._read[number] = OFFSET_BEGINNING  # what was wanted first is gone by retention
                    self._moved = True
                else:
                    log.warning("records: %s", error.str())
            elif number not in self._read or self._moved:
                continue  # of before: it is read again from where it is wanted
            elif at_end:
                self.ended.add(number)
            else:
                self.ended.discard(number)
                self._read[number] = (message.offset() or 0) + 1
                yield number, message

    def _assign(self) -> None:
        """Tell the client what is read from where, unless it has not yet begun with what it was told before.

        It would end the process: two changes of an assignment, the second before the first has stopped what it ends, fail an
        assertion (librdkafka issue 5573, up to 2.15).
        """
        if not self._moved or not self._heard:
            return
        self._moved, self._heard = False, not self._read
        self.ended.clear()
        self._consumer.assign([TopicPartition(self._topic, number, offset) for number, offset in self._read.items()])

    def close(self) -> None:
        """End the client."""
        self._consumer.close()
