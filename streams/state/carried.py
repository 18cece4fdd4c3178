"""Alerts that outlive the state of their assets: read from `alarms.v1` where an asset starts cold."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message
from confluent_kafka.admin import AdminClient

from foreshock import records as trees
from foreshock.alerts.items import Carried
from foreshock.alerts.records import AlarmRecord
from foreshock.contract import Origin
from foreshock.errors import InputRejected
from foreshock.streams.codec.registry import Registry
from foreshock.streams.state import tails
from foreshock.streams.state.reader import newest
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import decode_output

log = logging.getLogger("foreshock.worker")


def carried(
    number: int,
    cold: Collection[str] | None,
    *,
    alarms: TopicInfo,
    consumer: Consumer,
    admin: AdminClient,
    registry: Registry | None,
    again: tuple[str, int],
    deadline: float,
) -> tuple[Carried, ...]:
    """Read the alerts of a partition's cold assets that nobody has closed, in the order of their records.

    Parameters
    ----------
    cold
        None: all, of nothing on the partition is there any state.
    again
        Topic id and first offset of the records that are handled again: what an alert is through one of them is told by it.

    Raises
    ------
    KafkaException
        No answer in time.
    Unavailable
        The end of the topic was not reached in time.
    """
    if cold is not None and not cold:
        return ()
    place = (alarms.name, number)
    end = tails.ends(admin, [place], deadline)[place]
    found = newest(consumer, {place: OFFSET_BEGINNING}, {place: end}, deadline)[place]
    read = (_carried(message, alarms, registry) for message in found.values() if message.value() is not None)
    mine = [
        each
        for each in read
        if each is not None and (cold is None or each.asset in cold) and not _is_told_again(each, *again)
    ]
    if mine:
        log.warning(
            "%s partition %d: %d alerts go on without the state of their assets: %s",
            alarms.name,
            number,
            len(mine),
            ", ".join(f"{each.record.alert_id} of {each.asset}" for each in mine[:10]),
        )
    return tuple(sorted(mine, key=lambda each: each.origin.offset))


def _is_told_again(each: Carried, topic_id: str, position: int) -> bool:
    origin = each.record.origin
    return origin.topic_id == topic_id and origin.offset >= position


def _carried(message: Message, alarms: TopicInfo, registry: Registry | None) -> Carried | None:
    try:
        tree: Mapping[str, object] = decode_output(message.value() or b"", registry)["record"]
        known = AlarmRecord.__dataclass_fields__
        record = trees.from_tree(AlarmRecord, {name: each for name, each in tree.items() if name in known})
    except (InputRejected, ValueError, TypeError) as exc:
        log.warning("%s offset %s is not used: %s", alarms.name, message.offset(), exc)
        return None
    where = Origin(
        topic=alarms.name,
        topic_id=alarms.topic_id,
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        ingest_ns=time.time_ns(),
    )
    return Carried(origin=where, record=record)
