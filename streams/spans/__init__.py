"""Spans of a record: what they say, the OpenTelemetry SDK, and the local store."""
