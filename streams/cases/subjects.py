"""What the case writer collects raw records around: anomalies that open or go on, and work on a machine."""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka import Message

from foreshock import lineage
from foreshock.alerts.records import WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.contract import Anomaly, Origin, Phase, Reason
from foreshock.errors import InputRejected
from foreshock.streams.border import origin_of, trace
from foreshock.streams.cases.windows import Reach, Subject
from foreshock.streams.partitioner import partition_for
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder

_TRACED = (Phase.OPENED, Phase.UPDATED)  # around the end of an episode there is nothing to look at
CAPTURED = frozenset({WorkKind.OPENED, WorkKind.CLOSED, WorkKind.REPAIR, WorkKind.REPLACEMENT})
_NS = 1_000_000_000


def work_id(origin: Origin) -> str:
    """Give the id under which the raw records around a work order stand: a function of its record's coordinates."""
    return lineage.event_id("maintenance", origin)


def times(order: WorkOrder, told_ns: int) -> tuple[int, int]:
    """Give when work began and ended.

    Parameters
    ----------
    order
        What was told of it. Its end is when it was finished, or else the time that it states; it began as
        much earlier as the machine stood for it.
    told_ns
        When the broker took that; nothing it tells of is later.

    Returns
    -------
    tuple of int
        Nanoseconds since 1970 UTC.
    """
    end = max(min(order.finished_ns or order.at_ns, told_ns), 0)
    stood_s = min(order.downtime_s or 0.0, end / _NS)
    return max(end - int(stood_s * _NS), 0), end


def of_anomaly(anomaly: Anomaly, reach: Reach) -> Subject | None:
    """Give the window of an anomaly; None where it has none: it names no case, or its episode is over."""
    if not anomaly.lineage.evidence or anomaly.phase not in _TRACED:
        return None
    inputs = anomaly.lineage.inputs[-1]
    return Subject(
        record=anomaly,
        event_id=anomaly.event_id,
        topic=inputs.topic,
        topic_id=inputs.topic_id,
        partition=inputs.partition,
        start=inputs.last,
        end=inputs.last + 1,
        end_ns=anomaly.ingest_ns,
        wait_s=reach.after_s,
        told_ns=anomaly.ingest_ns,
        trace_id=anomaly.trace_id,
    )


def of_work(order: WorkOrder, told: Origin, inputs: TopicInfo, place: Callable[[int], int], reach: Reach) -> Subject:
    """Give the window of a work order.

    Parameters
    ----------
    told
        Coordinates of its record.
    inputs
        Where the asset's records are, on the partition of the same number.
    place
        Gives the offset of the first of them that the broker took at a time or later.
    """
    start_ns, end_ns = times(order, told.ingest_ns)
    return Subject(
        record=order,
        event_id=work_id(told),
        topic=inputs.name,
        topic_id=inputs.topic_id,
        partition=told.partition,
        start=place(start_ns),
        end=place(end_ns),
        end_ns=end_ns,
        wait_s=reach.work_s,
        told_ns=told.ingest_ns,
        trace_id=lineage.given_trace(told.traceparent) or lineage.trace_id(told),
    )


def work_order(message: Message, topic: TopicInfo, decoder: Decoder, partitioner: str) -> tuple[WorkOrder, Origin]:
    """Read a record of maintenance.v1 as the worker does.

    Raises
    ------
    InputRejected
        The worker does not take it either.
    """
    origin = origin_of(message, topic, context=trace(message))
    order = decoder.decode_work_order(message.value(), origin=origin, key=message.key())
    if partition_for(order.asset.encode(), topic.partitions, partitioner) != origin.partition:
        raise InputRejected(Reason.WRONG_PARTITION, f"{order.asset} does not belong on partition {origin.partition}")
    return order, origin
