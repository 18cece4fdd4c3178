"""Headers of every output: W3C trace context, CloudEvents attributes (binary mode), and what is not part of the value.

When and by whom a record was scored stands here alone: the value is a function of its inputs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from foreshock.alerts.records import AlarmRecord, AlertTransition, WorkOrder
from foreshock.cases import Case
from foreshock.contract import Anomaly, DataQuality, DeadLetter, Score
from foreshock.signals import Diagnosis, FeatureVector
from foreshock.streams.codec.encode import content_type

_NS = 1_000_000_000
Signal = FeatureVector | Diagnosis
Output = Score | Anomaly | DataQuality | DeadLetter | AlertTransition | AlarmRecord | Case | WorkOrder | Signal


def headers(
    record: Output,
    *,
    traceparent: str,
    tracestate: str | None = None,
    scored_ns: int,
    worker: str,
    framing: str = "single-object",
) -> list[tuple[str, bytes]]:
    """Give the headers of an output.

    Parameters
    ----------
    traceparent
        W3C header of the span that published it.
    tracestate
        W3C header that the producer sent; passed on as it came. None: there is none.
    scored_ns
        Wall-clock time of scoring, since 1970 UTC.
    worker
        Who scored it.
    framing
        Of the value, for the media type.

    Returns
    -------
    list
        ``ce_time`` is the source time of what the record tells of.
    """
    event_id, kind, source, subject, at_ns = _attributes(record)
    found = [
        ("traceparent", traceparent.encode()),
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", kind),
        ("ce_source", source),
        ("ce_subject", subject),
        ("ce_time", iso(at_ns).encode()),
        ("content-type", content_type(framing).encode()),
        ("foreshock-scored-ns", b"%d" % scored_ns),
        ("foreshock-worker", worker.encode()),
    ]
    if tracestate is not None:
        found.insert(1, ("tracestate", tracestate.encode()))
    return found


def part_headers(found: list[tuple[str, bytes]], part_id: str) -> list[tuple[str, bytes]]:
    """Give the headers of a part of a case, from those of the case or its anomaly."""
    own = {"ce_id": part_id.encode(), "ce_type": b"io.foreshock.case-part.v1"}
    return [(name, own.get(name, value)) for name, value in found]


def iso(at_ns: int) -> str:
    """Write a time as RFC 3339 in UTC, to the nanosecond."""
    seconds, rest = divmod(at_ns, _NS)
    return f"{_second(seconds)}.{rest:09d}Z"


def _attributes(record: Output) -> tuple[str, bytes, bytes, bytes, int]:
    """Give id, type, source, subject and time."""
    if isinstance(record, Score):
        return (
            record.score_id,
            b"io.foreshock.score.v1",
            _source("", record.asset),
            _path(record.point),
            record.rows[-1].source_ns,
        )
    if isinstance(record, Anomaly):
        kind = f"io.foreshock.anomaly.{record.phase}.v1".encode()
        return record.event_id, kind, _source(record.site, record.asset), _path(record.point), record.source_ns
    if isinstance(record, DataQuality):
        kind = b"io.foreshock.quality.raised.v1" if record.raised else b"io.foreshock.quality.cleared.v1"
        subject = _path(f"{record.point}/{record.channel}" if record.channel else record.point)
        return record.event_id, kind, _source("", record.asset), subject, record.source_ns
    if isinstance(record, AlertTransition | AlarmRecord | WorkOrder):
        return _of_alert(record)
    return _of_window(record) if isinstance(record, FeatureVector | Diagnosis) else _of_record(record)


def _of_record(record: Case | DeadLetter) -> tuple[str, bytes, bytes, bytes, int]:
    origin = record.origin
    if isinstance(record, Case):  # its event has the id without the ending
        at_ns = origin.ingest_ns
        return f"{record.event_id}.case", b"io.foreshock.case.v1", _source("", record.asset), _path(record.point), at_ns
    source = _source("", f"{origin.topic}/{origin.partition}")
    return record.event_id, b"io.foreshock.dead-letter.v1", source, b"%d" % origin.offset, origin.ingest_ns


def _of_window(record: Signal) -> tuple[str, bytes, bytes, bytes, int]:
    source, subject = _source(record.site, record.asset), _path(record.point)
    if isinstance(record, FeatureVector):
        return record.vector_id, b"io.foreshock.features.v1", source, subject, record.until_ns
    kind = b"io.foreshock.diagnosis.named.v1" if record.fault else b"io.foreshock.diagnosis.withdrawn.v1"
    return record.diagnosis_id, kind, source, subject, record.until_ns


def _of_alert(record: AlertTransition | AlarmRecord | WorkOrder) -> tuple[str, bytes, bytes, bytes, int]:
    if isinstance(record, AlarmRecord):  # the change that led to it has the id without the ending
        event_id, source = f"{record.last_event_id}.alarm", _source("", record.asset)
        return event_id, b"io.foreshock.alarm.v1", source, _path(record.alert_id), record.changed_ns
    if isinstance(record, WorkOrder):
        kind, source = f"io.foreshock.work-order.{record.kind}.v1".encode(), _source("", record.asset)
        return record.record_id, kind, source, _path(record.work_order), record.at_ns
    kind = f"io.foreshock.{'incident' if record.members else 'alert'}.{record.change}.v1".encode()
    return record.event_id, kind, _source(record.site, record.asset), _path(record.alert_id), record.at_ns


@lru_cache(maxsize=65536)
def _source(site: str, asset: str) -> bytes:
    """Give the URI reference of an asset: ``//site/asset``, or ``/asset`` where the record names no site."""
    path = quote(asset, safe="/:@!$&'()*+,;=")
    return f"//{quote(site, safe='')}/{path}".encode() if site else f"/{path}".encode()


@lru_cache(maxsize=65536)
def _path(text: str) -> bytes:
    return text.encode()


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
