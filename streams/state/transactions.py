"""Transactions on `state.v1` and the group's offsets: one at a time, and each is decided before the next."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from foreshock.errors import ConfigurationError, Fenced, Unavailable
from foreshock.streams.errors import stop
from foreshock.streams.state.ledger import Partition
from foreshock.streams.state.records import StateRecord

log = logging.getLogger("foreshock.worker")

START_S = 30.0
TRANSACTION_MS = 10_000  # an open transaction of a dead worker hides the group's offsets for that long at most
STEP_S = 1.0
DECIDED_S = TRANSACTION_MS / 1000.0 + 1.0  # by then the broker has given up whatever is open


class Transactions:
    """The producer of the state; every method but `close` blocks and belongs in one thread.

    Parameters
    ----------
    properties
        Of a librdkafka producer.
    identity
        `transactional.id`: a restarted worker with the same one ends what its former self left open.
    topic
        `state.v1` as it is called on the broker.
    limit
        Its `max.message.bytes`.
    """

    def __init__(self, properties: Mapping[str, Any], identity: str, topic: str, limit: int) -> None:
        self._properties = {**properties, "transactional.id": identity, "transaction.timeout.ms": TRANSACTION_MS}
        self._name = identity
        self._topic = topic
        self._limit = limit
        self._producer = Producer(self._properties)
        self._ends: dict[int, int] = {}
        self._closing = threading.Event()

    def start(self) -> None:
        """Take up the identity; what its former owner left open is aborted.

        Raises
        ------
        Unavailable
            The broker did not answer in time.
        """
        try:
            self._producer.init_transactions(START_S)
        except KafkaException as exc:
            raise Unavailable(f"no checkpoint can be taken: {exc.args[0].str()}") from exc

    def close(self) -> None:
        """Have whatever is under way give up; from any thread."""
        self._closing.set()

    def commit(
        self, records: Sequence[StateRecord], offsets: Mapping[Partition, int], group: Any
    ) -> Mapping[int, int] | None:
        """Commit records together with the offsets of the input.

        Parameters
        ----------
        offsets
            At least one: without any, Kafka would not look at the group's metadata.
        group
            Metadata of the consumer group: Kafka refuses a worker that is no longer in it.

        Returns
        -------
        Mapping
            For each partition of `state.v1`, where it ends now unless somebody else wrote there. None: it is not known
            to be committed, and must be tried again; nothing is hurt if it was.

        Raises
        ------
        ConfigurationError
            A record is larger than the topic takes.
        """
        places = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        begun = time.monotonic()
        try:
            self._producer.begin_transaction()
            self._ends = {}
            for record in records:
                self._produce(record)
            limit = begun + DECIDED_S
            self._insist(lambda: self._producer.send_offsets_to_transaction(places, group, STEP_S), limit)
            self._insist(lambda: self._producer.commit_transaction(STEP_S), limit)
        except KafkaException as exc:
            self._failed(exc, begun)
            return None
        except TimeoutError:
            self._undecided()
            return None
        return self._ends

    def _produce(self, record: StateRecord) -> None:
        if record.value is not None and len(record.value) + 1024 > self._limit:
            raise ConfigurationError(
                f"the state of {record.key} has {len(record.value)} bytes, {self._topic} takes {self._limit}: "
                f"raise max.message.bytes of {self._topic} (and message.max.bytes in [kafka])"
            )
        while not self._closing.is_set():
            try:
                self._producer.produce(
                    record.topic or self._topic,
                    record.value,
                    record.key.encode(),
                    record.partition,
                    on_delivery=self._delivered,
                    headers=list(record.headers),
                )
            except BufferError:
                self._producer.poll(0.05)
            else:
                return
        raise TimeoutError

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None and message.topic() == self._topic:  # what could not be delivered makes the commit fail
            number = message.partition() or 0
            # After the last record comes the marker of the transaction.
            self._ends[number] = max(self._ends.get(number, 0), (message.offset() or 0) + 2)

    def _insist(self, call: Callable[[], None], limit: float = math.inf) -> None:
        """Make a call again until it is decided, or the limit (monotonic): after a time-out the same call has to follow."""
        while not self._closing.is_set() and time.monotonic() < limit:
            try:
                return call()
            except KafkaException as exc:
                error = exc.args[0]
                if error.fatal() or error.txn_requires_abort() or not (error.retriable() or _timed_out(error)):
                    raise
        raise TimeoutError

    def _failed(self, exc: KafkaException, begun: float) -> None:
        """Abort; nothing is lost, its content comes with the next one."""
        error: KafkaError = exc.args[0]
        log.warning("checkpoint put off: %s", error.str())
        try:
            if error.fatal():
                raise exc
            self._insist(lambda: self._producer.abort_transaction(STEP_S), begun + 2 * DECIDED_S)
        except TimeoutError:
            self._undecided()
        except KafkaException as again:
            if time.monotonic() - begun < TRANSACTION_MS / 1000.0:
                why = again.args[0].str()
                stop(Fenced(f"{self._name!r} was taken over by another worker with the same worker.instance_id: {why}"))
            # An outage: the broker gave the transaction up by itself, and the producer with it.
            self._anew()

    def _undecided(self) -> None:
        """Give up what nobody decides: the process ends, or the client waits for a broker that died (seen, without end).

        The broker has given the transaction up by now. A new producer with the same identity makes sure of it.
        """
        if not self._closing.is_set():
            log.warning("checkpoint put off: it was not decided within %.0f s; its producer is made anew", DECIDED_S)
            self._anew()

    def _anew(self) -> None:
        self._producer.purge()
        self._producer = Producer(self._properties)
        try:
            self._insist(lambda: self._producer.init_transactions(START_S))
        except TimeoutError:
            return
        except KafkaException as exc:
            stop(exc)


def _timed_out(error: KafkaError) -> bool:
    return bool(error.code() == KafkaError._TIMED_OUT)  # noqa: SLF001  # librdkafka's own codes start with an underscore
