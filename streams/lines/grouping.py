"""Reads `alerts.v1` and tells `incidents.v1`: of several processes one at a time, and each transition once.

An asset's alerts are on the partition of the asset, so those of a line are spread: one process reads all partitions, and the
order in which it takes them is put on record with what comes of it. One Kafka transaction holds the records of `incidents.v1`,
the state of the lines that changed (`lines.v1`) and the offsets of `alerts.v1`. What a killed process had not
committed was never seen by a reader of committed records, and is folded again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.alerts.lines import LATELY, Lately, Lines
from foreshock.alerts.records import AlertTransition
from foreshock.detectors.snapshot import Keys
from foreshock.errors import ConfigurationError, InputRejected, Unavailable
from foreshock.settings import Settings
from foreshock.streams import wire
from foreshock.streams.border import pairs_of, trace
from foreshock.streams.coders import encoder_for, registry_for
from foreshock.streams.errands.backward import between
from foreshock.streams.errors import attempt, client_error
from foreshock.streams.kafka import bounds, consumer_config, hopeless, producer_config, reader_config, seek
from foreshock.streams.lines import keeping
from foreshock.streams.lines.merge import Merge
from foreshock.streams.partitioner import partition_for
from foreshock.streams.sinks.source import ALERTS, INCIDENTS, transition
from foreshock.streams.state.reader import reading
from foreshock.streams.state.records import StateRecord
from foreshock.streams.state.transactions import Transactions
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.lines")

LINES = "lines.v1"
NEEDED = (ALERTS, INCIDENTS, LINES)
LEADER = 0  # whoever has this partition of alerts.v1 in the group takes all of them; the others stand by
TELL_S = 60.0
_BATCH = 500
_POLL_S = 0.2
_AGAIN_S = 1.0
_ANSWER_S = 10.0
Offsets = Mapping[tuple[str, int], int]


class _Turn(NamedTuple):
    """What one transaction holds."""

    records: Sequence[StateRecord]
    offsets: Offsets


@dataclass(slots=True)
class Counters:
    """What became of the records of `alerts.v1` so far."""

    folded: int = 0  # into an incident of a line
    passed: int = 0  # told as they are
    repeated: int = 0  # told before


@dataclass(slots=True)
class _Lead:
    """What the process has that does the work."""

    lines: Lines
    keys: Keys
    transactions: Transactions
    next: dict[int, int]  # by partition, the offset that is to come next
    lately: dict[int, Lately]  # by partition
    merge: Merge[Message]
    doubted: dict[int, int] = field(default_factory=dict)  # from where a gap was asked for once more
    turn: _Turn | None = None  # not known to be committed


class Grouping:
    """Folds the alerts of lines, in one thread.

    Parameters
    ----------
    topics
        As they were found, by name without the prefix; `NEEDED` at least.
    worker
        Name of this process, for the headers of what it writes.
    """

    def __init__(self, settings: Settings, topics: Mapping[str, TopicInfo], *, worker: str) -> None:
        self.counters = Counters()
        self._settings = settings
        self._topics = topics
        self._worker = worker
        self._framing = settings.topics.value_framing
        self._encode = encoder_for(settings, INCIDENTS).encode
        self._registry = registry_for(settings)
        config = {**consumer_config(settings), "error_cb": client_error, "log_level": 2}
        config |= {
            "group.id": f"{settings.worker.group}-lines",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
        if settings.worker.instance_id:
            config["group.instance.id"] = f"{settings.worker.instance_id}-lines"
        self._consumer = Consumer(config)
        self._chosen = False
        self._lead: _Lead | None = None
        self._told: str | None = None
        self._stopped: Callable[[], bool] = lambda: False

    def run(self, stopped: Callable[[], bool]) -> None:
        """Fold until stopped; what is not committed then is folded again by whoever comes next.

        Raises
        ------
        ConfigurationError
            Kafka refuses who we are.
        """
        change = {"on_revoke": self._given_up, "on_lost": self._given_up}
        self._consumer.subscribe([self._topics[ALERTS].name], on_assign=self._given, **change)
        told_at = time.monotonic()
        self._stopped = stopped
        while not stopped():
            messages = self._consumer.consume(_BATCH, _POLL_S)
            if self._chosen and self._lead is None:
                self._take_up()
            elif self._lead is not None:
                self._fold(self._lead, messages)
            if time.monotonic() >= told_at + TELL_S:
                told_at = time.monotonic()
                self._tell()
        if self._lead is not None:
            self._lead.transactions.close()
        self._consumer.close()
        self._tell()

    def told(self) -> dict[str, int]:
        """Give the counters, with the incidents that are open; from any thread."""
        lead = self._lead
        return {**asdict(self.counters), "open": lead.lines.standing() if lead else 0, "leads": int(lead is not None)}

    # who does it

    def _given(self, consumer: Consumer, given: Sequence[TopicPartition]) -> None:
        """Take note of who is to do the work; nothing is fetched until its state is there."""
        self._chosen = any(each.partition == LEADER for each in given)
        consumer.assign([])
        log.info("incidents of lines: %s", "this process makes them" if self._chosen else "another process makes them")

    def _given_up(self, consumer: Consumer, _: Sequence[TopicPartition]) -> None:
        """Forget everything: all that is on record was committed with its offsets."""
        if self._lead is not None:
            self._lead.transactions.close()
        self._chosen, self._lead = False, None
        consumer.unassign()

    def _take_up(self) -> None:
        """Read what is kept of the lines and where to go on; while the brokers do not answer it is tried again."""
        name = self._topics[ALERTS].name
        try:
            transactions = self._transactions()
            transactions.start()  # first: what a predecessor left open is decided from here on
            starts, fresh = self._starts()
            lines, keys = keeping.read(self._settings, self._topics[LINES])
            lately = self._lately(starts)
        except Unavailable as exc:
            log.warning("incidents of lines: %s; it is tried again", exc)
        except KafkaException as exc:
            if hopeless(exc.args[0]):
                raise ConfigurationError(f"incidents of lines: Kafka refuses us: {exc.args[0].str()}") from exc
            log.warning("incidents of lines: %s; it is tried again", exc.args[0].str())
        else:
            self._lead = _Lead(Lines(lines), keys, transactions, dict(starts), lately, Merge(starts, time.monotonic()))
            if fresh:  # from now on nothing is passed over, whenever the first record comes
                self._lead.turn = _Turn((), {(name, number): starts[number] for number in fresh})
            self._consumer.assign([TopicPartition(name, *each) for each in starts.items()])
            places = ", ".join(f"{number}:{offset}" for number, offset in sorted(starts.items()))
            log.info("incidents of lines: %d are open; on from %s", self._lead.lines.standing(), places)
            return
        if not self._stopped():
            time.sleep(_AGAIN_S)

    def _starts(self) -> tuple[dict[int, int], set[int]]:
        """Give the offset to go on at of each partition, and the partitions that nobody has read so far."""
        topic = self._topics[ALERTS]
        asked = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        starts, fresh = {}, set()
        for each in self._consumer.committed(asked, _ANSWER_S):
            if each.error is not None:
                raise KafkaException(each.error)
            starts[each.partition] = each.offset
            if each.offset < 0:
                fresh.add(each.partition)
                starts[each.partition] = bounds(self._consumer, topic.name, each.partition, _ANSWER_S)[1]
        return starts, fresh

    def _lately(self, starts: Mapping[int, int]) -> dict[int, Lately]:
        """Read what came last on each partition, up to where it goes on."""
        found: dict[int, Lately] = {}
        name = self._topics[ALERTS].name
        consumer = reading(reader_config(self._settings))
        try:
            for number, upper in starts.items():
                low, _ = bounds(consumer, name, number, _ANSWER_S)
                lower = max(low, upper - LATELY)
                messages = between(consumer, name, number, lower, upper) if lower < upper else ()
                read = (attempt(transition, each.value(), self._registry) for each in messages)
                found[number] = Lately(each.event_id for each in read if not isinstance(each, InputRejected))
        finally:
            consumer.close()
        return found

    def _transactions(self) -> Transactions:
        config = producer_config(self._settings)
        del config["delivery.timeout.ms"]  # it may not be longer than a transaction
        limit = int(self._topics[LINES].config["max.message.bytes"])
        config |= {"message.max.bytes": max(limit, int(config["message.max.bytes"])), "log_level": 2}
        name = f"{self._settings.worker.group}-lines"
        return Transactions({**config, "error_cb": client_error}, name, self._topics[LINES].name, limit)

    # what is done

    def _fold(self, lead: _Lead, messages: Sequence[Message]) -> None:
        """Fold what came, and commit it; what could not be committed goes before all else."""
        while lead.turn is not None and lead is self._lead and not self._stopped():
            self._commit(lead, lead.turn)
            if lead.turn is not None:
                messages = [
                    *messages,
                    *self._consumer.consume(1, _AGAIN_S),
                ]  # stays in the group, or learns that it is not
        if lead is not self._lead or lead.turn is not None:
            return
        again: set[int] = set()
        for message in messages:
            if self._comes_next(lead, message, again):
                lead.merge.add(message.partition() or 0, message.timestamp()[1], message, time.monotonic())
        while lead.turn is None and (taken := lead.merge.take(_BATCH, time.monotonic())):
            self._turn(lead, taken)

    def _turn(self, lead: _Lead, messages: Sequence[Message]) -> None:
        """Fold records and commit what comes of them."""
        records: list[StateRecord] = []
        changed: set[str] = set()
        offsets: dict[tuple[str, int], int] = {}
        for message in messages:
            records += self._told_instead(lead, message, changed)
            offsets[self._topics[ALERTS].name, message.partition() or 0] = (message.offset() or 0) + 1
        records += [
            keeping.record(line, lead.lines.state(line), self._partition(line), lead.keys) for line in sorted(changed)
        ]
        lead.turn = _Turn(records, offsets)
        self._commit(lead, lead.turn)

    def _comes_next(self, lead: _Lead, message: Message, again: set[int]) -> bool:
        """Say whether a record is the next one of its partition; where some are missing before it they are asked for once more.

        `again` holds the partitions of which the rest of this batch comes again.
        """
        error = message.error()
        number, offset = message.partition() or 0, message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start so
                if offset >= lead.next[number] and number not in again:
                    lead.merge.ended(number)
            elif error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001  # librdkafka's own codes start so
                self._gap(lead, number)
            elif hopeless(error):
                raise ConfigurationError(f"incidents of lines: Kafka refuses us: {error.str()}")
            return False
        wanted = lead.next[number]
        if offset < wanted or number in again:
            return False
        if offset > wanted and lead.doubted.get(number) != wanted:
            lead.doubted[number] = wanted
            again.add(number)
            seek(self._consumer, self._topics[ALERTS].name, {number: wanted})
            return False
        lead.next[number] = offset + 1
        return True

    def _gap(self, lead: _Lead, number: int) -> None:
        """Go on where the topic begins now: retention took what was never folded, and that is told."""
        name = self._topics[ALERTS].name
        first, _ = bounds(self._consumer, name, number, _ANSWER_S)
        log.error("%s partition %d: offsets %d to %d are gone", name, number, lead.next[number], first - 1)
        lead.next[number] = first
        seek(self._consumer, name, {number: first})

    def _told_instead(self, lead: _Lead, message: Message, changed: set[str]) -> list[StateRecord]:
        """Fold one record: what cannot be read is passed on too, and told by whoever reads it there."""
        told = attempt(transition, message.value(), self._registry)
        if isinstance(told, InputRejected):
            self.counters.passed += 1
            return [self._same(message)]
        if lead.lately[message.partition() or 0].again(told.event_id):
            self.counters.repeated += 1
            return []
        record, line = lead.lines.take(told)
        changed |= {line} - {""}
        if record is told:
            self.counters.passed += 1
            return [self._same(message)]
        self.counters.folded += 1
        return [self._of_line(record, message)]

    def _same(self, message: Message) -> StateRecord:
        headers = tuple((name, data) for name, data in pairs_of(message) if data is not None)
        key = (message.key() or b"").decode("utf-8", "replace")
        return StateRecord(message.partition() or 0, key, message.value(), self._topics[INCIDENTS].name, headers)

    def _of_line(self, record: AlertTransition, message: Message) -> StateRecord:
        given, state = trace(message)
        headers = wire.headers(
            record,
            traceparent=given or f"00-{record.trace_id}-{record.event_id[:16]}-01",
            tracestate=state,
            scored_ns=time.time_ns(),
            worker=self._worker,
            framing=self._framing,
        )
        name, value = self._topics[INCIDENTS].name, self._encode(record)
        return StateRecord(self._partition(record.asset), record.alert_id, value, name, tuple(headers))

    def _partition(self, line: str) -> int:
        return partition_for(line.encode(), self._topics[LINES].partitions, self._settings.topics.partitioner)

    def _commit(self, lead: _Lead, turn: _Turn) -> None:
        """Commit a turn, unless it is committed already."""
        group: Any = self._consumer.consumer_group_metadata()
        if lead.transactions.commit(turn.records, turn.offsets, group) is not None or self._is_committed(turn):
            lead.turn = None

    def _is_committed(self, turn: _Turn) -> bool:
        """Say whether a transaction of which nobody knows came through: its offsets say so."""
        places = [TopicPartition(*place) for place in turn.offsets]
        try:
            found = self._consumer.committed(places, _ANSWER_S)
        except KafkaException:
            return False
        return all(each.offset == turn.offsets[each.topic, each.partition] for each in found)

    def _tell(self) -> None:
        told = ", ".join(f"{name} {count}" for name, count in self.told().items() if count and name != "leads")
        if told != self._told:
            log.info("incidents of lines: %s", told or "nothing yet")
            self._told = told
