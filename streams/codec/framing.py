"""How a value says what it is: the first bytes.

``C3 01`` and 8 bytes of fingerprint (Avro single-object encoding), ``00`` and 4 bytes of schema id (Confluent), ``{`` (JSON).
"""

from __future__ import annotations

from enum import StrEnum

from foreshock.contract import Reason
from foreshock.errors import InputRejected

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
SINGLE_OBJECT_HEAD = 10
CONFLUENT_HEAD = 5
_SEND = "send Avro single-object encoding (C3 01 + fingerprint), Confluent framing (00 + schema id) or a JSON object"
_LOOKS_LIKE = (
    (
        b"Obj\x01",
        "an Avro container file",
        "send each record of the file as one Kafka record, in single-object encoding",
    ),
    (b"[", "a JSON array", "send one JSON object per record"),
    (b"\xef\xbb\xbf", "text with a byte order mark", "send the JSON without the byte order mark"),
    (b"\x1f\x8b", "gzip data", "compress with Kafka's compression.type, not the values"),
    (b"PAR1", "a Parquet file", "use `foreshock backfill` for files"),
)


class Framing(StrEnum):
    """The framings of a value."""

    SINGLE_OBJECT = "single-object"
    CONFLUENT = "confluent"
    JSON = "json"


def framing_of(value: bytes) -> Framing:
    """Tell the framing by the first bytes.

    Raises
    ------
    InputRejected
        The value is empty, has none of the framings, or ends inside its head.
    """
    if not value:
        raise InputRejected(Reason.EMPTY, "the value has no bytes", fix=_SEND)
    if value.startswith(SINGLE_OBJECT):
        return _whole(value, Framing.SINGLE_OBJECT, SINGLE_OBJECT_HEAD)
    if value.startswith(CONFLUENT):
        return _whole(value, Framing.CONFLUENT, CONFLUENT_HEAD)
    if value.lstrip(b" \t\r\n")[:1] == b"{":
        return Framing.JSON
    for start, name, fix in _LOOKS_LIKE:
        if value.startswith(start):
            raise InputRejected(Reason.UNKNOWN_FRAMING, f"the value looks like {name}", fix=fix)
    raise InputRejected(
        Reason.UNKNOWN_FRAMING, f"the value starts with {value[:4].hex(' ')}, which is no framing known here", fix=_SEND
    )


def named_schema(value: bytes | None) -> str:
    """Give the fingerprint that a value in single-object encoding names, hexadecimal; "" for any other, unjudged."""
    return value[2:SINGLE_OBJECT_HEAD].hex() if value is not None and value.startswith(SINGLE_OBJECT) else ""


def _whole(value: bytes, framing: Framing, head: int) -> Framing:
    if len(value) < head:
        sentence = f"the value ends inside the head of its framing: {len(value)} of {head} bytes"
        raise InputRejected(Reason.TRUNCATED, sentence, fix="send the record whole")
    return framing
