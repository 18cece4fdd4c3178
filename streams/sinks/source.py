"""`alerts.v1` for one sink: a consumer group of its own, offsets that are committed when the sink has everything below."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.alerts.records import AlertTransition
from foreshock.contract import Origin, Reason
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.records import from_tree
from foreshock.settings import Settings
from foreshock.settings_deliver import SinkSettings
from foreshock.streams.border import origin_of, pairs_of, trace
from foreshock.streams.codec.registry import Registry
from foreshock.streams.errors import attempt, client_error, guarded
from foreshock.streams.kafka import consumer_config, hopeless, seek
from foreshock.streams.sinks.bus import Bus
from foreshock.streams.sinks.engine import Engine, Item
from foreshock.streams.sinks.tracing import Tracer
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import decode_output

log = logging.getLogger("foreshock.deliver")

ALERTS, INCIDENTS = "alerts.v1", "incidents.v1"
COMMIT_S = 0.25
TELL_S = 60.0
_POLL_S = 0.2
_BATCH = 500
_ANSWER_S = 10.0
_RELEASE_S = 6.0
T = TypeVar("T")


def group_of(settings: Settings, sink: str) -> str:
    """Give the consumer group of a sink."""
    return f"{settings.worker.group}-deliver-{sink}"


def transition(value: bytes | None, registry: Registry | None) -> AlertTransition:
    """Decode a value of `alerts.v1`.

    Raises
    ------
    InputRejected
        It is no transition, or of a version that is newer than this.
    """
    if not value:
        raise InputRejected(
            Reason.NULL_VALUE, "the record has no value", fix="nobody but the worker writes to alerts.v1"
        )
    record: dict[str, Any] = decode_output(value, registry)["record"]
    try:
        return from_tree(AlertTransition, {name: each for name, each in record.items() if name != "type"})
    except (ValueError, KeyError, TypeError) as exc:
        raise InputRejected(
            Reason.MALFORMED, f"it is no AlertTransition of this version: {exc}", fix="update `foreshock deliver`"
        ) from exc


class Source:
    """Reads `alerts.v1` for one sink and hands it to its engine.

    The consumer lives in one thread: every call of it is made there, one after the other.
    """

    def __init__(
        self,
        settings: Settings,
        sink: SinkSettings,
        engine: Engine,
        *,
        topic: TopicInfo,
        bus: Bus,
        tracer: Tracer,
        registry: Registry | None,
    ) -> None:
        self._sink = sink
        self._engine = engine
        self._topic = topic
        self._bus = bus
        self._tracer = tracer
        self._registry = registry
        config = consumer_config(settings)
        if settings.worker.instance_id:  # a restart then takes its partitions back at once
            config["group.instance.id"] = f"{settings.worker.instance_id}-deliver-{sink.name}"
        self._consumer = Consumer(
            {
                **config,
                "group.id": group_of(settings, sink.name),
                "client.id": f"{settings.telemetry.service_name}-deliver-{sink.name}",
                # Not cooperative: there a commit between the two rounds is refused, and the partitions count as lost (seen).
                "partition.assignment.strategy": "range",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,  # behind the last record may stand the marker of a transaction
                "error_cb": client_error,
                "log_level": 2,
            }
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"source-{sink.name}")
        self._committed: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._next: dict[int, int] = {}  # the offset that is to come next, of each partition
        self._doubted: dict[int, int] = {}  # from where a gap was asked for once more
        self._again: set[int] = set()  # partitions of which the rest of this batch comes again
        self._paused = False
        self._told: str | None = None
        self.assigned = False  # whether it ever was given its partitions

    async def run(self, stopping: asyncio.Event) -> None:
        """Read and deliver until it is to stop; what is under way then may end, the rest comes again."""
        self._loop = asyncio.get_running_loop()
        await self._call(
            lambda: self._consumer.subscribe(
                [self._topic.name], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
            )
        )
        next_commit = next_told = time.monotonic()
        while not stopping.is_set():
            self._again.clear()
            for message in await self._call(self._read):
                await self._take(message)
            now = time.monotonic()
            if now >= next_commit:
                next_commit = now + COMMIT_S
                await self._call(lambda: self._commit(self._engine.positions()))
            if now >= next_told:
                next_told = now + TELL_S
                await self._call(self._look)
                self._tell()
        await self._call(self._consumer.close)  # gives its partitions up: what was under way is done, and committed
        self._thread.shutdown()
        self._tell()

    def told(self) -> dict[str, int]:
        """Give the counters of the sink, with what waits and the lag."""
        return {**self._engine.told(), "lag": self.lag()}

    def lag(self) -> int:
        """Count the records of `alerts.v1` that are not done, as far as known."""
        positions = self._engine.positions()
        return sum(max(end - positions[number], 0) for number, end in self._ends.items() if number in positions)

    async def _call(self, call: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._thread, call)

    def _read(self) -> list[Message]:
        full = self._engine.full
        if full and not self._paused:
            self._consumer.pause(self._consumer.assignment())
            self._paused = True
        elif self._paused and not full and self._engine.waiting <= self._sink.window // 2:
            self._consumer.resume(self._consumer.assignment())
            self._seek(self._next)  # librdkafka may skip what it had fetched before the pause
            self._paused = False
        room = max(self._sink.window - self._engine.waiting, 1)
        read: list[Message] = self._consumer.consume(min(room, _BATCH), _POLL_S)
        return read

    async def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start so
            self._ended(message.partition() or 0, message.offset() or 0)
            return
        if error is not None:
            await self._failed(error, message)
            return
        place = (message.partition() or 0, message.offset() or 0)
        if place[0] not in self._engine.positions():
            return  # read before the partition was given up
        if not await self._follows(*place):
            return
        self._next[place[0]] = place[1] + 1
        self._ends[place[0]] = max(self._ends.get(place[0], 0), place[1] + 1)
        alert = attempt(transition, message.value(), self._registry)
        if isinstance(alert, InputRejected):
            log.error("sink %s: %s partition %d offset %d: %s", self._sink.name, self._topic.name, *place, alert)
            original = original_of(message, self._topic)
            await self._bus.dead(self._sink.name, alert, *original)
            self._engine.skip(place)
            return
        given = self._tracer.traceparent(alert, trace(message)[0], self._sink.name)
        self._engine.take(Item(place, alert, given, message))

    def _ended(self, partition: int, end: int) -> None:
        """Pass over what is no record: the topic ends here."""
        passes = partition in self._engine.positions() and partition not in self._again
        if passes and end > self._next.get(partition, end):
            self._engine.skip((partition, end - 1))
            self._next[partition] = end

    async def _follows(self, partition: int, offset: int) -> bool:
        """Say whether a record is the next one; where some are missing before it they are asked for once more.

        What is then still missing is not there: retention took it, or it never was a record. On `incidents.v1` that is
        plain: each transaction ends with a marker.
        """
        wanted = self._next.get(partition, offset)
        if offset < wanted or partition in self._again:
            return False  # it was read already, or comes again
        if offset == wanted or self._sink.per == "line" or self._doubted.get(partition) == wanted:
            return True
        self._doubted[partition] = wanted
        self._again.add(partition)
        await self._call(lambda: self._seek({partition: wanted}))
        return False

    def _seek(self, places: Mapping[int, int]) -> None:
        seek(self._consumer, self._topic.name, places)

    async def _failed(self, error: KafkaError, message: Message) -> None:
        """Take an error that the consumer reports in the place of a record.

        Raises
        ------
        ConfigurationError
            Asking again cannot help.
        """
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001  # librdkafka's own codes start so
            await self._gap(message.partition() or 0)
        elif hopeless(error):
            raise ConfigurationError(f"sink {self._sink.name}: Kafka refuses us: {error.str()}")

    async def _gap(self, partition: int) -> None:
        """Go on where the topic begins now: retention took what was never delivered, and that is told."""
        at = TopicPartition(self._topic.name, partition)
        first, _ = await self._call(lambda: self._consumer.get_watermark_offsets(at, _ANSWER_S))
        done = (await self._engine.release([partition])).get(partition, 0)
        gone = f"offsets {done} to {first - 1} are gone" if done < first else "it was made again"
        log.error("sink %s: %s partition %d: %s and not delivered", self._sink.name, at.topic, partition, gone)
        self._engine.begin(partition, first)
        self._next[partition] = first
        await self._call(lambda: self._seek({partition: first}))

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Take partitions where the group stands; a group that never was there begins as the settings say."""
        guarded(lambda: self._begin(consumer, given))()

    def _begin(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        starts, fresh = self._starts(consumer, given)
        self._committed |= starts
        self._next |= starts
        for number, offset in starts.items():
            self._loop.call_soon_threadsafe(self._engine.begin, number, offset)
        consumer.assign([TopicPartition(self._topic.name, *each) for each in starts.items()])
        self.assigned = True
        shown = ", ".join(f"{number} from offset {offset}" for number, offset in sorted(starts.items()))
        log.info("sink %s has partitions %s", self._sink.name, shown or "none: all have their readers")
        self._paused = False
        if fresh:
            self._left_behind(consumer, list(fresh))
        self._commit(fresh, again=True)  # from now on nothing is passed over, whenever the first record comes

    def _left_behind(self, consumer: Consumer, numbers: list[int]) -> None:
        """Tell what a sink that was told of alerts, and is told of incidents now, or the other way round, did not deliver."""
        names = (ALERTS, INCIDENTS) if self._sink.per == "line" else (INCIDENTS, ALERTS)
        other = self._topic.name.removesuffix(names[1]) + names[0]
        with suppress(KafkaException):  # it may not be ours to see
            for each in consumer.committed([TopicPartition(other, number) for number in numbers], _ANSWER_S):
                left = consumer.get_watermark_offsets(each, _ANSWER_S)[1] - each.offset if each.offset >= 0 else 0
                if left > 0:
                    place = f"{other} partition {each.partition}"
                    log.warning("sink %s: %d records of %s are not delivered", self._sink.name, left, place)

    def _starts(self, consumer: Consumer, given: list[TopicPartition]) -> tuple[dict[int, int], dict[int, int]]:
        """Give the offset to begin at of each partition, and those of them that nobody committed; asks until it knows."""
        starts: dict[int, int] = {}
        fresh: dict[int, int] = {}
        while len(starts) < len(given):
            try:
                for each in consumer.committed(given, _ANSWER_S):
                    offset = each.offset
                    if offset < 0:
                        place = TopicPartition(each.topic, each.partition)
                        first, end = consumer.get_watermark_offsets(place, _ANSWER_S)
                        offset = fresh[each.partition] = end if self._sink.start == "end" else first
                    starts[each.partition] = offset
            except KafkaException as exc:
                if hopeless(exc.args[0]):
                    raise
                time.sleep(_POLL_S)
        return starts, fresh

    def _revoked(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Give partitions up: what is under way may end, what is done is committed."""
        numbers = [each.partition for each in given]
        released = asyncio.run_coroutine_threadsafe(self._engine.release(numbers), self._loop)
        positions = released.result(_RELEASE_S)
        self._commit(positions)
        self._forget(numbers)
        consumer.unassign()

    def _lost(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        """Somebody else has the partitions already: nothing may be committed."""
        numbers = [each.partition for each in given]
        asyncio.run_coroutine_threadsafe(self._engine.release(numbers, 0.0), self._loop).result(_RELEASE_S)
        self._forget(numbers)
        log.warning("sink %s lost partitions %s: it was not heard of for too long", self._sink.name, numbers)
        consumer.unassign()

    def _forget(self, numbers: list[int]) -> None:
        for kept in (self._committed, self._ends, self._next, self._doubted):
            for number in numbers:
                kept.pop(number, None)

    def _commit(self, positions: dict[int, int], *, again: bool = False) -> None:
        new = {number: at for number, at in positions.items() if again or at > self._committed.get(number, -1)}
        if not new:
            return
        places = [TopicPartition(self._topic.name, number, at) for number, at in new.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as exc:
            error = exc.args[0]
            if hopeless(error):
                raise
            log.warning("sink %s: offsets are not committed, it is tried again: %s", self._sink.name, error.str())
        else:
            self._committed |= new

    def _look(self) -> None:
        """Ask where the partitions end, for the lag."""
        for number in list(self._committed):
            try:
                at = TopicPartition(self._topic.name, number)
                self._ends[number] = self._consumer.get_watermark_offsets(at, _ANSWER_S, cached=True)[1]
            except KafkaException:
                continue  # the brokers are away: the lag is what it was

    def _tell(self) -> None:
        told = ", ".join(f"{name} {count}" for name, count in self.told().items() if count)
        if told != self._told:
            log.info("sink %s: %s", self._sink.name, told or "nothing yet")
            self._told = told


def original_of(
    message: Message, topic: TopicInfo
) -> tuple[Origin, bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    """Give what a dead letter keeps of a record: coordinates, key, value, headers."""
    origin = origin_of(message, topic, context=(trace(message)[0], None))
    return origin, message.key(), message.value(), pairs_of(message)
