"""What retention deleted before anybody read it: counted, told, and gone on from the first record that is left."""

from __future__ import annotations

from foreshock import lineage
from foreshock.contract import DataQuality, Origin, QualityKind


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
    origin = Origin(topic=topic, topic_id=topic_id, partition=partition, offset=first, ingest_ns=0)
    count = end - first
    return DataQuality(
        event_id=lineage.event_id("quality.lost.raised", origin, 0, str(end)),
        asset="",
        point=f"{topic}/{partition}",
        channel="",
        kind=QualityKind.LOST,
        raised=True,
        source_ns=0,
        ingest_ns=0,
        value=float(count),
        limit=0.0,
        detail=f"{topic} partition {partition}: {count} records, offsets {first} to {end - 1}, were deleted by retention "
        "before they were read",
        cause="pipeline",
        ne107="check_function",
        origin=origin,
        trace_id=lineage.trace_id(origin),
    )
