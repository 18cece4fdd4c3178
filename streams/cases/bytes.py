"""The bytes of a case: its Avro body, the sha256 of that, and the pieces of one that is too large for a record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from foreshock.cases import CasePart, PartKind
from foreshock.streams.codec import schemas
from foreshock.streams.codec.framing import CONFLUENT, CONFLUENT_HEAD, SINGLE_OBJECT_HEAD


def body_of(value: bytes) -> bytes:
    """Give the Avro body of a value: what the sha256 of a case is of."""
    return value[CONFLUENT_HEAD if value.startswith(CONFLUENT) else SINGLE_OBJECT_HEAD :]


def digest(body: bytes) -> str:
    """Give the sha256 by which an anomaly names its case."""
    return hashlib.sha256(body).hexdigest()


def chunks(event_id: str, body: bytes, size: int) -> Iterator[CasePart]:
    """Cut the body of a case that is too large for one record into parts of at most `size` bytes."""
    count, whole, schema = -(-len(body) // size), digest(body), schemas.current()["Case"].hex
    for number in range(count):
        piece = body[number * size : (number + 1) * size]
        yield CasePart(
            event_id=event_id,
            kind=PartKind.CHUNK,
            number=number,
            count=count,
            value=piece,
            sha256=whole,
            note=schema,
        )
