"""How long assets were watched and ran, from a sample of their scores: a month of them is too much to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from foreshock.contract import RunState
from foreshock.errors import InputRejected
from foreshock.settings import Settings
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.backward import between
from foreshock.streams.kafka import reader_config
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import inspect
from foreshock.streams.wire import decode_output

INSTANTS = 24  # of the interval, evenly spread; the standard error of a share is at most 0.5 / sqrt(24) = 0.1
RECORDS = 400  # of a partition at each instant
ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sample says of an asset.

    Attributes
    ----------
    observed_s
        From the first instant at which it was heard to the end of the interval.
    share
        Of the sampled scores that say it ran.
    """

    observed_s: float
    share: float


def running(settings: Settings, from_ns: int, until_ns: int) -> dict[str, Seen]:
    """Sample `scores.v1` by the time of the broker.

    Parameters
    ----------
    settings
        Where Kafka is.
    from_ns, until_ns
        The interval.

    Returns
    -------
    dict
        By asset; one that no sample met is not in it.
    """
    info = inspect(settings).get("scores.v1")
    if info is None:
        return {}
    registry = registry_for(settings)
    counts: dict[str, list[int]] = {}  # asset -> ran, of, first heard
    step = max((until_ns - from_ns) // INSTANTS, 1)
    consumer = reading(reader_config(settings))
    try:
        consumer.list_topics(info.name, timeout=ANSWER_S)  # by itself the client looks for leaders a second later
        instants = [_places(consumer, info.name, info.partitions, from_ns + n * step) for n in range(INSTANTS + 1)]
        for number, (places, after) in enumerate(pairwise(instants)):
            for message in _first(consumer, info.name, places, after):
                try:
                    record = decode_output(message, registry)["record"]
                except InputRejected:
                    continue
                _count(counts, record, from_ns + number * step)
    finally:
        consumer.close()
    return {name: Seen((until_ns - first) / 1e9, ran / of) for name, (ran, of, first) in counts.items()}


def _places(consumer: Consumer, topic: str, partitions: int, at_ns: int) -> dict[int, int]:
    """Offset of the first record of each partition that the broker took at a time or later; its end where there is none."""
    asked = [TopicPartition(topic, number, at_ns // 1_000_000) for number in range(partitions)]
    found = {each.partition: each.offset for each in consumer.offsets_for_times(asked, ANSWER_S)}
    for number, offset in found.items():
        if offset < 0:
            _, found[number] = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_S)
    return found


def _first(consumer: Consumer, topic: str, places: Mapping[int, int], after: Mapping[int, int]) -> Iterator[bytes]:
    """Values of the first records of each partition between two instants."""
    for number, place in places.items():
        end = min(after[number], place + RECORDS)
        if place < end:
            yield from (message.value() or b"" for message in between(consumer, topic, number, place, end))


def _count(counts: dict[str, list[int]], record: Mapping[str, Any], at_ns: int) -> None:
    rows = record["rows"]
    if rows:
        count = counts.setdefault(str(record["asset"]), [0, 0, at_ns])
        count[0] += rows[-1]["run_state"] == RunState.RUNNING
        count[1] += 1
