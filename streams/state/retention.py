"""What was deleted: input that nobody had read, and outputs with their topic. It is counted, told, and gone on from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from foreshock import lineage
from foreshock.contract import DataQuality, Origin, QualityKind
from foreshock.features.health import VERDICTS
from foreshock.streams.outputs import TOPIC_OF
from foreshock.streams.topics import TopicInfo


def topic_ids(topics: Mapping[str, TopicInfo]) -> tuple[str, ...]:
    """Give Kafka's ids of the output topics, each as ``name=id``."""
    return tuple(f"{topics[name].name}={topics[name].topic_id}" for name in sorted(set(TOPIC_OF.values())))


def remade(stored: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    """Give the names of topics that were there when the state was stored, and were made again since."""
    now = dict(each.split("=") for each in found)
    for each in stored:
        name, _, topic_id = each.partition("=")
        if now.get(name, topic_id) != topic_id:
            yield name


def lost(topic: str, topic_id: str, partition: int, first: int, end: int) -> DataQuality:
    """Say which records of a partition were deleted unread.

    Parameters
    ----------
    first, end
        The first offset that is gone, and the first one that is there again.

    Returns
    -------
    DataQuality
        Of no asset: whose records they were nobody knows. `origin` is the first offset, `value` their number (offsets
        of transaction markers count too), both times are 0: there is no record to take them from.
    """
    detail = f"{end - first} records, offsets {first} to {end - 1}, were deleted by retention before they were read"
    return _lost(
        topic, Origin(topic=topic, topic_id=topic_id, partition=partition, offset=first, ingest_ns=0), end, detail
    )


def gone(output: str, topic: str, topic_id: str, partition: int, end: int) -> DataQuality:
    """Say that an output topic was deleted and made again, and up to which input its records are gone.

    Parameters
    ----------
    output
        Name of the output topic.
    topic, topic_id
        The input.
    end
        What was published of the inputs below this offset stood on the former topic.

    Returns
    -------
    DataQuality
        As of `lost`; `origin` and `value` are of the input.
    """
    origin = Origin(topic=topic, topic_id=topic_id, partition=partition, offset=0, ingest_ns=0)
    detail = f"the topic was deleted and made again: what it held of the inputs at offsets 0 to {end - 1} is gone"
    return _lost(output, origin, end, detail)


def _lost(topic: str, origin: Origin, end: int, detail: str) -> DataQuality:
    says = VERDICTS[QualityKind.LOST]  # of a topic, not of a sensor: no health
    return DataQuality(
        event_id=lineage.event_id("quality.lost.raised", origin, 0, topic, str(end)),
        asset="",
        point=f"{topic}/{origin.partition}",
        channel="",
        kind=QualityKind.LOST,
        raised=True,
        source_ns=0,
        ingest_ns=0,
        value=float(end - origin.offset),
        limit=0.0,
        detail=f"{topic} partition {origin.partition}: {detail}",
        cause=says.cause,
        ne107=says.ne107,
        origin=origin,
        trace_id=lineage.trace_id(origin),
        layer=says.layer,
        why=says.why,
    )
