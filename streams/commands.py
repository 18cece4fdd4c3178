"""Commands and work orders: `control.v1` and `maintenance.v1` are followed from where each partition has taken them.

In no group: where they were taken up to is part of the state (`state/taken.py`), so that none is lost or taken twice, and
years of them need not be read again.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.alerts.items import Given, Refused
from foreshock.alerts.records import Command, WorkOrder
from foreshock.contract import Origin, Reason
from foreshock.errors import InputRejected
from foreshock.streams.border import origin_of, trace
from foreshock.streams.codec import checks
from foreshock.streams.errors import attempt, guarded
from foreshock.streams.logs import of_record
from foreshock.streams.state.taken import Arrival
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder, decode_output

log = logging.getLogger("foreshock.worker")

CONTROL, MAINTENANCE = "control.v1", "maintenance.v1"
POLL_S = 0.1
ROOM = 2_000  # that wait to take effect; beyond it they are left on the broker


class CommandReader:
    """Reads both topics in a thread of its own.

    A record that cannot be used is told in the log with its place and reason, and to its sender on alerts.v1.

    Parameters
    ----------
    properties
        Of a librdkafka consumer that is in no group.
    topics
        As they were found, by name without the prefix.
    decoder
        Reads the values.
    partition_of
        Partition number of an asset.
    submit
        Takes what was read, in order.
    waiting
        Says how much of it has not taken effect yet.
    """

    def __init__(
        self,
        properties: Mapping[str, Any],
        topics: Mapping[str, TopicInfo],
        decoder: Decoder,
        *,
        partition_of: Callable[[str], int],
        submit: Callable[[Arrival], None],
        waiting: Callable[[], int],
    ) -> None:
        self._consumer = Consumer({**properties, "enable.partition.eof": False})
        self._topics = {topics[name].name: topics[name] for name in (CONTROL, MAINTENANCE)}
        control = topics[CONTROL].name
        self._decode: dict[str, Callable[..., Command | WorkOrder]] = {
            name: decoder.decode_command if name == control else decoder.decode_work_order for name in self._topics
        }
        self._partition_of = partition_of
        self._submit = submit
        self._waiting = waiting
        self._asked: deque[tuple[int, Mapping[tuple[str, int], int]]] = deque()
        self._epoch = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(name="commands", target=guarded(self._run), daemon=True)

    def read_from(self, epoch: int, starts: Mapping[tuple[str, int], int]) -> None:
        """Go on at these offsets, by topic and partition, and with no others; what comes of it names the epoch."""
        self._asked.append((epoch, starts))

    def follow(self) -> None:
        """Read in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            starts: Mapping[tuple[str, int], int] | None = None
            while self._asked:  # the last one counts; the client is told once (librdkafka issue 5573)
                self._epoch, starts = self._asked.popleft()
            if starts is not None:
                self._consumer.assign([TopicPartition(*place, offset) for place, offset in starts.items()])
            if self._waiting() >= ROOM:
                self._stopping.wait(POLL_S)
                continue
            message = self._consumer.poll(POLL_S)
            if message is None:
                continue
            error = message.error()
            if error is None:
                self._use(message)
            elif error.fatal():
                raise KafkaException(error)
            elif error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  # librdkafka's own codes start so
                log.warning("commands: %s", error.str())
        self._consumer.close()

    def _use(self, message: Message) -> None:
        topic = self._topics[message.topic() or ""]
        origin = origin_of(message, topic, context=trace(message))
        found = attempt(self._record, message, origin)
        if isinstance(found, InputRejected):
            place = (topic.name, origin.partition, origin.offset)
            log.warning("%s partition %d offset %d not used: %s", *place, found, extra=of_record(origin))
            refused = _refused(message, origin, found)
            if refused is not None:
                self._submit(Arrival(self._epoch, refused))
        else:
            self._submit(Arrival(self._epoch, Given(origin=origin, item=found)))

    def _record(self, message: Message, origin: Origin) -> Command | WorkOrder:
        """Decode a record that came to the partition of its asset.

        Raises
        ------
        InputRejected
            It cannot be used.
        """
        found = self._decode[origin.topic](message.value(), origin=origin, key=message.key())
        wanted = self._partition_of(found.asset)
        if wanted != origin.partition:
            fix = "set `partitioner` as topics.partitioner says; kcat: -X topic.partitioner=murmur2_random"
            sentence = f"the key belongs on partition {wanted}, this record is on partition {origin.partition}"
            raise InputRejected(Reason.WRONG_PARTITION, sentence, field="key", fix=fix)
        return found


def _refused(message: Message, origin: Origin, why: InputRejected) -> Refused | None:
    """Give the answer to a record that cannot be used; None where nobody could look for it: its key names no asset."""
    try:
        asset = checks.check_id("asset", (message.key() or b"").decode())
    except (InputRejected, UnicodeDecodeError):
        return None
    try:
        fields = decode_output(message.value() or b"")["record"]
    except InputRejected:
        fields = {}
    told = [fields.get(name) for name in ("command_id", "record_id", "actor")]
    command_id, record_id, actor = (each[: checks.LONGEST_ID] if isinstance(each, str) else "" for each in told)
    reason = f"{why}. To mend it: {why.fix}" if why.fix else str(why)
    reason = reason[:1000].encode("utf-8", "replace").decode()  # it may quote what was sent, half characters and all
    return Refused(origin=origin, asset=asset, reason=reason, command_id=command_id or record_id, actor=actor)
