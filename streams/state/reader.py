"""Reading `state.v1`: the newest committed record of each key of a partition."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from foreshock.detectors.snapshot import Sealed, unseal
from foreshock.errors import SnapshotRejected, Unavailable
from foreshock.settings import Settings
from foreshock.streams.kafka import administration, reader_config
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.tails import REQUEST_S, Place, ends

log = logging.getLogger("foreshock.worker")

CHUNK = 500  # records taken from the client at once


def newest(
    consumer: Consumer,
    starts: Mapping[Place, int],
    targets: Mapping[Place, int],
    deadline: float,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[Place, dict[bytes, Message]]:
    """Read partitions from `starts` up to `targets` and give the newest record of each key.

    Only committed records are seen. A transaction that is open below a target is waited for: what its owner's successor
    must know may be in it.

    Parameters
    ----------
    starts, targets
        Offsets by (topic, partition).
    deadline
        Monotonic seconds.
    stopped
        Whether nobody waits for the answer any more.

    Raises
    ------
    Unavailable
        An end was not reached in time.
    """
    waiting = {place for place, target in targets.items() if target > max(starts[place], 0)}
    found: dict[Place, dict[bytes, Message]] = {place: {} for place in targets}
    if not waiting:
        return found
    for topic in {place[0] for place in waiting}:  # by itself the client looks for their leaders a second later
        with suppress(KafkaException):
            consumer.list_topics(topic, timeout=REQUEST_S)
    consumer.assign([TopicPartition(*place, starts[place]) for place in sorted(waiting)])
    try:
        while waiting:
            if stopped() or time.monotonic() > deadline:
                names = ", ".join(f"{topic} partition {number}" for topic, number in sorted(waiting))
                raise Unavailable(f"{names} could not be read to the end in time")
            for message in consumer.consume(CHUNK, 0.02):
                _take(message, found, targets, waiting)
    finally:
        consumer.unassign()
    return found


def _take(
    message: Message, found: dict[Place, dict[bytes, Message]], targets: Mapping[Place, int], waiting: set[Place]
) -> None:
    place = (message.topic() or "", message.partition() or 0)
    error = message.error()
    if error is None:
        found[place][message.key() or b""] = message
    elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's own codes start with an underscore
        if (message.offset() or 0) >= targets[place]:
            waiting.discard(place)
    elif error.fatal():
        raise KafkaException(error)
    else:
        log.warning("state: %s", error.str())


def reading(properties: Mapping[str, Any]) -> Consumer:
    """Make a consumer of committed records only that tells the ends of partitions, for many small questions."""
    quick = {"fetch.wait.max.ms": 10}  # a fetch that waits holds up what is asked behind it, the end of a partition too
    return Consumer({**properties, **quick, "enable.partition.eof": True, "isolation.level": "read_committed"})


def read_state(settings: Settings, partition: int, *, wait_s: float = 30.0) -> Iterator[tuple[str, Sealed]]:
    """Give what `state.v1` holds for a partition of the input: key and content, sorted by key.

    What cannot be unsealed is told in the log and left out.

    Raises
    ------
    ConfigurationError
        A key's file cannot be read.
    Unavailable
        Kafka does not answer.
    """
    place = (f"{settings.topics.prefix}state.v1", partition)
    with administration(settings) as admin:
        keys = keys_of(settings, admin.list_topics(timeout=REQUEST_S).cluster_id or "")
        target = ends(admin, [place])[place]
    consumer = reading(reader_config(settings))
    try:
        records = newest(consumer, {place: OFFSET_BEGINNING}, {place: target}, time.monotonic() + wait_s)[place]
    finally:
        consumer.close()
    for key in sorted(records):
        value = records[key].value()
        if value is None:
            continue
        name = key.decode("utf-8", "replace")
        try:
            yield name, unseal(value, keys)
        except SnapshotRejected as exc:
            log.warning("%s partition %d key %s: %s", *place, name, exc)
