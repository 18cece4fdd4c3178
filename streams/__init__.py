"""The shell: the only place for I/O.

intake   Kafka's records to batches: librdkafka under Faust's agents
codec    bytes to fields to records and back; `wire` stands on it
state    what keeps the state of the assets on `state.v1` and restores it
cases    the evidence of an anomaly: made, stored, found, read
spans    traces of records; `telemetry` stands on it
sinks    delivery of alerts to people and systems, in a process of its own
errands  what commands do on the topics beside the worker

Beside them: the worker from `process` over `app` to `agents`, the stages of its walk, and what all of them share.
"""
