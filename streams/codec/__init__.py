"""Bytes to fields to records and back: framings, schemas, checks. `wire.py` stands on it; it knows no broker."""
