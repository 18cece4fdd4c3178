"""Spans to be: what every plan is made of, and their ids, which are functions of what they tell of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from foreshock import lineage
from foreshock.contract import Origin
from foreshock.streams.spans.attributes import Attributes

Kind = Literal["internal", "client", "consumer", "producer"]


class Happening(NamedTuple):
    """An event of a span."""

    name: str
    at_ns: int
    attributes: Attributes


class Target(NamedTuple):
    """A span that another one links to."""

    trace_id: int
    span_id: int
    attributes: Attributes


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
    happenings: tuple[Happening, ...] = ()
    links: tuple[Target, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePlan:
    """The spans of one record, root first, and the span of the producer that they hang on (0: none)."""

    trace_id: int
    remote_parent: int
    remote_sampled: bool
    spans: tuple[SpanPlan, ...]


def span_id(own_id: str, stage: str) -> int:
    """Id of a stage's span: a hash of the record's id and the stage."""
    return int.from_bytes(hashlib.blake2b(f"{own_id}\x1f{stage}".encode(), digest_size=8).digest()) or 1


def output_span_id(record_id: str) -> str:
    """Id of the span that sends an output: the first half of the output's own id, itself a hash. 16 hexadecimal digits."""
    return record_id[:16]


def producer(origin: Origin) -> tuple[int, bool]:
    """Span id of the producer (0: none that is valid) and whether it samples this trace."""
    given = origin.traceparent
    if not given or lineage.given_trace(given) is None:
        return 0, False
    return int(given[36:52], 16), bool(int(given[53:55], 16) & 1)
