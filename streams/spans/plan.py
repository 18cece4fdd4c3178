"""What the trace of one input record looks like: a pure function of the times its batch recorded and of what became of it.

Nothing is measured here and nothing is sent. The spans follow OpenTelemetry's semantic conventions for messaging:
`process <topic>` (consumer) is the root of our part and a child of the producer's span; under it stand `receive`, the
stages of the core, and one `send <topic>` (producer) for each output. Ids are functions of the record, so a record that
is handled again after a crash overwrites its spans rather than adding to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from foreshock import lineage
from foreshock.alerts.records import AlertTransition
from foreshock.contract import DeadLetter, Origin
from foreshock.outcome import Outcome
from foreshock.streams.spans.attributes import (
    QUEUE_MS,
    SAMPLED_BY,
    Attributes,
    about_alert,
    about_record,
    about_stage,
    id_of,
    messaging,
    origin_of,
    outputs,
)

Kind = Literal["internal", "client", "consumer", "producer"]


class BatchTimes(NamedTuple):
    """When each stage of a batch ended, wall clock in ns since 1970; 0: not recorded, and then the stage has no span."""

    received: int = 0  # the poll gave the records to us
    started: int = 0  # the agent took the batch
    decoded: int = 0
    features: int = 0
    scored: int = 0
    policy: int = 0
    encoded: int = 0
    delivered: int = 0  # the broker has all outputs


@dataclass(frozen=True, slots=True)
class Place:
    """Who works: what the spans say besides the record itself."""

    prefix: str = ""  # of topic names
    group: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanPlan:
    """One span to be."""

    span_id: int
    parent_id: int  # 0: the producer's span, or none
    name: str
    kind: Kind
    start_ns: int
    end_ns: int
    attributes: Attributes = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePlan:
    """The spans of one record, root first, and the span of the producer that they hang on (0: none)."""

    trace_id: int
    remote_parent: int
    remote_sampled: bool
    spans: tuple[SpanPlan, ...]


def plan(
    batch: BatchTimes,
    item: Outcome | DeadLetter,
    place: Place,
    *,
    sampled_by: str,
    batch_size: int = 1,
    offsets: Mapping[str, int] | None = None,
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
        Why there is a trace at all: ``event``, ``producer`` or ``ratio``.
    batch_size
        Records in the batch.
    offsets
        Offset of an output, by its id, where known.
    """
    origin, own_id = origin_of(item), id_of(item)
    first, last = _first(batch), _last(batch)
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
        error=item.sentence if isinstance(item, DeadLetter) else "",
    )
    stages = tuple(_stages(batch, item, root.span_id, own_id, batch_size))
    sends = tuple(_sends(batch, item, place, root.span_id, offsets or {}))
    parent, sampled = producer(origin)
    return TracePlan(
        trace_id=int(lineage.trace_id(origin), 16),
        remote_parent=parent,
        remote_sampled=sampled,
        spans=(root, *stages, *sends),
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
            | about_alert(each),
        )
        for each in told
    )
    parent, sampled = producer(origin)
    trace_id = int(lineage.trace_id(origin), 16)
    return TracePlan(trace_id=trace_id, remote_parent=parent, remote_sampled=sampled, spans=(root, *sends))


def span_id(own_id: str, stage: str) -> int:
    """Id of a stage's span: a hash of the record's id and the stage."""
    return int.from_bytes(hashlib.blake2b(f"{own_id}\x1f{stage}".encode(), digest_size=8).digest()) or 1


def output_span_id(record_id: str) -> str:
    """Id of the span that sends an output: the first half of the output's own id, itself a hash. 16 hexadecimal digits."""
    return record_id[:16]


def producer(origin: Origin) -> tuple[int, bool]:
    """Span id of the producer (0: none that is valid) and whether it samples this trace."""
    given = origin.traceparent
    if not given or given[3:35] != lineage.trace_id(origin):
        return 0, False
    return int(given[36:52], 16), bool(int(given[53:55], 16) & 1)


def _first(batch: BatchTimes) -> int:
    return next((at for at in batch if at), 0)


def _last(batch: BatchTimes) -> int:
    return max(batch)


def _stages(
    batch: BatchTimes, item: Outcome | DeadLetter, root: int, own_id: str, batch_size: int
) -> Iterator[SpanPlan]:
    """Spans between two recorded times each; a dead letter never came to the core."""
    origin = origin_of(item)
    core = isinstance(item, Outcome)
    begin = batch.received
    stages = (
        ("receive", batch.started, True),
        ("decode", batch.decoded, True),
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
                attributes = messaging("receive", "receive", origin.topic, origin.partition, None)
                attributes["messaging.batch.message_count"] = batch_size
            yield SpanPlan(
                span_id=span_id(own_id, stage),
                parent_id=root,
                name=f"receive {origin.topic}" if receive else stage,
                kind="client" if receive else "internal",
                start_ns=begin,
                end_ns=max(begin, end),
                attributes=attributes,
            )
        begin = end


def _sends(
    batch: BatchTimes, item: Outcome | DeadLetter, place: Place, root: int, offsets: Mapping[str, int]
) -> Iterator[SpanPlan]:
    """One producer span for each output; they go out together."""
    end = _last(batch)
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
            attributes=messaging("send", "send", full, partition, offsets.get(record_id)) | about,
        )
