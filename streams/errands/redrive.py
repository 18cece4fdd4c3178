"""Dead letters: found again, shown, and sent once more after what was wrong with them was mended.

A record that is sent again comes at the end of its asset's order: where newer ones were folded in meanwhile it is late,
is flagged so, and nothing is learnt from it. Its headers are kept; `redriven_from` names the coordinates of the original,
`redriven` counts how often it was sent. That it was sent is noted on the dead-letter topic itself: a record without a
value, under the same key, with the header `redriven_letter`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from foreshock.contract import Origin, Reason
from foreshock.errors import OutputRefused, Unavailable
from foreshock.records import from_tree
from foreshock.settings import Settings
from foreshock.streams.border import headers_of
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.tailing import records
from foreshock.streams.kafka import producer_config, reader_config
from foreshock.streams.topics import TopicInfo, inspect

LETTERS = "dead-letters.v1"
FROM, COUNT, LETTER = "redriven_from", "redriven", "redriven_letter"
_ANSWER_S = 10.0
_FLUSH_S = 60.0

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter as it stands on the topic."""

    event_id: str
    reason: str
    sentence: str
    field: str
    fix: str
    origin: Origin
    key: bytes | None
    value: bytes | None
    value_size: int
    value_sha256: str
    headers: tuple[tuple[str, bytes | None], ...]
    partition: int  # of the letter
    offset: int
    sent: int = 0  # times that it was redriven, as the topic notes it

    @property
    def rounds(self) -> int:
        """How often the record behind it had been redriven when it became this letter."""
        given = dict(self.headers).get(COUNT) or b"0"
        return int(given) if given.isdigit() else 0

    @property
    def whole(self) -> bool:
        """Whether the letter holds the whole value."""
        return len(self.value or b"") == self.value_size


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a letter: "" and the new coordinates, or why it was left."""

    letter: Letter
    why_not: str = ""
    partition: int = -1
    offset: int = -1


def letters(settings: Settings, *, reason: str = "", start: str = "") -> list[Letter]:
    """Read the dead letters: of one reason, or whose id begins so; one that came twice is given once."""
    registry = registry_for(settings)
    found: dict[str, dict[str, Any]] = {}
    sent: dict[str, int] = {}
    for message in records(settings, LETTERS, beginning=True, follow=False):
        value = message.value()
        if value is None:
            noted = _header(message, LETTER)
            sent[noted] = sent.get(noted, 0) + 1
            continue
        record = decode_output(value, registry)["record"]
        if reason in {"", record["reason"]} and record["event_id"].startswith(start):
            place = {"partition": message.partition(), "offset": message.offset()}
            found.setdefault(record["event_id"], {**record, **place})
    return [_letter(record, sent.get(event_id, 0)) for event_id, record in found.items()]


def _letter(record: dict[str, Any], sent: int) -> Letter:
    own = {
        "origin": from_tree(Origin, record["origin"]),
        "headers": tuple((each["name"], each["value"]) for each in record["headers"]),
    }
    return Letter(**{name: value for name, value in record.items() if name != "type"} | own, sent=sent)


def _header(message: Message, name: str) -> str:
    for key, value in headers_of(message):
        if key == name:
            return value.decode() if isinstance(value, bytes) else str(value)
    return ""


def redrive(
    settings: Settings, chosen: Iterable[Letter], *, mended: bytes | None = None, most: int = 3, again: bool = False
) -> Iterator[Sent]:
    """Send records again, one after the other, each acknowledged by the broker before the next.

    Parameters
    ----------
    mended
        Value in place of the original's.
    most
        Loop guard: a record that was redriven so often already is left.
    again
        Also letters that were redriven before.

    Raises
    ------
    OutputRefused
        The broker does not take a record.
    Unavailable
        It does not answer.
    """
    inputs = inspect(settings)
    producer = Producer({**producer_config(settings), "log_level": 2})
    for letter in chosen:
        value, why_not = (mended, "") if mended is not None else _original(settings, letter, inputs)
        if letter.reason == Reason.UNDELIVERABLE:
            why_not = "a sink refused it: `foreshock deliver --redrive` sends it there again"
        elif letter.sent and not again:
            why_not = "it was redriven before (--again sends it once more)"
        elif letter.rounds >= most:
            why_not = f"it was redriven {letter.rounds} times and became a dead letter each time: mend it first"
        if why_not:
            yield Sent(letter, why_not)
            continue
        new = _send(producer, letter.origin.topic, value, letter.key, _headers(letter))
        note: Headers = [(LETTER, letter.event_id.encode()), ("redriven_to", _place(new).encode())]
        _send(producer, settings.topics.prefix + LETTERS, None, letter.key, note, letter.partition)
        yield Sent(letter, "", new.partition() or 0, new.offset() or 0)


def _headers(letter: Letter) -> Headers:
    origin = letter.origin
    kept: Headers = [each for each in letter.headers if each[0] not in {FROM, COUNT}]
    first = dict(letter.headers).get(FROM) or f"{origin.topic}/{origin.partition}/{origin.offset}".encode()
    return [*kept, (FROM, first), (COUNT, b"%d" % (letter.rounds + 1))]


def _original(settings: Settings, letter: Letter, inputs: dict[str, TopicInfo]) -> tuple[bytes | None, str]:
    """Give the whole value: from the letter, or where that was cut from the topic that it came from."""
    if letter.whole:
        return letter.value, ""
    origin, cut = letter.origin, f"the letter holds {len(letter.value or b'')} of {letter.value_size} bytes"
    topic = next((each for each in inputs.values() if each.name == origin.topic), None)
    if topic is None or topic.topic_id != origin.topic_id:
        return None, f"{cut}, and topic {origin.topic} was made again since: give the record with --value"
    value = _read(settings, origin)
    if value is None or hashlib.sha256(value).hexdigest() != letter.value_sha256:
        return None, f"{cut}, and the original is gone from {origin.topic} by its retention: give it with --value"
    return value, ""


def _read(settings: Settings, origin: Origin) -> bytes | None:
    consumer = Consumer({**reader_config(settings), "auto.offset.reset": "error"})
    try:
        consumer.assign([TopicPartition(origin.topic, origin.partition, origin.offset)])
        message = consumer.poll(_ANSWER_S)
        there = message is not None and message.error() is None and message.offset() == origin.offset
        return message.value() if message is not None and there else None
    finally:
        consumer.close()


def _send(
    producer: Producer, topic: str, value: bytes | None, key: bytes | None, headers: Headers, partition: int = -1
) -> Message:
    taken: list[Message] = []
    refused: list[KafkaError] = []

    def report(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            refused.append(error)
        else:
            taken.append(message)

    producer.produce(topic, value, key, partition, on_delivery=report, headers=cast("Any", headers))
    producer.flush(_FLUSH_S)
    if refused:
        raise OutputRefused(f"topic {topic}: {refused[0].str()}")
    if not taken:
        raise Unavailable(f"topic {topic} took no record within {_FLUSH_S:.0f} s")
    return taken[0]


def _place(message: Message) -> str:
    return f"{message.topic()}/{message.partition()}/{message.offset()}"
