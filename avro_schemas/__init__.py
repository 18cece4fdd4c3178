"""The public contract: one Avro record a file."""
