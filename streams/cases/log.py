"""Replay without a case: the asset's records are read from Kafka by their offsets and folded in from the first one.

This proves less than a case does. It needs all records of the asset since the worker's first one, and its master data as it
was all the time; what is known to be missing is said in a note.
"""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import Consumer

from foreshock import lineage
from foreshock.contract import Anomaly, Asset, Block, InputRange, Origin, Score
from foreshock.detection import reference_of, spec_of
from foreshock.errors import InputRejected
from foreshock.fleet import Fleet
from foreshock.replay import Difference, Verdict, compare, verdict
from foreshock.settings import Settings
from foreshock.streams.border import Border
from foreshock.streams.cases.reading import score_of
from foreshock.streams.cases.search import Sighting
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.coders import decoder_for, registry_for
from foreshock.streams.errands.tailing import records
from foreshock.streams.kafka import bounds, reader_config
from foreshock.streams.topics import inspect

_BATCH = 256
_ANSWER_S = 10.0
_EARLIER_MS = 60_000


def replay_log(settings: Settings, seen: Sighting) -> Verdict:
    """Compute an event again from the records on Kafka, with the settings of detection that are given now."""
    anomaly, place = seen.anomaly, seen.anomaly.lineage.inputs[-1]
    notes = [
        "computed from the log, from the asset's first record on, with the settings of detection that are in force here"
    ]
    topic = inspect(settings)["sensors.v1"]
    if topic.topic_id != place.topic_id:
        there = Difference("topic", place.topic_id, topic.topic_id)
        return verdict(anomaly, [there], f"topic {place.topic} was made again: its records are gone")
    first = _first(settings, topic.name, place.partition)
    if first > place.last:
        return verdict(anomaly, [Difference("record", place.last, None)], f"records below {first} are gone")
    if first:
        notes.append(f"records below offset {first} are gone: a difference may come from that")
    fleet = Fleet(spec_of(settings), reference=reference_of(settings), assets=[_master_data(settings, anomaly, notes)])
    outcome = None
    batch: list[Block] = []
    for block in _blocks(settings, anomaly, place):
        batch.append(block)
        last = block.origin.offset == place.last
        if last or len(batch) == _BATCH:
            outcome = fleet.receive(batch)[-1]
            batch.clear()
    if outcome is None or outcome.score.origin.offset != place.last:
        return verdict(anomaly, [Difference("record", place.last, None)], *notes)
    return verdict(
        anomaly, list(compare(anomaly, _score(settings, seen, outcome.score.score_id, notes), outcome)), *notes
    )


def _first(settings: Settings, topic: str, partition: int) -> int:
    """Give the oldest offset that the broker still has."""
    consumer = Consumer(reader_config(settings))
    try:
        return bounds(consumer, topic, partition, _ANSWER_S)[0]
    finally:
        consumer.close()


def _blocks(settings: Settings, anomaly: Anomaly, place: InputRange) -> Iterator[Block]:
    """Give the asset's records up to the event's, as a worker takes them; what became a dead letter is left out."""
    border = Border(
        inspect(settings)["sensors.v1"],
        partitioner=settings.topics.partitioner,
        largest=settings.topics.max_message_bytes,
        decoder=decoder_for(settings),
    )
    key = anomaly.asset.encode()
    for message in records(settings, "sensors.v1", beginning=True, follow=False, only=place.partition):
        if (message.offset() or 0) > place.last:
            return
        if message.key() == key:
            try:
                yield border.block(message, border.origin(message))
            except InputRejected:
                continue


def _master_data(settings: Settings, anomaly: Anomaly, notes: list[str]) -> Asset:
    """Give the master data whose hash the event names; the defaults where it is on record no more."""
    decoder, key = decoder_for(settings), anomaly.asset.encode()
    unregistered = Asset(asset=anomaly.asset, registered=False)
    if lineage.asset_record(unregistered) == anomaly.lineage.asset_record:
        return unregistered
    for message in records(settings, "assets.v1", beginning=True, follow=False):
        if message.key() == key and message.value() is not None:
            place = Origin(
                topic="", topic_id="", partition=0, offset=0, ingest_ns=0
            )  # an asset's record has no use of it
            try:
                asset = decoder.decode_asset(message.value(), origin=place, key=key)
            except InputRejected:
                continue
            if lineage.asset_record(asset) == anomaly.lineage.asset_record:
                return asset
    notes.append("the master data that the event names is not on assets.v1 any more: the defaults were taken")
    return unregistered


def _score(settings: Settings, seen: Sighting, score_id: str, notes: list[str]) -> Score | None:
    """Give the score on record; None where scores.v1 holds it no more."""
    registry, since = registry_for(settings), seen.at_ms - _EARLIER_MS
    key = seen.anomaly.asset.encode()
    for message in records(
        settings, "scores.v1", beginning=True, follow=False, only=seen.partition, since_ms=max(since, 0)
    ):
        if message.key() == key:
            record = decode_output(message.value() or b"", registry)["record"]
            if record["score_id"] == score_id:
                return score_of(record)
    notes.append("its score is not on scores.v1: the event alone was compared")
    return None
