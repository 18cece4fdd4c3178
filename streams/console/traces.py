"""Traces from the local span store, as a waterfall."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from foreshock.settings import Settings
from foreshock.streams.console.problems import Problem
from foreshock.streams.spans.attributes import QUEUE_MS
from foreshock.streams.spans.store import SpanRow, SpanStore
from foreshock.streams.spans.waterfall import notes, records

NS_MS = 1e6
_TRACE = re.compile(r"[0-9a-f]{32}")
RECORDS = 20  # of a trace; a producer may have put many into one
STAGES = 60  # newest records that the stages are averaged over


def store_of(settings: Settings) -> SpanStore:
    """Give the local store of spans."""
    return SpanStore(Path(settings.telemetry.store) if settings.telemetry.store else settings.worker.data_dir / "spans")


def link_of(template: str, trace_id: str) -> str:
    """Give the address of a trace elsewhere; "" where none is configured, or it is no address of a page."""
    if not template.startswith(("http://", "https://")) or not _TRACE.fullmatch(trace_id):
        return ""
    return template.replace("{trace_id}", trace_id)


def trace(store: SpanStore, wanted: str, ratio: float, template: str) -> dict[str, Any]:
    """Give a trace by its id, or by that of an event, an alert or a score, or the last one of an asset.

    Parameters
    ----------
    store
        Of this machine.
    wanted
        The id, 8 digits suffice, or an asset.
    ratio
        Share of ordinary blocks that are traced.
    template
        Address of a trace elsewhere, with ``{trace_id}`` in it; "" for none.

    Raises
    ------
    Problem
        It is not in the store.
    Unavailable
        The store cannot be read.
    """
    if not store.exists():
        raise Problem(
            "not_found",
            "no worker has written a trace here",
            "set telemetry.store to a directory; `foreshock demo` and `foreshock up` do",
        )
    trace_id = store.find(wanted)
    if trace_id is None:
        raise Problem(
            "not_found",
            f"no trace of {wanted[:100]!r} is in the local store",
            f"events are there within a second of their delivery; of other blocks {100 * ratio:g} % are traced",
        )
    spans = store.trace(trace_id)
    return {
        "trace_id": trace_id,
        "records": [_record(each) for each in records(spans)[:RECORDS]],
        "stored": True,
        "link": link_of(template, trace_id),
    }


def stages(store: SpanStore) -> list[dict[str, Any]]:
    """Give where the time of the newest traced records went, stage by stage."""
    took: dict[str, list[float]] = {}
    spans = store.recent(STAGES) if store.exists() else []
    parents = {span.parent_id for span in spans}
    for span in spans:
        if span.span_id in parents:  # its time is that of those under it
            continue
        took.setdefault(span.name, []).append((span.end_ns - span.start_ns) / NS_MS)
    longest = sum(sorted(each)[len(each) // 2] for each in took.values()) or 1.0
    found = []
    for name, each in took.items():
        each.sort()
        middle = each[len(each) // 2]
        found.append(
            {
                "name": name,
                "took_ms": middle,
                "p95_ms": each[min(len(each) - 1, int(0.95 * len(each)))],
                "share": middle / longest,
                "count": len(each),
                "from": "newest stored traces",
            }
        )
    return found


def _record(record: Sequence[SpanRow]) -> dict[str, Any]:
    root = record[0]
    queue_ms = float(root.attributes.get(QUEUE_MS, 0.0))
    return {
        "root": root.name,
        "started_ms": root.start_ns / NS_MS,
        "queue_ms": queue_ms,
        "total_ms": (max(span.end_ns for span in record) - root.start_ns) / NS_MS,
        "resource": root.resource,
        "spans": list(_spans(record, root.start_ns)),
    }


def _spans(record: Sequence[SpanRow], start_ns: int) -> Iterator[dict[str, Any]]:
    depths: dict[str, int] = {}
    for span in record:  # a parent stands before its children
        depths[span.span_id] = depths.get(span.parent_id, -1) + 1
        yield {
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "name": span.name,
            "kind": span.kind,
            "depth": depths[span.span_id],
            "start_ms": (span.start_ns - start_ns) / NS_MS,
            "start_at_ms": span.start_ns / NS_MS,
            "took_ms": (span.end_ns - span.start_ns) / NS_MS,
            "error": span.error,
            "notes": notes(span),
            "attributes": span.attributes,
        }
