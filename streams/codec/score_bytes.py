"""A Score written in one go: the hottest lines on the way out.

`make` gives the same bytes as the general writer does for the present schema, without a function call per field: what comes
again and again (names, places, versions) is kept as bytes, numbers side by side are packed together. A test holds the two
against each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from foreshock.contract import Score, ScoreRow
from foreshock.streams.codec.avro.writer import Append, Write, long_bytes

FIELDS = (
    *("score_id", "asset", "point", "origin", "mode", "rows", "quality", "feature_set", "model", "policy", "reference"),
    *("regime", "registered", "warmup", "learning", "delayed_s"),
)
ORIGIN = ("topic", "topic_id", "partition", "offset", "ingest_ns", "schema", "traceparent", "tracestate")
ROW = ("source_ns", "state", "reason", "value", "p_value", "alarm", "run_state", "features", "trend")
MOST = 4096  # texts that are kept
_DOUBLE = struct.Struct("<d").pack
_SOME = struct.Struct("<Bd").pack  # a double behind its branch, or behind a boolean
_BOTH = struct.Struct("<BdBd").pack
_FLOATS = [struct.Struct(f"<{count}f").pack for count in range(256)]
_HERE = 2  # the branch of an optional number that is there
_NOTHING = b"\0\0"


def usable(schema: Mapping[str, Any]) -> bool:
    """Say whether a schema has the fields that `make` writes, in their order."""
    fields = {each["name"]: each["type"] for each in schema["fields"]}
    return tuple(fields) == FIELDS and _names(fields["origin"]) == ORIGIN and _names(fields["rows"]["items"]) == ROW


def make(schema: Mapping[str, Any]) -> Write:
    """Make the writer of scores of a schema that is usable."""
    fields = {each["name"]: each["type"] for each in schema["fields"]}
    modes = _symbols(fields["mode"])
    row = _row({each["name"]: each["type"] for each in fields["rows"]["items"]["fields"]})
    keep = _keeper()

    def write(append: Append, score: Score) -> None:
        origin = score.origin
        append(_text(score.score_id))
        append(keep((score.asset, score.point, origin.topic, origin.topic_id)))
        append(long_bytes(origin.partition) + long_bytes(origin.offset) + long_bytes(origin.ingest_ns))
        append(keep((origin.schema,)))
        if origin.traceparent is None and origin.tracestate is None:
            append(_NOTHING)
        else:
            append(_optional(origin.traceparent) + _optional(origin.tracestate))
        append(modes[score.mode])
        append(long_bytes(len(score.rows)) if score.rows else b"")
        for each in score.rows:
            row(append, each)
        append(b"\0")
        if score.quality:
            append(long_bytes(len(score.quality)) + b"".join(map(_text, score.quality)))
        append(b"\0")
        append(keep((score.feature_set, score.model, score.policy, score.reference, score.regime)))
        append(_SOME(score.registered, score.warmup))
        append(keep((score.learning,)))
        append(_DOUBLE(score.delayed_s))

    return write


def _row(fields: Mapping[str, Any]) -> Callable[[Append, ScoreRow], None]:
    states, run_states = _symbols(fields["state"]), _symbols(fields["run_state"])

    def write(append: Append, row: ScoreRow) -> None:
        value, p_value, features, trend = row.value, row.p_value, row.features, row.trend
        append(long_bytes(row.source_ns))
        append(states[row.state])
        append(_text(row.reason) if row.reason else b"\0")
        if value is not None and p_value is not None:
            append(_BOTH(_HERE, value, _HERE, p_value))
        else:
            append(
                (b"\0" if value is None else _SOME(_HERE, value))
                + (b"\0" if p_value is None else _SOME(_HERE, p_value))
            )
        append(b"\1" if row.alarm else b"\0")
        append(run_states[row.run_state])
        count = len(features)
        if count:
            append(long_bytes(count))
            append(_FLOATS[count](*features) if count < len(_FLOATS) else struct.pack(f"<{count}f", *features))
        append(b"\0")
        append(b"\0" if trend is None else _SOME(_HERE, trend))

    return write


def _keeper() -> Callable[[tuple[str, ...]], bytes]:
    """Make what gives the bytes of neighbouring texts, and keeps them."""
    known: dict[tuple[str, ...], bytes] = {}

    def keep(texts: tuple[str, ...]) -> bytes:
        data = known.get(texts)
        if data is None:
            if len(known) >= MOST:  # names of assets are the producers' to choose
                known.clear()
            data = known[texts] = b"".join(map(_text, texts))
        return data

    return keep


def _text(text: str) -> bytes:
    data = text.encode()
    return long_bytes(len(data)) + data


def _optional(text: str | None) -> bytes:
    return b"\0" if text is None else b"\2" + _text(text)


def _names(record: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["name"] for each in record["fields"])


def _symbols(enum: Mapping[str, Any]) -> dict[str, bytes]:
    return {symbol: long_bytes(number) for number, symbol in enumerate(enum["symbols"])}
