"""A trace as a waterfall of text: pure functions from spans to lines of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foreshock.streams.spans.attributes import EVENT_ID
from foreshock.streams.spans.store import SpanRow

QUEUE = "queue "  # how the name of a span begins that is time in Kafka
LONGEST_QUEUE = 5  # times the time of our work: more is not drawn
BAR = 40  # characters for the whole of a trace, where there is room
NOTES = (  # attribute, how it is told
    ("messaging.destination.partition.id", "partition {}"),
    ("messaging.kafka.offset", "offset {}"),
    ("messaging.batch.message_count", "{} records in the batch"),
    ("foreshock.asset", "{}"),
    ("foreshock.point", "{}"),
    ("foreshock.channel", "{}"),
    ("foreshock.phase", "{}"),
    ("foreshock.severity", "{}"),
    ("foreshock.quality", "{}"),
    ("foreshock.state", "{}"),
    ("foreshock.reason", "{}"),
    ("foreshock.score", "score {:.3g}"),
    ("foreshock.p_value", "p {:.2g}"),
    ("foreshock.hypothesis", "{}"),
    ("foreshock.rule", "{}"),
    ("foreshock.operands", "with {}"),
    ("foreshock.model", "{}"),
    ("foreshock.feature_set", "{}"),
    ("foreshock.policy", "{}"),
    ("foreshock.schema", "schema {}"),
    ("error.type", "{}"),
    ("foreshock.events", "{}"),
    (EVENT_ID, "event {}"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where the span starts from our poll of the record, how long it is, and its bar."""

    name: str
    start_ns: int
    duration_ns: int
    bar: tuple[int, int]  # first character and length, of the width given
    notes: str
    failed: bool = False
    waiting: bool = False  # time in Kafka


def records(spans: Sequence[SpanRow]) -> list[list[SpanRow]]:
    """Split a trace into its records: each root (a span whose parent is not here) with the spans under it."""
    here = {span.span_id for span in spans}
    roots = [span for span in spans if span.parent_id not in here]
    roots.sort(key=lambda root: (root.start_ns, root.attributes.get("messaging.kafka.offset", 0)))
    return [list(_under(root, spans)) for root in roots]


def main_of(record: Sequence[SpanRow]) -> SpanRow:
    """Give the span in which the worker handled the record: the root, or the one under the producer's."""
    return next((span for span in record if span.kind == "consumer"), record[0])


def lines(record: Sequence[SpanRow], width: int = BAR) -> list[Line]:
    """Lay out one record: its spans, a parent before its children; times count from our poll of it.

    Bars are to one scale; where a record lay in Kafka for long, what was before has none, or nothing else could be seen.
    """
    main = main_of(record)
    work_ns = max(1, max(span.end_ns for span in record) - main.start_ns)
    before_ns = main.start_ns - min(span.start_ns for span in record)
    drawn_ns = before_ns if before_ns <= LONGEST_QUEUE * work_ns else 0
    whole_ns = drawn_ns + work_ns
    depths = _depths(record)
    found = []
    for span in record:
        start_ns, took_ns = span.start_ns - main.start_ns, span.end_ns - span.start_ns
        name = "  " * depths[span.span_id] + span.name
        drawn = drawn_ns + start_ns >= 0
        bar = _bar(drawn_ns + start_ns, took_ns, whole_ns, width) if drawn else (0, 0)
        told = notes(span) + ("" if drawn else f"{', ' * bool(notes(span))}not drawn")
        found.append(Line(name, start_ns, took_ns, bar, told, bool(span.error), span.name.startswith(QUEUE)))
    return found


def notes(span: SpanRow) -> str:
    """Tell what is of note about a span: coordinates first."""
    return ", ".join(
        form.format(span.attributes[name]) for name, form in NOTES if span.attributes.get(name) not in (None, "")
    )


def duration(ns: int) -> str:
    """Write a duration with the unit that suits it: 0.3 us to hours."""
    if ns < 0:
        return f"-{duration(-ns)}"
    if ns == 0:
        return "0"
    if ns < 1_000_000:
        return f"{ns / 1e3:.1f} us"
    if ns < 1_000_000_000:
        return f"{ns / 1e6:.1f} ms"
    if ns < 120 * 1_000_000_000:
        return f"{ns / 1e9:.1f} s"
    return f"{ns // 60_000_000_000} min" if ns < 7200 * 1_000_000_000 else f"{ns / 3.6e12:.1f} h"


def _under(root: SpanRow, spans: Sequence[SpanRow]) -> Iterator[SpanRow]:
    yield root
    children = [span for span in spans if span.parent_id == root.span_id]
    for child in sorted(children, key=lambda span: (span.start_ns, span.end_ns)):
        yield from _under(child, spans)


def _depths(record: Sequence[SpanRow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for span in record:  # a parent stands before its children
        found[span.span_id] = found.get(span.parent_id, -1) + 1
    return found


def _bar(start: int, length: int, whole: int, width: int) -> tuple[int, int]:
    first = min(width - 1, max(0, start * width // whole))
    last = min(width, max(first + 1, -(-(start + length) * width // whole)))
    return first, last - first
