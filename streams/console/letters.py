"""Dead letters: a list from memory, and one with its bytes from Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer

from foreshock.contract import Reason
from foreshock.errors import InputRejected
from foreshock.streams.codec.registry import Registry
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.reading import one
from foreshock.streams.console.seen import letter_line
from foreshock.streams.errands.show import plain, with_samples
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import decode_output

SHOWN = 4096  # bytes of a value
ROW = 16


def letters(plant: Plant, reason: str, limit: int) -> dict[str, Any]:
    """Give the newest dead letters."""
    found = sorted(plant.letters, key=lambda each: -float(each["at_ms"]))
    wanted = [each for each in found if reason in {"", each["reason"]}]
    return {"total": sum(plant.reasons.values()), "by_reason": plant.reasons, "letters": wanted[:limit]}


def letter(client: Consumer, topic: TopicInfo, registry: Registry | None, place: tuple[int, int]) -> dict[str, Any]:
    """Give a dead letter with its bytes.

    Raises
    ------
    Problem
        It is not kept, or is no dead letter.
    """
    message = one(client, topic.name, *place)
    value = message.value()
    if value is None:
        raise Problem("not_found", "this record notes that a dead letter was sent again; it is none itself")
    record = decode_output(value, registry)["record"]
    key, data = record["key"] or b"", record["value"] or b""
    return {
        "partition": place[0],
        "offset": place[1],
        "at_ms": float(message.timestamp()[1]),
        **letter_line(record),
        "sentence_of_reason": _SENTENCES.get(record["reason"], ""),
        "topic_id": record["origin"]["topic_id"],
        "headers": [[each["name"], _text(each["value"])] for each in record["headers"]],
        "key": {"text": key.decode("utf-8", "replace"), "hex": key.hex(" ")},
        "value": {
            "size": record["value_size"],
            "kept": len(data),
            "sha256": record["value_sha256"],
            "null": record["value"] is None,
            "shown": min(len(data), SHOWN),
            **dump(data[:SHOWN]),
        },
        "decoded": decoded(data, registry),
    }


def dump(data: bytes) -> dict[str, list[str]]:
    """Write bytes as people read them: offset and hexadecimal, and beside it what can be printed."""
    rows = [data[at : at + ROW] for at in range(0, len(data), ROW)]
    return {
        "hex": [f"{ROW * number:06x}  {row.hex(' ')}" for number, row in enumerate(rows)],
        "ascii": ["".join(chr(each) if 32 <= each < 127 else "." for each in row) for row in rows],
    }


def decoded(data: bytes, registry: Registry | None) -> Mapping[str, Any] | None:
    """Decode the original without judging it; None: that cannot be done."""
    try:
        found = decode_output(data, registry)
    except InputRejected:
        return None
    return {"schema": found["schema"], "record": plain(with_samples(found["record"]))}


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


_SENTENCES: Mapping[str, str] = {
    Reason.EMPTY: "the value has no bytes",
    Reason.NULL_VALUE: "the value is null",
    Reason.NULL_KEY: "the record has no key, so its asset has no order",
    Reason.KEY_MISMATCH: "the key is not the asset that the value names",
    Reason.UNKNOWN_FRAMING: "the first bytes are of no framing that is known",
    Reason.UNKNOWN_SCHEMA: "the value was written with a schema that is not known here",
    Reason.TRUNCATED: "the value ends in the middle of a field",
    Reason.TRAILING_BYTES: "bytes are left behind the record",
    Reason.BAD_LENGTH: "a length in the value is more than there are bytes",
    Reason.MALFORMED: "the value is not of its schema's form",
    Reason.NOT_FINITE: "a sample is not a number, or is infinite",
    Reason.NO_SAMPLES: "the block holds no samples",
    Reason.COUNT_MISMATCH: "the samples are not as many as stated",
    Reason.BAD_RATE: "the sampling rate cannot be one",
    Reason.BAD_TIMESTAMP: "the time cannot be one",
    Reason.UNKNOWN_UNIT: "the unit is not known",
    Reason.UNIT_MISMATCH: "the unit is not one of the quantity",
    Reason.TOO_LARGE: "the value is larger than is allowed",
    Reason.WRONG_PARTITION: "the producer spreads keys over partitions in another way than the worker",
    Reason.NO_ROOM: "machines or measuring points that nobody registered have all the state there is room for",
    Reason.INTERNAL_ERROR: "the worker failed on this record: a defect of ours",
    Reason.UNDELIVERABLE: "a sink refuses this alert",
}
