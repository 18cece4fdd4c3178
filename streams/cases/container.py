"""An Avro object container that proves itself: the file of a case, and of the windows around work.

Any Avro tool reads it. Ours takes only what it would write itself: the header is made anew from the schemas that it names
and must be the same bytes, and it holds the sha256 of all that follows. So no flipped bit goes unnoticed.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from foreshock.errors import CaseRejected, InputRejected
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.container import MAGIC
from foreshock.streams.codec.avro.reader import make
from foreshock.streams.codec.avro.schema import Schema, SchemaError
from foreshock.streams.codec.avro.writer import long_bytes

_SYNC = 16
_META = make({"type": "map", "values": "bytes"}, {"type": "map", "values": "bytes"})
_LONG = make("long", "long")

Entry = tuple[int, bytes]  # which of the file's schemas, and the Avro body


def pack(prints: tuple[bytes, ...], entries: Iterable[Entry], seed: str) -> bytes:
    """Give the bytes of a file; the same content gives the same bytes.

    Parameters
    ----------
    prints
        Fingerprints of the schemas.
    seed
        What the sync marker is made of.
    """
    sync = hashlib.sha256(seed.encode()).digest()[:_SYNC]
    blocks = b"".join(
        long_bytes(1) + long_bytes(len(body) + 1) + long_bytes(kind) + body + sync for kind, body in entries
    )
    return _header(prints, sync, blocks) + blocks


def unpack(data: bytes, kinds: tuple[str, ...]) -> tuple[tuple[bytes, ...], list[Entry]]:
    """Give the fingerprints of a file's schemas, and its entries.

    Parameters
    ----------
    kinds
        Names that its schemas must have.

    Raises
    ------
    CaseRejected
        It is not as `pack` has written it, or holds something else.
    """
    if not data.startswith(MAGIC):
        raise CaseRejected("not a case file: it does not start as an Avro container does")
    with_reason = (InputRejected, SchemaError, ValueError, KeyError, TypeError, IndexError, AttributeError)
    try:
        meta, at = _META(data, len(MAGIC))
        prints = tuple(bytes.fromhex(each) for each in json.loads(meta["foreshock.schemas"]))
        blocks = data[at + _SYNC :]
        known = [schemas.by_fingerprint().get(each) for each in prints]
        if None in known:
            raise CaseRejected(f"the file was written by a release with other schemas: {meta['foreshock.schemas']!r}")
        found = tuple(each.name for each in known if each)
        if found != kinds:
            raise CaseRejected(f"the file holds {', '.join(found)}; expected is a file of {', '.join(kinds)}")
        if data[: at + _SYNC] != _header(prints, data[at : at + _SYNC], blocks):
            raise CaseRejected("the file is damaged: its header or its sha256 does not fit what is in it")
        return prints, list(_entries(blocks, data[at : at + _SYNC]))
    except with_reason as exc:
        raise CaseRejected(f"the case file is damaged: {exc!r}"[:300]) from exc


def decode(name: str, fingerprint: bytes, body: bytes) -> Mapping[str, Any]:
    """Read an entry to plain fields.

    Raises
    ------
    CaseRejected
        It is damaged.
    """
    try:
        found, end = make(schemas.by_fingerprint()[fingerprint].schema, schemas.current()[name].schema)(body, 0)
    except (InputRejected, SchemaError, ValueError, KeyError, TypeError, IndexError) as exc:
        raise CaseRejected(f"the case file is damaged: {exc!r}"[:300]) from exc
    if end != len(body):
        raise CaseRejected(f"{len(body) - end} bytes are left behind a record of type {name}")
    return dict(found)


def present(name: str) -> bytes:
    """Give the fingerprint of a schema as it is now."""
    return schemas.current()[name].fingerprint


def _entries(blocks: bytes, sync: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(blocks):
        count, at = _LONG(blocks, at)
        size, at = _LONG(blocks, at)
        end = at + size
        if count != 1 or not 0 < size <= len(blocks) - at or blocks[end : end + _SYNC] != sync:
            raise CaseRejected("a block of the file ends in the wrong place")
        kind, start = _LONG(blocks, at)
        yield kind, blocks[start:end]
        at = end + _SYNC


def _header(prints: tuple[bytes, ...], sync: bytes, blocks: bytes) -> bytes:
    meta = {
        "avro.codec": b"null",
        "avro.schema": _schema(prints),
        "foreshock.schemas": json.dumps([each.hex() for each in prints]).encode(),
        "foreshock.sha256": hashlib.sha256(blocks).hexdigest().encode(),
    }
    entries = b"".join(
        long_bytes(len(name)) + name.encode() + long_bytes(len(value)) + value for name, value in meta.items()
    )
    return MAGIC + long_bytes(len(meta)) + entries + long_bytes(0) + sync


@lru_cache(maxsize=16)
def _schema(prints: tuple[bytes, ...]) -> bytes:
    return json.dumps(_union([schemas.by_fingerprint()[each].schema for each in prints])).encode()


def _union(types: Iterable[Schema]) -> list[Schema]:
    """Give a union of records that share named types: each is defined where it first stands."""
    defined: set[str] = set()

    def once(node: Schema) -> Schema:
        if isinstance(node, list):
            return [once(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "name" in node and node.get("type") in {"record", "enum", "fixed"}:
            if node["name"] in defined:
                return f"{schemas.NAMESPACE}.{node['name']}"
            defined.add(node["name"])
        inner = {
            name: [{**field, "type": once(field["type"])} for field in value] if name == "fields" else once(value)
            for name, value in node.items()
            if name in {"fields", "items", "values", "type"}
        }
        return {**node, **inner}

    return [once(copy.deepcopy(each)) for each in types]
