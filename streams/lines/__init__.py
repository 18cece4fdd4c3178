"""The incidents of lines: `alerts.v1` to `incidents.v1`, with a state and a checkpoint of its own (docs/adr/0014)."""
