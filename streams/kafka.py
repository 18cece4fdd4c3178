"""The one place for librdkafka's settings: what each kind of client gets, and clients for short errands.

What the user wrote in `[kafka]` overrides the values here, except for those on which the delivery guarantees rest; these are
refused when the settings are read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from foreshock.errors import ConfigurationError, ForeshockError, Unavailable
from foreshock.settings import Settings

DEAD_LETTER_BYTES = 4 * 1024 * 1024
# Beside the value a batch holds keys, headers and its own frame; the topic's limit is on the whole batch.
OVERHEAD_BYTES = 64 * 1024
REQUEST_S = 15.0
CONNECT_S = 10.0

_AUTHENTICATION = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)  # noqa: SLF001  # librdkafka's own codes start so
_FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
_MOVING = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
_UNREACHABLE = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT)  # noqa: SLF001  # as above


def base_config(settings: Settings) -> dict[str, Any]:
    """Give what every client gets."""
    return {
        "client.id": settings.telemetry.service_name,
        "socket.keepalive.enable": "true",
        "reconnect.backoff.max.ms": 2000,
        "topic.metadata.refresh.interval.ms": 10_000,
        **settings.kafka.librdkafka(),
    }


def producer_config(settings: Settings) -> dict[str, Any]:
    """Give the configuration of the producer of all outputs: idempotent, acknowledged by all replicas, in order."""
    return {
        "linger.ms": 5,
        "delivery.timeout.ms": 300_000,  # a broker may be away that long before an output counts as refused
        "queue.buffering.max.kbytes": 65_536,
        **base_config(settings),
        "message.max.bytes": max(settings.topics.max_message_bytes + OVERHEAD_BYTES, DEAD_LETTER_BYTES),
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": settings.topics.partitioner,
    }


def consumer_config(settings: Settings) -> dict[str, Any]:
    """Give the configuration of the worker's consumer: it commits nothing by itself."""
    config: dict[str, Any] = {
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 1_000,
        "max.poll.interval.ms": 300_000,  # partitions of many assets take some time to restore
        "partition.assignment.strategy": "range",  # the same partition of every input goes to the same worker
        "fetch.queue.backoff.ms": 5,  # the default of one second starves the loop whenever the queue was full
        "queued.max.messages.kbytes": 65_536,
        **base_config(settings),
        "group.id": settings.worker.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",  # every start is explicit; what retention deleted unread is counted
    }
    if settings.worker.instance_id:
        config["group.instance.id"] = settings.worker.instance_id
    return config


def reader_config(settings: Settings) -> dict[str, Any]:
    """Give the configuration of a consumer that is in no group: it assigns itself and leaves no trace."""
    config = consumer_config(settings)
    config.pop("group.instance.id", None)
    return {
        **config,
        "group.id": f"{settings.worker.group}-reader",
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }


def admin_config(settings: Settings) -> dict[str, Any]:
    """Give the configuration of an administration client."""
    return base_config(settings)


@contextmanager
def administration(settings: Settings, *, wait_s: float = CONNECT_S) -> Iterator[AdminClient]:
    """Give an administration client that has reached the broker; every error inside becomes one clear line.

    Parameters
    ----------
    wait_s
        How long to wait for a broker that does not answer yet; a refused account or certificate is told at once.

    Raises
    ------
    ConfigurationError
        The broker refuses who we are, or TLS fails.
    Unavailable
        No broker answers, or it answers with another error.
    """
    seen: list[KafkaError] = []
    # librdkafka's own log lines are left out: the error is told once, in our words
    config: dict[str, Any] = {**admin_config(settings), "error_cb": seen.append, "log_level": 0}
    client = AdminClient(config)
    try:
        _reach(client, seen, wait_s)
        yield client
    except KafkaException as exc:
        client.poll(0)
        raise explain(exc.args[0], seen, settings) from exc


