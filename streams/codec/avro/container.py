"""Avro container files, for `foreshock validate`: their records one by one, as the bytes they have.

The schema in the file is only looked up: a file whose schema is none of ours is refused, as a message would be.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec.avro.reader import make
from foreshock.streams.codec.avro.schema import SchemaError, fingerprint

MAGIC = b"Obj\x01"
_SYNC = 16
_MOST_BYTES = 256 * 1024 * 1024
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
