"""The case writer: adds the raw records around an event to its case. A consumer group of its own behind anomalies.v1.

It follows maintenance.v1 as well: what a machine was like before and after work on it is kept in the same way. It reads the
records by offset from the input topic, those after the event as they come, and publishes them as parts of
the case, on the partition and under the key of the case. Nothing is kept on disk: the offset of what tells of an event is committed
when all its parts are on the broker, in order; after a crash the same parts come again, with the same ids and bytes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from foreshock.cases import CasePart, PartKind
from foreshock.errors import InputRejected, OutputRefused, Unavailable
from foreshock.settings import Settings
from foreshock.streams import wire
from foreshock.streams.cases.onward import Onward
from foreshock.streams.cases.reading import anomaly_of
from foreshock.streams.cases.subjects import CAPTURED, of_anomaly, of_work, work_order
from foreshock.streams.cases.windows import Reach, Subject, Window, raw
from foreshock.streams.codec.headers import headers, part_headers
from foreshock.streams.coders import decoder_for, encoder_for, registry_for
from foreshock.streams.errands.backward import look_back
from foreshock.streams.errors import attempt, client_error
from foreshock.streams.kafka import bounds, consumer_config, producer_config, reader_config, seek
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.cases")

ANOMALIES, MAINTENANCE = "anomalies.v1", "maintenance.v1"
_MOST = 200  # windows of one topic that are open at a time
_FLUSH_S = 300.0
_ANSWER_S = 10.0


class CaseWriter:
    """Follows anomalies.v1 and maintenance.v1.

    Parameters
    ----------
    settings
        Broker, prefix; the group is `worker.group` with ``-cases``.
    topics
        As `topics.ensure` found them.
    reach
        How many records.
    """

    def __init__(self, settings: Settings, topics: dict[str, TopicInfo], reach: Reach) -> None:
        quiet: dict[str, Any] = {"error_cb": client_error, "log_level": 2}
        follow = {**consumer_config(settings), **quiet, "group.id": f"{settings.worker.group}-cases"}
        follow["auto.offset.reset"] = "earliest"  # a group that is new starts with the first event that is kept
        follow.pop("group.instance.id", None)
        self._events = Consumer({**follow, "enable.partition.eof": True})
        look = {**reader_config(settings), **quiet}
        self._onward = Onward({**look, "auto.offset.reset": "error"}, topics["sensors.v1"].name)
        self._back = reading(look)
        self._producer = Producer({**producer_config(settings), **quiet})
        self._encode = encoder_for(settings, "evidence.v1").encode
        self._registry = registry_for(settings)
        self._decoder = decoder_for(settings)
        self._settings = settings
        self._topics = topics
        self._sensors = topics["sensors.v1"]
        self._followed = {topics[name].name: topics[name] for name in (ANOMALIES, MAINTENANCE)}
        self._limit = int(topics["evidence.v1"].config["max.message.bytes"])
        self._reach = reach
        self._windows: dict[int, list[Window]] = {}  # by input partition
        # by topic and partition of what tells of events:
        self._places: dict[tuple[str, int], dict[int, bool]] = {}  # offset -> whether its parts are out
        self._next: dict[tuple[str, int], int] = {}  # offset after the last one taken
        self._caught_up: set[tuple[str, int]] = set()
        self._paused: set[str] = set()
        self.written = 0

    def run(self, stopped: Callable[[], bool], *, once: bool = False) -> None:
        """Follow until stopped; `once`: until the present end of the topics, with every window closed.

        Raises
        ------
        OutputRefused
            The broker does not take a part.
        Unavailable
            It does not answer.
        KafkaException
            The client cannot go on.
        """
        self._events.subscribe(list(self._followed), on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not stopped() and not (once and self._idle()):
                self._follow()
                self._collect()
                self._close()
        finally:
            self._producer.flush(_ANSWER_S)
            for each in (self._events, self._onward, self._back):
                each.close()

    def told(self) -> dict[str, int]:
        """Give parts `written`, `windows` that are open, and the `lag`: events that were not read yet. From any thread."""
        lag = 0
        for (name, number), following in list(self._next.items()):
            place = TopicPartition(name, number)
            lag += max(self._events.get_watermark_offsets(place, cached=True)[1] - following, 0)
        windows = sum(map(len, list(self._windows.values())))
        return {"written": self.written, "windows": windows, "lag": lag}

    def _idle(self) -> bool:
        all_of = {(name, number) for name, topic in self._followed.items() for number in range(topic.partitions)}
        return self._caught_up >= all_of and not any(self._windows.values())

    def _revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Forget what another member does now; what was not committed it does again."""
        gone = {(each.topic, each.partition) for each in partitions}
        for number, windows in self._windows.items():
            self._windows[number] = [each for each in windows if each.source not in gone]
        for place in gone:
            self._places.pop(place, None)
            self._next.pop(place, None)
            self._caught_up.discard(place)

    # events

    def _follow(self) -> None:
        """Take new events, unless enough windows of their topic are open: then only stay in the group."""
        opened = [window.source[0] for windows in self._windows.values() for window in windows]
        for name in self._followed:
            full = opened.count(name) >= _MOST
            if full != (name in self._paused):
                self._pause(name, full=full)
        message = self._events.poll(0.05)
        if message is None:
            return
        error = message.error()
        source, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
        if error is None:
            self._next[source] = offset + 1
            self._take(message, source, offset)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
            self._caught_up.add(source)
        elif error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(error)
        else:
            log.warning("events: %s", error.str())

    def _pause(self, name: str, *, full: bool) -> None:
        held = [each for each in self._events.assignment() if each.topic == name]
        if full:
            self._events.pause(held)
            self._paused.add(name)
            return
        self._events.resume(held)
        self._paused.discard(name)
        seek(self._events, name, {number: offset for (topic, number), offset in self._next.items() if topic == name})

    def _take(self, message: Message, source: tuple[str, int], offset: int) -> None:
        subject = self._subject(message)
        places = self._places.setdefault(source, {})
        last = next(reversed(places), None)
        if subject is None and last is not None and places[last]:
            del places[
                last
            ]  # what is out goes with what comes out after it: behind a window that is open any number may wait
        places[offset] = subject is None
        if subject is None:
            return
        window = Window(subject=subject, source=source, place=offset, reach=self._reach)
        if subject.topic_id != self._sensors.topic_id:
            window.problems.append(f"topic {subject.topic} was made again: its records are gone")
            self._finish(window)
            return
        self._before(window)
        self._windows.setdefault(subject.partition, []).append(window)
        self._onward.want(subject.partition, subject.end)

    def _subject(self, message: Message) -> Subject | None:
        """Give what a record wants a window around; None: nothing, and a work order that cannot be used is told in the log."""
        topic = self._followed[message.topic() or ""]
        if topic is self._topics[ANOMALIES]:
            record = wire.decode_output(message.value() or b"", self._registry)["record"]
            return of_anomaly(anomaly_of(record), self._reach)
        found = attempt(work_order, message, topic, self._decoder, self._settings.topics.partitioner)
        if isinstance(found, InputRejected):  # the worker has told its sender on alerts.v1
            log.warning("%s %s/%s: no window: %s", topic.name, message.partition(), message.offset(), found)
            return None
        order, told = found
        if order.kind not in CAPTURED:
            return None
        return of_work(order, told, self._sensors, lambda at_ns: self._offset_at(told.partition, at_ns), self._reach)

    # raw records

    def _offset_at(self, partition: int, at_ns: int) -> int:
        """Give the offset of the first input record that the broker took at a time or later; where there is none, the next."""
        asked = TopicPartition(self._sensors.name, partition, at_ns // 1_000_000)
        offset = int(self._back.offsets_for_times([asked], _ANSWER_S)[0].offset)
        return offset if offset >= 0 else bounds(self._back, asked.topic, partition, _ANSWER_S)[1]

    def _before(self, window: Window) -> None:
        """Look backwards from the event until there are enough records of the asset."""
        subject, wanted = window.subject, window.reach.before
        look = look_back(
            self._back,
            subject.topic,
            subject.partition,
            lambda each: each.key() == subject.key,
            enough=wanted,
            most=window.reach.scan,
            below=subject.start,
        )
        for record in reversed(look.found[:wanted]):
            self._raw(window, record, PartKind.BEFORE)
            window.earlier.append(record.offset() or 0)
        if len(look.found) < wanted:
            gone = look.whole and look.back_to
            why = f"records below {look.back_to} are gone" if gone else f"none further down to offset {look.back_to}"
            window.problems.append(f"{len(look.found)} of {wanted} records before the event are there: {why}")

    def _collect(self) -> None:
        """Read on where windows are open, and hand out what comes."""
        for number, message in self._onward.records([number for number, found in self._windows.items() if found]):
            for window in self._windows[number]:
                if window.wants(message):
                    self._raw(window, message, PartKind.AFTER)
                    window.later.append(message.offset() or 0)
                window.look(message)

    def _close(self) -> None:
        """Close windows that are full or whose time is over, and commit what is out."""
        now_ms, closed = time.time_ns() // 1_000_000, False
        for number, windows in self._windows.items():
            for window in list(windows):
                late = number in self._onward.ended and window.expired(now_ms)
                if window.done or late:
                    windows.remove(window)
                    self._finish(window)
                    closed = True
        if closed or any(next(iter(each.values()), False) for each in self._places.values()):
            self._commit()

    def _finish(self, window: Window) -> None:
        self._produce(window, window.end())
        self._places.get(window.source, {})[window.place] = True

    # evidence

    def _raw(self, window: Window, record: Message, kind: PartKind) -> None:
        part = raw(window.subject, record, kind)
        if len(part.value or b"") + len(part.key or b"") + 4096 > self._limit:
            window.problems.append(f"the record at offset {part.number} is larger than evidence.v1 takes")
            return
        self._produce(window, part)

    def _produce(self, window: Window, part: CasePart) -> None:
        subject, framing = window.subject, self._settings.topics.value_framing
        part_id = f"{part.event_id}.{part.kind}.{part.number}" if part.origin else f"{part.event_id}.window"
        told = headers(
            subject.record,
            traceparent=f"00-{subject.trace_id}-{blake2b(part_id.encode(), digest_size=8).hexdigest()}-01",
            scored_ns=subject.told_ns,
            worker="cases",
            framing="single-object" if framing == "json" else framing,
        )
        self._producer.produce(
            self._topics["evidence.v1"].name,
            self._encode(part),
            part.event_id.encode(),
            window.source[1],
            on_delivery=self._delivered,
            headers=cast("Any", part_headers(told, part_id)),
        )
        self._producer.poll(0)
        self.written += 1

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise OutputRefused(f"topic {message.topic()} partition {message.partition()}: {error.str()}")

    def _commit(self) -> None:
        """Commit events up to the first whose parts are not out; everything produced is delivered before."""
        if self._producer.flush(_FLUSH_S):
            raise Unavailable(f"the broker took no parts of cases for {_FLUSH_S:.0f} s")
        done = [TopicPartition(*source, last + 1) for source, last in self._out()]
        if done:
            self._events.commit(offsets=done, asynchronous=False)

    def _out(self) -> Iterator[tuple[tuple[str, int], int]]:
        """Give the last offset of each partition up to which all parts are out, and forget it."""
        for source, places in self._places.items():
            last = -1
            for offset in sorted(places):
                if not places[offset]:
                    break
                last = offset
                del places[offset]
            if last >= 0:
                yield source, last
