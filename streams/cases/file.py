"""A case as a file: an Avro object container that holds an Anomaly, its Case, and the raw records around the event.

Any Avro tool reads it. Ours takes only what it would write itself: the header is made anew from the schemas that it names
and must be the same bytes, and it holds the sha256 of all that follows. So no flipped bit goes unnoticed; that nobody
changed the case on purpose is shown by the sha256 that the Anomaly names, and by the replay, which computes the Anomaly.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from foreshock.cases import CasePart, PartKind
from foreshock.contract import Anomaly
from foreshock.errors import CaseRejected, InputRejected
from foreshock.streams.cases.bytes import body_of, digest
from foreshock.streams.cases.reading import anomaly_of, part_of
from foreshock.streams.codec import schemas
from foreshock.streams.codec.avro.container import MAGIC
from foreshock.streams.codec.avro.reader import make
from foreshock.streams.codec.avro.schema import Schema, SchemaError
from foreshock.streams.codec.avro.writer import long_bytes
from foreshock.streams.codec.encode import Encoder

_SYNC = 16
_META = make({"type": "map", "values": "bytes"}, {"type": "map", "values": "bytes"})
_LONG = make("long", "long")
_KINDS = ("Anomaly", "Case", "CasePart")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What a file holds: the event, the Avro body of its case with the fingerprint of its schema, raw records around."""

    anomaly: Anomaly
    body: bytes
    fingerprint: bytes
    parts: tuple[CasePart, ...] = ()


def write(case: CaseFile) -> bytes:
    """Give the bytes of the file; the same case gives the same bytes."""
    encode = Encoder().encode
    prints = (_present("Anomaly"), case.fingerprint, _present("CasePart"))
    raw = sorted((each for each in case.parts if each.kind is not PartKind.CHUNK), key=_place)
    entries = [(0, body_of(encode(case.anomaly))), (1, case.body), *((2, body_of(encode(each))) for each in raw)]
    sync = hashlib.sha256(case.anomaly.event_id.encode()).digest()[:_SYNC]
    blocks = b"".join(
        long_bytes(1) + long_bytes(len(body) + 1) + long_bytes(kind) + body + sync for kind, body in entries
    )
    return _header(prints, sync, blocks) + blocks


def read(data: bytes) -> CaseFile:
    """Read a file.

    Raises
    ------
    CaseRejected
        It is not as `write` has written it.
    """
    if not data.startswith(MAGIC):
        raise CaseRejected("not a case file: it does not start as an Avro container does")
    try:
        meta, at = _META(data, len(MAGIC))
        prints = tuple(bytes.fromhex(each) for each in json.loads(meta["foreshock.schemas"]))
        blocks = data[at + _SYNC :]
        known = [schemas.by_fingerprint().get(each) for each in prints]
        if [each and each.name for each in known] != list(_KINDS):
            raise CaseRejected(f"the file was written by a release with other schemas: {meta['foreshock.schemas']!r}")
        if data[: at + _SYNC] != _header(prints, data[at : at + _SYNC], blocks):
            raise CaseRejected("the file is damaged: its header or its sha256 does not fit what is in it")
        return _content(list(_entries(blocks, data[at : at + _SYNC])), prints)
    except (InputRejected, SchemaError, ValueError, KeyError, TypeError, IndexError, AttributeError) as exc:
        raise CaseRejected(f"the case file is damaged: {exc!r}"[:300]) from exc


def _content(entries: list[tuple[int, bytes]], prints: tuple[bytes, ...]) -> CaseFile:
    if [kind for kind, _ in entries[:2]] != [0, 1] or any(kind != 2 for kind, _ in entries[2:]):
        raise CaseRejected("a case file holds an Anomaly, its Case, and raw records, in this order")
    parts = tuple(part_of(_decode("CasePart", prints[2], body)) for _, body in entries[2:])
    for part in parts:
        if part.value is not None and digest(part.value) != part.sha256:
            raise CaseRejected(f"the raw record at offset {part.number} is damaged")
    return CaseFile(anomaly_of(_decode("Anomaly", prints[0], entries[0][1])), entries[1][1], prints[1], parts)


def _decode(name: str, fingerprint: bytes, body: bytes) -> Mapping[str, Any]:
    found, end = make(schemas.by_fingerprint()[fingerprint].schema, schemas.current()[name].schema)(body, 0)
    if end != len(body):
        raise CaseRejected(f"{len(body) - end} bytes are left behind a record of type {name}")
    return dict(found)


def _entries(blocks: bytes, sync: bytes) -> Iterator[tuple[int, bytes]]:
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


def _present(name: str) -> bytes:
    return schemas.current()[name].fingerprint


def _place(part: CasePart) -> tuple[int, int]:
    order = {PartKind.BEFORE: 0, PartKind.AFTER: 1, PartKind.WINDOW: 2, PartKind.CHUNK: 3}
    return order[part.kind], part.number
