"""What the trace of one input record looks like: a pure function of the times its batch recorded and of what became of it.

Nothing is measured here and nothing is sent. The spans follow OpenTelemetry's semantic conventions for messaging:
`process <topic>` (consumer) is the root of our part and a child of the producer's span; under it stand the time in the
queue, `receive`, the stages of the core, and one `send <topic>` (producer) for each output. Ids are functions of the
record, so a record that is handled again after a crash overwrites its spans rather than adding to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from foreshock import lineage
from foreshock.alerts.records import AlertTransition
from foreshock.contract import DeadLetter
from foreshock.outcome import Outcome
from foreshock.streams.spans.attributes import (
    QUEUE_MS,
    SAMPLED_BY,
    about_alert,
    about_record,
    about_stage,
    id_of,
    messaging,
    origin_of,
    outputs,
)
from foreshock.streams.spans.happenings import of_record, of_score
from foreshock.streams.spans.shape import Place, SpanPlan, Target, TracePlan, output_span_id, producer, span_id


class BatchTimes(NamedTuple):
    """When each stage of a batch ended, wall clock in ns since 1970; 0: not recorded, and then the stage has no span."""

    received: int = 0  # the poll gave the records to us
    started: int = 0  # the agent took the batch
    decoded: int = 0
    quality: int = 0
    features: int = 0
    scored: int = 0
    policy: int = 0
    encoded: int = 0
    delivered: int = 0  # the broker has all outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What merged with a record on its way.

    Attributes
    ----------
    size
        Records in its batch.
    batch
        Where the traces of others in the batch begin, some of them.
    window
        Traces of the records before it at its measuring point, some of them.
    """

    size: int = 1
    batch: tuple[Target, ...] = ()
    window: tuple[Target, ...] = ()


_ALONE = Company()
_NO_OFFSETS: Mapping[str, int] = MappingProxyType({})


def plan(
    batch: BatchTimes,
    item: Outcome | DeadLetter,
    place: Place,
    *,
    sampled_by: str,
    company: Company = _ALONE,
    offsets: Mapping[str, int] = _NO_OFFSETS,
) -> TracePlan:
    """Lay out the trace of one input record.

    Parameters
    ----------
    batch
        Times of the batch that the record was in. The stages ran on the whole batch, so every record of it has them.
    item
        What became of the record.
    place
        Topic prefix, consumer group and worker.
    sampled_by
        Why there is a trace at all: ``event``, ``slow``, ``producer`` or ``ratio``.
    company
        What merged with it.
    offsets
        Offset of an output, by its id, where known.
    """
    origin, own_id = origin_of(item), id_of(item)
    first, last = _first(batch), max(batch)
    root = SpanPlan(
        span_id=span_id(own_id, "process"),
        parent_id=0,
        name=f"process {origin.topic}",
        kind="consumer",
        start_ns=first,
        end_ns=last,
        attributes=messaging("process", "process", origin.topic, origin.partition, origin.offset)
        | {
            "messaging.consumer.group.name": place.group,
            "messaging.client.id": place.worker,
            QUEUE_MS: max(0, first - origin.ingest_ns) / 1e6,
            SAMPLED_BY: sampled_by,
        }
        | about_record(item),
        happenings=tuple(of_record(item, last)),
        error=item.sentence if isinstance(item, DeadLetter) else "",
    )
    before = (_queue(origin.topic, origin.ingest_ns, first, root.span_id, own_id),) if origin.ingest_ns < first else ()
    stages = tuple(_stages(batch, item, place, root.span_id, own_id, company))
    sends = tuple(_sends(batch, item, place, root.span_id, offsets))
    parent, sampled = producer(origin)
    return TracePlan(
        trace_id=int(lineage.trace_id(origin), 16),
        remote_parent=parent,
        remote_sampled=sampled,
        spans=(root, *before, *stages, *sends),
    )


