"""Where the samples come from."""

from __future__ import annotations

from dataclasses import replace

from foreshock.contract import Origin

AT_NS = 1_780_000_000_123_456_789
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORIGIN = Origin(
    topic="sensors.v1",
    topic_id="q83vEjRWeJCrze8SNFZ4kA",
    partition=3,
    offset=41_234,
    ingest_ns=AT_NS + 250_000_000,
    schema="json",
    traceparent=TRACEPARENT,
    tracestate="gw=00f067aa0ba902b7",
)
RAW = replace(ORIGIN, schema="", traceparent=None, tracestate=None)