def explain(error: KafkaError, seen: list[KafkaError], settings: Settings) -> ForeshockError:
    """Turn librdkafka's errors into one that says what to do; `seen` is what its error callback got before."""
    bootstrap = settings.kafka.bootstrap
    for each in [error, *seen]:
        if each.code() in _AUTHENTICATION:
            return ConfigurationError(
                f"Kafka at {bootstrap} refuses the account: check kafka.sasl.username and kafka.sasl.password.file ({_reason(each)})"
            )
        if each.code() == KafkaError._SSL:  # noqa: SLF001  # as above
            return ConfigurationError(
                f"TLS with Kafka at {bootstrap} fails: check kafka.ssl.ca.location and kafka.security.protocol ({_reason(each)})"
            )
    if error.code() in _FORBIDDEN:
        return ConfigurationError(
            f"Kafka at {bootstrap} does not allow this to our account ({_reason(error)}): `foreshock topics --print` gives the ACLs"
        )
    if error.code() in _UNREACHABLE:
        plain = settings.kafka.properties.get("security.protocol", "plaintext").lower() == "plaintext"
        why = next((_reason(each) for each in seen if each.code() != KafkaError._ALL_BROKERS_DOWN), "no answer")  # noqa: SLF001  # as above
        if why == "no answer" or "ApiVersion" in why:  # what a listener says that was spoken to without TLS
            why = "no answer" + ("; a listener with TLS or accounts needs kafka.security.protocol" if plain else "")
        return Unavailable(f"Kafka at {bootstrap} cannot be reached: {why}")
    return Unavailable(f"Kafka at {bootstrap} answered with an error: {_reason(error)}")


def bounds(consumer: Consumer, topic: str, partition: int, wait_s: float) -> tuple[int, int]:
    """Ask for the first offset of a partition that is kept, and for the one after its last.

    A leader that has just moved, or that this client does not know of yet, is asked for again until the time is over.

    Raises
    ------
    KafkaException
        The brokers do not answer in time, there is no such partition, or they do not allow it.
    """
    deadline = time.monotonic() + wait_s
    while True:
        left = max(deadline - time.monotonic(), 0.1)
        try:
            found = consumer.get_watermark_offsets(TopicPartition(topic, partition), left)
        except KafkaException as exc:
            if exc.args[0].code() not in _MOVING or time.monotonic() > deadline:
                raise
        else:
            return int(found[0]), int(found[1])
        time.sleep(0.05)
        consumer.list_topics(topic, timeout=left)


def seek(consumer: Consumer, topic: str, places: Mapping[int, int]) -> None:
    """Have partitions of a topic go on at these offsets. Wanted after `resume`: by itself the client may skip a record (seen)."""
    for partition, offset in places.items():
        with suppress(KafkaException):  # it is not ours any more, or not yet fetched: then it begins there anyway
            consumer.seek(TopicPartition(topic, partition, offset))


def hopeless(error: KafkaError) -> bool:
    """Say whether asking again cannot help. Most errors pass: leaders and coordinators move, and brokers come back."""
    return error.fatal() or error.code() in (*_AUTHENTICATION, *_FORBIDDEN, KafkaError.GROUP_AUTHORIZATION_FAILED)


def _reach(client: AdminClient, seen: list[KafkaError], wait_s: float) -> None:
    """Wait for the first answer, but not longer than it takes to know that waiting will not help."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            client.list_topics(timeout=0.5)
        except KafkaException:
            client.poll(0)  # lets the error callback run
            hopeless = any(each.code() in (*_AUTHENTICATION, KafkaError._SSL) for each in seen)  # noqa: SLF001  # as above
            if hopeless or time.monotonic() > deadline:
                raise
        else:
            return


def _reason(error: KafkaError) -> str:
    """Give the error's text without librdkafka's own names of threads and brokers before it."""
    return re.sub(r"^\S+/(bootstrap|\d+): ", "", error.str().rsplit("]: ", 1)[-1].strip())
