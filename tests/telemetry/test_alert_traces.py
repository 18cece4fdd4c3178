"""Traces of alerts: a change belongs to the trace of what caused it, a block or a command, and is found by its alert."""

from __future__ import annotations

from dataclasses import replace

from foreshock.alerts.vocabulary import Change
from foreshock.streams.spans.store import SpanStore
from tests.wire import samples


def test_change_is_in_the_trace_of_its_block(make, records, tmp_path):
    """An ordinary block that raised an alert is always traced, with a span that sends the change."""
    telemetry = make(ratio=0, store=str(tmp_path))
    outcome = records.outcome()
    told = replace(samples.ALERT, origin=outcome.score.origin, change=Change.RAISED)
    telemetry.record(records.times(), [replace(outcome, alerts=(told,))])
    telemetry.close()

    store = SpanStore(tmp_path)
    spans = store.trace(store.find(told.alert_id[:8]) or "")
    send = next(span for span in spans if span.name == "send t.alerts.v1")
    assert send.event_id == told.event_id
    assert send.attributes["foreshock.change"] == "raised"
    assert {"process t.sensors.v1", "policy", "send t.scores.v1"} <= {span.name for span in spans}


def test_answer_is_in_the_trace_of_its_command(make, records, tmp_path):
    """The producer's span of a command is the parent; all that it led to hangs below."""
    telemetry = make(ratio=0, store=str(tmp_path))
    origin = replace(samples.ORIGIN, topic="t.control.v1", ingest_ns=records.now_ns)
    changes = [
        replace(samples.ALERT, origin=origin, event_id=digit * 32, change=change)
        for digit, change in (("3", Change.UNSHELVED), ("4", Change.RAISED))
    ]
    telemetry.told(changes, records.now_ns + 5)
    telemetry.close()

    store = SpanStore(tmp_path)
    trace_id = store.find("3" * 32)
    assert trace_id == samples.TRACEPARENT[3:35]
    root = next(span for span in store.trace(trace_id) if span.name == "process t.control.v1")
    sends = [span for span in store.trace(trace_id) if span.name == "send t.alerts.v1"]
    assert root.parent_id == samples.TRACEPARENT[36:52]
    assert {span.event_id for span in sends} == {"3" * 32, "4" * 32}
    assert {span.parent_id for span in sends} == {root.span_id}