def plan_told(told: Sequence[AlertTransition], place: Place, *, begun_ns: int, delivered_ns: int) -> TracePlan:
    """Lay out the trace of a command, a work order or a tick: what took effect, and the changes of alerts that it led to.

    Parameters
    ----------
    told
        All that it led to, at least one; of one origin.
    begun_ns, delivered_ns
        When it took effect, and when the broker had what it led to.
    """
    first = told[0]
    origin = first.origin
    root = SpanPlan(
        span_id=span_id(first.event_id, "process"),
        parent_id=0,
        name=f"process {origin.topic}",
        kind="consumer",
        start_ns=begun_ns,
        end_ns=delivered_ns,
        attributes=messaging("process", "process", origin.topic, origin.partition, origin.offset)
        | {
            "messaging.client.id": place.worker,
            QUEUE_MS: max(0, begun_ns - origin.ingest_ns) / 1e6,
            SAMPLED_BY: "event",
        }
        | about_alert(first),
    )
    sends = tuple(
        SpanPlan(
            span_id=int(output_span_id(each.event_id), 16) or 1,
            parent_id=root.span_id,
            name=f"send {place.prefix}alerts.v1",
            kind="producer",
            start_ns=begun_ns,
            end_ns=delivered_ns,
            attributes=messaging("send", "send", f"{place.prefix}alerts.v1", origin.partition, None)
            | {"messaging.client.id": place.worker}
            | about_alert(each),
        )
        for each in told
    )
    parent, sampled = producer(origin)
    trace_id = int(lineage.trace_id(origin), 16)
    return TracePlan(trace_id=trace_id, remote_parent=parent, remote_sampled=sampled, spans=(root, *sends))


def spans_of(item: Outcome | DeadLetter) -> int:
    """Count the spans that `plan` will give: at most so many."""
    if isinstance(item, DeadLetter):
        return 6
    told = (item.anomalies, item.quality, item.alerts, item.vectors, item.diagnoses)
    return 10 + sum(map(len, told))


def start_of(item: Outcome | DeadLetter) -> Target:
    """Give where the trace of a record begins, as far as it is ours."""
    origin = origin_of(item)
    return Target(int(lineage.trace_id(origin), 16), span_id(id_of(item), "process"), {})


def created_by(item: Outcome | DeadLetter) -> Target | None:
    """Give the span that made the message of a record; None where its producer sent no context."""
    parent, _ = producer(origin_of(item))
    return Target(int(lineage.trace_id(origin_of(item)), 16), parent, {}) if parent else None


def _first(batch: BatchTimes) -> int:
    return next((at for at in batch if at), 0)


def _queue(topic: str, since_ns: int, until_ns: int, root: int, own_id: str) -> SpanPlan:
    """Give the time in Kafka a span of its own: from the log append to the poll. It stands before its parent."""
    return SpanPlan(
        span_id=span_id(own_id, "queue"),
        parent_id=root,
        name=f"queue {topic}",
        kind="internal",
        start_ns=since_ns,
        end_ns=until_ns,
        attributes={"messaging.system": "kafka", "messaging.destination.name": topic},
    )


def _stages(
    batch: BatchTimes, item: Outcome | DeadLetter, place: Place, root: int, own_id: str, company: Company
) -> Iterator[SpanPlan]:
    """Spans between two recorded times each; a dead letter never came to the core."""
    origin = origin_of(item)
    core = isinstance(item, Outcome)
    begin = batch.received
    stages = (
        ("receive", batch.started, True),
        ("decode", batch.decoded, True),
        ("quality", batch.quality, core),
        ("features", batch.features, core),
        ("score", batch.scored, core),
        ("policy", batch.policy, core),
        ("encode", batch.encoded, True),
    )
    for stage, end, wanted in stages:
        if not end:
            continue
        if wanted and begin:
            receive = stage == "receive"
            attributes = about_stage(stage, item)
            if receive:
                attributes = messaging("receive", "receive", origin.topic, origin.partition, None) | {
                    "messaging.batch.message_count": company.size,
                    "messaging.consumer.group.name": place.group,
                    "messaging.client.id": place.worker,
                }
            yield SpanPlan(
                span_id=span_id(own_id, stage),
                parent_id=root,
                name=f"receive {origin.topic}" if receive else stage,
                kind="client" if receive else "internal",
                start_ns=begin,
                end_ns=max(begin, end),
                attributes=attributes,
                links=company.batch if receive else company.window if stage == "score" else (),
                happenings=tuple(of_score(item, end)) if stage == "score" and isinstance(item, Outcome) else (),
            )
        begin = end


def _sends(
    batch: BatchTimes, item: Outcome | DeadLetter, place: Place, root: int, offsets: Mapping[str, int]
) -> Iterator[SpanPlan]:
    """One producer span for each output; they go out together."""
    end = max(batch)
    start = batch.encoded or batch.policy or batch.decoded or end
    for topic, record_id, partition, about in outputs(item):
        full = f"{place.prefix}{topic}"
        yield SpanPlan(
            span_id=int(output_span_id(record_id), 16) or 1,
            parent_id=root,
            name=f"send {full}",
            kind="producer",
            start_ns=min(start, end),
            end_ns=end,
            attributes=messaging("send", "send", full, partition, offsets.get(record_id))
            | {"messaging.client.id": place.worker, "messaging.message.id": record_id}
            | about,
        )
