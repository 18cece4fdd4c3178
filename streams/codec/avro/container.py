"""Avro container files: their records one by one, as the bytes they have (`foreshock validate`), and written likewise.

The schema in the file is only looked up: a file whose schema is none of ours is refused, as a message would be.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec.avro.reader import make
from foreshock.streams.codec.avro.schema import Schema, SchemaError, fingerprint
from foreshock.streams.codec.avro.writer import long_bytes

MAGIC = b"Obj\x01"
_SYNC = 16
_MOST_BYTES = 256 * 1024 * 1024
_BLOCK_BYTES = 256 * 1024  # of records that are written as one block
_META = make({"type": "map", "values": "bytes"}, {"type": "map", "values": "bytes"})
_LONG = make("long", "long")


def records(data: bytes, schemas: Mapping[bytes, object]) -> Iterator[tuple[bytes, bytes]]:
    """Give (fingerprint, bytes) of each record of a file.

    Parameters
    ----------
    schemas
        Allowed schemas by fingerprint.

    Raises
    ------
    InputRejected
        The file is damaged, or its schema is not allowed.
    """
    try:
        meta, at = _META(data, len(MAGIC))
        schema = json.loads(meta["avro.schema"])
        key = fingerprint(schema)
        if key not in schemas:
            fix = "write the file with a schema of `foreshock schema print`"
            raise InputRejected(Reason.UNKNOWN_SCHEMA, f"the file's schema ({key.hex()}) is none of ours", fix=fix)
        read = make(schema, schema)
        for count, block in _blocks(data, at, meta.get("avro.codec", b"null")):
            start = 0
            for _ in range(count):
                _, end = read(block, start)
                yield key, block[start:end]
                start = end
    except (IndexError, KeyError, ValueError, TypeError, SchemaError, RecursionError) as exc:
        sentence = f"the container file is damaged: {exc!r}"[:200]
        raise InputRejected(Reason.MALFORMED, sentence, fix="write the file again") from exc


def _blocks(data: bytes, at: int, codec: bytes) -> Iterator[tuple[int, bytes]]:
    if codec not in {b"null", b"deflate"}:
        sentence = f"the file is compressed with {codec.decode('ascii', 'replace')}"
        raise InputRejected(Reason.UNKNOWN_FRAMING, sentence, fix="write it without compression, or with deflate")
    sync = data[at : at + _SYNC]
    at += _SYNC
    while at < len(data):
        count, at = _LONG(data, at)
        size, at = _LONG(data, at)
        end = at + size
        if count < 0 or not 0 <= size <= len(data) - at or data[end : end + _SYNC] != sync:
            sentence = "a block of the container file ends in the wrong place"
            raise InputRejected(Reason.TRUNCATED, sentence, fix="write the file again")
        block = data[at:end]
        yield count, zlib.decompressobj(-15).decompress(block, _MOST_BYTES) if codec == b"deflate" else block
        at = end + _SYNC


def write(schema: Schema, metadata: Mapping[str, str], bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Give the pieces of a file, one after the other; the same records and metadata give the same bytes.

    Parameters
    ----------
    schema
        Of all records.
    metadata
        What stands in the head beside schema and codec; names that begin with `avro.` are Avro's own.
    bodies
        Avro bodies of the records.
    """
    entries = {"avro.codec": "null", "avro.schema": json.dumps(schema), **metadata}
    head = [long_bytes(len(entries))]
    for text in (part for entry in entries.items() for part in entry):
        head += [long_bytes(len(text.encode())), text.encode()]
    whole = MAGIC + b"".join(head) + long_bytes(0)
    sync = hashlib.sha256(whole).digest()[:_SYNC]
    yield whole + sync
    waiting: list[bytes] = []
    size = 0
    for body in bodies:
        waiting.append(body)
        size += len(body)
        if size >= _BLOCK_BYTES:
            yield _block(waiting, size, sync)
            waiting, size = [], 0
    if waiting:
        yield _block(waiting, size, sync)


def _block(bodies: list[bytes], size: int, sync: bytes) -> bytes:
    return long_bytes(len(bodies)) + long_bytes(size) + b"".join(bodies) + sync
