"""The case writer: adds the raw records around an event to its case. A consumer group of its own behind anomalies.v1.

It reads the records by offset from the input topic, those after the event as they come, and publishes them as parts of
the case, on the partition and under the key of the case. Nothing is kept on disk: an anomaly's offset is committed
when all its parts are on the broker, in order; after a crash the same parts come again, with the same ids and bytes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from foreshock.cases import CasePart, PartKind
from foreshock.contract import Phase
from foreshock.errors import OutputRefused, Unavailable
from foreshock.settings import Settings
from foreshock.streams import wire
from foreshock.streams.cases.reading import anomaly_of
from foreshock.streams.cases.windows import Reach, Window, raw
from foreshock.streams.codec.headers import headers, part_headers
from foreshock.streams.coders import encoder_for, registry_for
from foreshock.streams.errors import client_error
from foreshock.streams.kafka import consumer_config, producer_config, reader_config, seek
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.cases")

_MOST = 200  # windows that are open at a time
_BACK = 500  # records of the first look backwards; each further one is twice as long
_FLUSH_S = 300.0
_ANSWER_S = 10.0
_TRACED = (Phase.OPENED, Phase.UPDATED)  # around the end of an episode there is nothing to look at


class CaseWriter:
    """Follows anomalies.v1.

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
        follow["auto.offset.reset"] = "earliest"  # a group that is new starts with the first anomaly that is kept
        follow.pop("group.instance.id", None)
        self._anomalies = Consumer({**follow, "enable.partition.eof": True})
        look = {**reader_config(settings), **quiet, "auto.offset.reset": "error"}
        self._inputs, self._back = Consumer(look), Consumer(look)
        self._producer = Producer({**producer_config(settings), **quiet})
        self._encode = encoder_for(settings, "evidence.v1").encode
        self._registry = registry_for(settings)
        self._topics = topics
        self._limit = int(topics["evidence.v1"].config["max.message.bytes"])
        self._framing = settings.topics.value_framing
        self._reach = reach
        self._windows: dict[int, list[Window]] = {}  # by input partition
        self._read: dict[int, int] = {}  # next offset of the input, by partition that is followed
        self._moved = False  # `_read` is not what the client was told
        self._heard = True  # something came since the client was told
        self._ended: set[int] = set()  # input partitions that were read to their end
        self._places: dict[int, dict[int, bool]] = {}  # partition of anomalies.v1 -> offset -> whether it is out
        self._caught_up: set[int] = set()
        self._next: dict[int, int] = {}  # offset after the last anomaly, by partition of anomalies.v1
        self._paused = False
        self.written = 0

    def run(self, stopped: Callable[[], bool], *, once: bool = False) -> None:
        """Follow until stopped; `once`: until the present end of the topic, with every window closed.

        Raises
        ------
        OutputRefused
            The broker does not take a part.
        Unavailable
            It does not answer.
        KafkaException
            The client cannot go on.
        """
        self._anomalies.subscribe([self._topics["anomalies.v1"].name], on_revoke=self._revoked, on_lost=self._revoked)
        try:
            while not stopped() and not (once and self._idle()):
                self._follow()
                self._collect()
                self._close()
        finally:
            self._producer.flush(_ANSWER_S)
            for each in (self._anomalies, self._inputs, self._back):
                each.close()

    def _idle(self) -> bool:
        partitions = range(self._topics["anomalies.v1"].partitions)
        return self._caught_up.issuperset(partitions) and not any(self._windows.values())

    def _revoked(self, _: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Forget what another member does now; what was not committed it does again."""
        gone = {each.partition for each in partitions}
        for number, windows in self._windows.items():
            self._windows[number] = [each for each in windows if each.partition not in gone]
        for number in gone:
            self._places.pop(number, None)
            self._next.pop(number, None)
            self._caught_up.discard(number)

    # anomalies

    def _follow(self) -> None:
        """Take new anomalies, unless enough windows are open: then only stay in the group."""
        full = sum(map(len, self._windows.values())) >= _MOST
        if full != self._paused:
            held = self._anomalies.assignment()
            (self._anomalies.pause if full else self._anomalies.resume)(held)
            self._paused = full
            if not full:
                seek(self._anomalies, self._topics["anomalies.v1"].name, self._next)
        message = self._anomalies.poll(0.05)
        if message is None:
            return
        error = message.error()
        number, offset = message.partition() or 0, message.offset() or 0
        if error is None:
            self._next[number] = offset + 1
            self._take(message, number, offset)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
            self._caught_up.add(number)
        elif error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(error)
        else:
            log.warning("anomalies: %s", error.str())

    def _take(self, message: Message, number: int, offset: int) -> None:
        anomaly = anomaly_of(wire.decode_output(message.value() or b"", self._registry)["record"])
        places = self._places.setdefault(number, {})
        inputs = anomaly.lineage.inputs[-1]
        same = inputs.topic_id == self._topics["sensors.v1"].topic_id
        places[offset] = not (anomaly.lineage.evidence and anomaly.phase in _TRACED)
        if places[offset]:
            return
        window = Window(anomaly=anomaly, partition=number, place=offset, reach=self._reach)
        if same:
            self._before(window)
        else:
            window.problems.append(f"topic {inputs.topic} was made again: its records are gone")
            self._finish(window)
            return
        self._windows.setdefault(inputs.partition, []).append(window)
        if inputs.last + 1 < self._read.get(inputs.partition, inputs.last + 2):
            self._read[inputs.partition] = inputs.last + 1
            self._moved = True

    # raw records

    def _before(self, window: Window) -> None:
        """Look backwards from the event, in steps that grow, until there are enough records of the asset."""
        inputs, wanted = window.inputs, window.reach.before
        place = TopicPartition(self._topics["sensors.v1"].name, inputs.partition)
        low = self._back.get_watermark_offsets(place, _ANSWER_S)[0]
        bottom = max(low, inputs.last - window.reach.scan)
        found: list[Message] = []
        end, step = inputs.last, max(_BACK, inputs.last - inputs.first)
        while len(found) < wanted and end > bottom:
            start = max(bottom, end - step)
            found = [each for each in self._span(inputs.partition, start, end) if each.key() == window.key] + found
            end, step = start, 2 * step
        for record in found[-wanted:] if wanted else []:
            self._raw(window, record, PartKind.BEFORE)
            window.earlier.append(record.offset() or 0)
        if len(found) < wanted:
            why = f"records below {low} are gone" if low and bottom == low else f"none further down to offset {bottom}"
            window.problems.append(f"{len(found)} of {wanted} records before the event are there: {why}")

    def _span(self, partition: int, start: int, end: int) -> list[Message]:
        """Read the records from `start` up to, but not including, `end`."""
        self._back.assign([TopicPartition(self._topics["sensors.v1"].name, partition, start)])
        found: list[Message] = []
        deadline = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline:
            for message in self._back.consume(500, 0.2):
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # as above
                        return found
                    continue
                deadline = time.monotonic() + _ANSWER_S
                if (message.offset() or 0) >= end:
                    return found
                found.append(message)
                if message.offset() == end - 1:
                    return found
        raise Unavailable(f"records {start} to {end} of partition {partition} could not be read")

    def _assign(self) -> None:
        """Tell the client what is read from where, unless it has not yet begun with what it was told before.

        It would end the process: two changes of an assignment, the second before the first has stopped what it ends, fail an
        assertion (librdkafka issue 5573, up to 2.15).
        """
        if not self._moved or not self._heard:
            return
        name = self._topics["sensors.v1"].name
        self._moved, self._heard = False, not self._read
        self._ended.clear()
        self._inputs.assign([TopicPartition(name, number, offset) for number, offset in self._read.items()])

    def _collect(self) -> None:
        """Read on where windows are open, and hand out what comes."""
        done = [number for number in self._read if not self._windows.get(number)]
        for number in done:
            del self._read[number]
        self._moved |= bool(done)
        self._assign()
        if not self._read and self._heard:
            return
        for message in self._inputs.consume(500, 0.1):
            self._heard = True
            number, error = message.partition() or 0, message.error()
            at_end = error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  # as above
            if error is not None and not at_end:
                if error.code() == KafkaError._AUTO_OFFSET_RESET and number in self._read:  # noqa: SLF001  # as above
                    self._read[number] = OFFSET_BEGINNING  # what was wanted first is gone by retention
                    self._moved = True
                else:
                    log.warning("records: %s", error.str())
            elif number not in self._read or self._moved:
                continue  # of before: it is read again from where it is wanted
            elif at_end:
                self._ended.add(number)
            else:
                self._hand_out(message, number)

    def _hand_out(self, message: Message, number: int) -> None:
        """Give a record to the windows that are open on its partition."""
        self._ended.discard(number)
        self._read[number] = (message.offset() or 0) + 1
        for window in self._windows.get(number, ()):
            if window.wants(message):
                self._raw(window, message, PartKind.AFTER)
                window.later.append(message.offset() or 0)
            window.look(message)

    def _close(self) -> None:
        """Close windows that are full or whose time is over, and commit what is out."""
        now_ms, closed = time.time_ns() // 1_000_000, False
        for number, windows in self._windows.items():
            for window in list(windows):
                late = number in self._ended and window.expired(now_ms)
                if window.done or late:
                    windows.remove(window)
                    self._finish(window)
                    closed = True
        if closed or any(next(iter(each.values()), False) for each in self._places.values()):
            self._commit()

    def _finish(self, window: Window) -> None:
        self._produce(window, window.end())
        self._places.get(window.partition, {})[window.place] = True

    # evidence

    def _raw(self, window: Window, record: Message, kind: PartKind) -> None:
        part = raw(window, record, kind)
        if len(part.value or b"") + len(part.key or b"") + 4096 > self._limit:
            window.problems.append(f"the record at offset {part.number} is larger than evidence.v1 takes")
            return
        self._produce(window, part)

    def _produce(self, window: Window, part: CasePart) -> None:
        origin = part.origin
        part_id = f"{part.event_id}.{part.kind}.{part.number}" if origin else f"{part.event_id}.window"
        told = headers(
            window.anomaly,
            traceparent=f"00-{window.anomaly.trace_id}-{blake2b(part_id.encode(), digest_size=8).hexdigest()}-01",
            scored_ns=window.anomaly.ingest_ns,
            worker="cases",
            framing="single-object" if self._framing == "json" else self._framing,
        )
        self._producer.produce(
            self._topics["evidence.v1"].name,
            self._encode(part),
            part.event_id.encode(),
            window.partition,
            on_delivery=self._delivered,
            headers=cast("Any", part_headers(told, part_id)),
        )
        self._producer.poll(0)
        self.written += 1

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise OutputRefused(f"topic {message.topic()} partition {message.partition()}: {error.str()}")

    def _commit(self) -> None:
        """Commit the anomalies up to the first whose parts are not out; everything produced is delivered before."""
        if self._producer.flush(_FLUSH_S):
            raise Unavailable(f"the broker took no parts of cases for {_FLUSH_S:.0f} s")
        done = []
        for number, places in self._places.items():
            last = -1
            for offset in sorted(places):
                if not places[offset]:
                    break
                last = offset
                del places[offset]
            if last >= 0:
                done.append(TopicPartition(self._topics["anomalies.v1"].name, number, last + 1))
        if done:
            self._anomalies.commit(offsets=done, asynchronous=False)
