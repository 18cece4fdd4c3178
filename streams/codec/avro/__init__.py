"""Avro binary encoding for schemas that we chose ourselves, with every length checked before anything is read.

A general library decodes whatever a schema asks for: five bytes can ask for four billion nulls, and a recursive schema for
any depth. This reader takes none of that, never allocates more than the message holds, and names the field at fault. Schemas
themselves are parsed and fingerprinted by fastavro (docs/adr/0008-own-bounded-avro-reader.md).
Specification: https://avro.apache.org/docs/1.12.0/specification/
"""
