"""Reads the output topics in a thread of its own, in no group: a stated time back, then what comes."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.errors import ConfigurationError
from foreshock.settings import Settings
from foreshock.streams.coders import decoder_for, registry_for
from foreshock.streams.console.seen import Seen, seen
from foreshock.streams.errors import guarded
from foreshock.streams.kafka import bounds, explain, reader_config
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.console")

WHOLE = ("assets.v1", "alarms.v1")
TOLD = ("alerts.v1", "anomalies.v1", "quality.v1", "dead-letters.v1", "control.v1", "maintenance.v1")
SCORES = "scores.v1"
NEEDED = (*WHOLE, *TOLD, SCORES)
FOLLOWED = (*NEEDED, "incidents.v1")  # the last is there only where incidents of lines are told
SHARE = 10  # so many times fewer records are read back of a topic of events than of scores
_AT_ONCE = 1000
_WAIT_S = 0.2
_ASK_S = 10.0
_MS = 1000.0

Take = Callable[[Sequence[Seen], bool], None]


class Follower:
    """The reader.

    Parameters
    ----------
    settings
    topics
        As they were found, by name without the prefix.
    take
        Gets what was read, in the event loop, and whether the past was read to its end with it.
    """

    def __init__(self, settings: Settings, topics: Mapping[str, TopicInfo], take: Take) -> None:
        self._settings = settings
        self._topics = {topics[name].name: (topics[name], name) for name in FOLLOWED if name in topics}
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._stopping = threading.Event()
        self._thread = threading.Thread(name="follower", target=guarded(self._run), daemon=True)
        self._decoder, self._registry = decoder_for(settings), registry_for(settings)
        self._behind: dict[tuple[str, int], int] = {}  # place -> end that was there at the start
        self.problem = ""  # why nothing can be read now
        self.since = time.time() * _MS
        self.unread: Counter[str] = Counter()  # records that are none of ours, by topic

    @staticmethod
    def check(settings: Settings, topics: Mapping[str, TopicInfo]) -> None:
        """See whether all topics are there.

        Raises
        ------
        ConfigurationError
            One is missing.
        """
        missing = [name for name in ("sensors.v1", *NEEDED) if name not in topics]
        if missing:
            name = settings.topics.prefix + missing[0]
            raise ConfigurationError(f"there is no topic {name}: is topics.prefix right? `foreshock topics` shows them")

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the client is closed."""
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        consumer = Consumer({**reader_config(self._settings), "error_cb": self._error, "log_level": 2})
        try:
            places = self._places(consumer)
            if places is None:
                return
            consumer.assign(places)
            self._hand([])
            while not self._stopping.is_set():
                messages = consumer.consume(_AT_ONCE, _WAIT_S)
                if messages:
                    self._hand(messages)
        finally:
            consumer.close()

    def _places(self, consumer: Consumer) -> list[TopicPartition] | None:
        """Find where to begin, trying again while the brokers are away; None: nobody waits any more."""
        while not self._stopping.is_set():
            try:
                return [
                    place for topic, name in self._topics.values() for place in self._of_topic(consumer, topic, name)
                ]
            except KafkaException as exc:
                self._away(str(explain(exc.args[0], [], self._settings)))
                self._stopping.wait(1.0)
        return None

    def _of_topic(self, consumer: Consumer, topic: TopicInfo, name: str) -> list[TopicPartition]:
        consumer.list_topics(topic.name, timeout=_ASK_S)  # by itself the client looks for leaders a second later
        numbers = range(topic.partitions)
        ends = {n: bounds(consumer, topic.name, n, _ASK_S) for n in numbers}
        most = max(1, self._settings.console.records // (1 if name == SCORES else SHARE) // topic.partitions)
        starts = {n: low if name in WHOLE else max(low, end - most) for n, (low, end) in ends.items()}
        if name == SCORES:
            since = int(time.time() * _MS - self._settings.console.look_back_s * _MS)
            asked = [TopicPartition(topic.name, n, since) for n in numbers]
            for found in consumer.offsets_for_times(asked, _ASK_S):
                # Nothing came since: the newest few say what the assets were when they went quiet.
                least = max(starts[found.partition], ends[found.partition][1] - most // SHARE)
                starts[found.partition] = max(starts[found.partition], found.offset) if found.offset >= 0 else least
        self._behind |= {(topic.name, n): end for n, (low, end) in ends.items() if starts[n] < end}
        return [TopicPartition(topic.name, n, starts[n]) for n in numbers]

    def _hand(self, messages: Sequence[Message]) -> None:
        """Decode records and hand them over; waits until they are taken, so that none pile up."""
        batch: list[Seen] = []
        for message in messages:
            place = (message.topic() or "", message.partition() or 0)
            error, offset = message.error(), message.offset() or 0
            if error is None:
                topic, name = self._topics[place[0]]
                found = seen(message, topic, name, self._decoder, self._registry)
                if found is None:
                    self._pass_over(name, place, offset)
                else:
                    batch.append(found)
                offset += 1
                self.back()
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start so
                self._away(error.str())
                continue
            if offset >= self._behind.get(place, offset + 1):
                del self._behind[place]
        waiting = asyncio.run_coroutine_threadsafe(self._give(batch, not self._behind), self._loop)
        while not self._stopping.is_set():
            try:
                waiting.result(_WAIT_S)
            except TimeoutError:
                continue
            except CancelledError:  # the loop ends
                pass
            return

    async def _give(self, batch: Sequence[Seen], ready: bool) -> None:
        self._take(batch, ready)

    def back(self) -> None:
        """Note that the brokers answer."""
        if self.problem:
            self.problem, self.since = "", time.time() * _MS
            log.info("Kafka: is back")

    def _pass_over(self, name: str, place: tuple[str, int], offset: int) -> None:
        """Count a record that cannot be read; the first of each topic is told."""
        if not self.unread[name]:
            log.warning("%s partition %d offset %d cannot be read: not ours, or of a later version", *place, offset)
        self.unread[name] += 1

    def _error(self, error: Any) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  # as above
            self._away("no broker can be reached")

    def _away(self, why: str) -> None:
        if not self.problem:
            self.since = time.time() * _MS
            log.warning("Kafka: %s; going on when it is back", why)
        self.problem = why
