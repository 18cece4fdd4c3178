"""Commands and work orders, sent as any system would send them, and the answer that a worker gives on alerts.v1."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from foreshock.alerts.records import Command, WorkOrder
from foreshock.alerts.vocabulary import Change
from foreshock.errors import ConfigurationError, InputRejected, Unavailable
from foreshock.settings import Settings
from foreshock.streams.codec import commands
from foreshock.streams.codec.registry import Registry
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.sender import Sender
from foreshock.streams.errands.tailing import records
from foreshock.streams.kafka import bounds, reader_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.spans.sending import Sending
from foreshock.streams.topics import ensure
from foreshock.streams.wire import decode_output

ASK_S = 10.0
ALERTS, INCIDENTS = "alerts.v1", "incidents.v1"
_ALERT = re.compile(r"[0-9a-f]{8,32}")


def ask(settings: Settings, command: Command, wait_s: float) -> dict[str, Any] | None:
    """Send a command and wait for its answer: the first change on alerts.v1 that names it.

    Returns
    -------
    dict or None
        Fields of the AlertTransition. None: nobody answered in time; a worker that is down takes it when it is back.

    Raises
    ------
    ConfigurationError
        The command cannot be meant; it was not sent.
    Unavailable
        Kafka cannot be reached.
    """
    _check(command)
    partitions = ensure(settings)["alerts.v1"].partitions
    number = partition_for(command.asset.encode(), partitions, settings.topics.partitioner)
    consumer = Consumer({**reader_config(settings), "enable.partition.eof": False, "log_level": 2})
    try:
        place = TopicPartition(settings.topics.prefix + "alerts.v1", number)
        _, place.offset = bounds(consumer, place.topic, number, ASK_S)
        consumer.assign([place])
        with _sender(settings) as sender:
            sender.send(command)
        return _answer(consumer, command.command_id, wait_s, registry_for(settings))
    except KafkaException as exc:
        raise Unavailable(f"Kafka at {settings.kafka.bootstrap} cannot be reached: {exc.args[0].str()}") from exc
    finally:
        consumer.close()


def tell(settings: Settings, order: WorkOrder) -> None:
    """Send a work order; it returns when the broker has it.

    Raises
    ------
    ConfigurationError
        It cannot be meant; it was not sent.
    Unavailable
        Kafka cannot be reached.
    """
    _check(order)
    ensure(settings)
    with _sender(settings) as sender:
        sender.send(order)


def _sender(settings: Settings) -> Sender:
    """Make the sender of a person's word: the same id twice has one effect, and what comes of it is in its trace."""
    return Sender(settings, idempotent=False, spans=Sending(settings, program="command", patience_s=1.0))


def alarms(settings: Settings) -> dict[str, dict[str, Any]]:
    """Give what stands now: fields of the last AlarmRecord of each alert that is not closed, by its id, the oldest first.

    Raises
    ------
    Unavailable
        Kafka cannot be reached.
    """
    ensure(settings)
    registry = registry_for(settings)
    found: dict[str, dict[str, Any]] = {}
    for message in records(settings, "alarms.v1", beginning=True, follow=False):
        key, value = (message.key() or b"").decode("utf-8", "replace"), message.value()
        found.pop(key, None)
        if value:
            found[key] = decode_output(value, registry)["record"]
    return dict(sorted(found.items(), key=lambda each: int(each[1]["raised_ns"])))


def transitions(
    settings: Settings, *, follow: bool = False, since_ms: int | None = None, asset: str = "", topic: str = ALERTS
) -> Iterator[dict[str, Any]]:
    """Give changes of alerts, as they stand on alerts.v1.

    Parameters
    ----------
    follow
        From now on, for ever.
    since_ms
        Else: from the first one that the broker took at this time; None: all that are kept.
    asset
        Of one asset alone.
    topic
        `incidents.v1`: of the incidents of lines, and of what is in none.
    """
    count = ensure(settings)[topic].partitions
    alone = asset and topic == ALERTS  # the machines of a line are on its partition
    only = partition_for(asset.encode(), count, settings.topics.partitioner) if alone else None
    registry = registry_for(settings)
    beginning = not follow
    for message in records(
        settings, topic, beginning=beginning, follow=follow, only=only, since_ms=since_ms if beginning else None
    ):
        record = decode_output(message.value() or b"", registry)["record"]
        if asset in {"", record["asset"], *(each["asset"] for each in record.get("members", ()))}:
            yield record


def incidents(settings: Settings) -> dict[str, dict[str, Any]]:
    """Give the incidents of lines that are open: fields of the last change of each, by its id, the oldest first."""
    found: dict[str, dict[str, Any]] = {}
    for each in transitions(settings, topic=INCIDENTS):
        if each.get("members"):
            found.pop(each["alert_id"], None)
            if each["change"] != Change.CLOSED:
                found[each["alert_id"]] = each
    return dict(sorted(found.items(), key=lambda each: int(each[1]["raised_ns"])))


def targets(settings: Settings, wanted: str) -> list[tuple[str, str]]:
    """Give asset and alert of all that somebody named: as `target`, or the open alerts of an incident of a line.

    Raises
    ------
    ConfigurationError
        The digits are those of several alerts, or incidents.
    """
    one = target(settings, wanted)
    if one[1] or not _ALERT.fullmatch(wanted):
        return [one]
    found = [each for name, each in incidents(settings).items() if name.startswith(wanted)]
    if len(found) > 1:
        raise ConfigurationError(f"{wanted} is the beginning of {len(found)} incidents: give more digits")
    members = found[0]["members"] if found else ()
    return [(each["asset"], each["alert_id"]) for each in members if each["open"]] or [one]


def target(settings: Settings, wanted: str) -> tuple[str, str]:
    """Give asset and alert of what somebody named: an asset, or an alert by its id (8 digits suffice).

    Returns
    -------
    tuple of str
        The asset, and the alert's whole id; "" where an asset was named: its open alert is meant.

    Raises
    ------
    ConfigurationError
        The digits are those of several alerts.
    """
    if not _ALERT.fullmatch(wanted):
        return wanted, ""
    found = [(each["asset"], name) for name, each in alarms(settings).items() if name.startswith(wanted)]
    if len(found) > 1:
        raise ConfigurationError(f"{wanted} is the beginning of {len(found)} alerts: give more digits")
    return found[0] if found else (wanted, "")


def _answer(consumer: Consumer, command_id: str, wait_s: float, registry: Registry | None) -> dict[str, Any] | None:
    deadline = time.monotonic() + wait_s
    while (left := deadline - time.monotonic()) > 0:
        message = consumer.poll(min(left, 0.5))
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaException(error)
            continue
        record: dict[str, Any] = decode_output(message.value() or b"", registry)["record"]
        if record["command_id"] == command_id:
            return record
    return None


def _check(record: Command | WorkOrder) -> None:
    """Refuse here what a worker would refuse."""
    fields = {name: getattr(record, name) for name in record.__slots__}
    now_ns = time.time_ns()
    try:
        if isinstance(record, Command):
            commands.command(fields, now_ns)
        else:
            commands.work_order(fields, now_ns)
    except InputRejected as exc:
        raise ConfigurationError(f"{exc.field}: {exc.sentence}. {exc.fix}") from exc
