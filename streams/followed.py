"""The topics that every worker reads whole and follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from foreshock.classes.completing import Classes
from foreshock.contract import Asset
from foreshock.streams import wire
from foreshock.streams.alarms import AlarmReader
from foreshock.streams.assets import AssetReader
from foreshock.streams.codec.registry import Registry
from foreshock.streams.state.parents import Alarmed
from foreshock.streams.topics import TopicInfo
from foreshock.streams.whole import WholeReader


def followed(
    properties: Mapping[str, Any],
    topics: Mapping[str, TopicInfo],
    registry: Registry | None,
    submit: Callable[[Asset | Alarmed], None],
    *,
    classes: Classes,
    parents: bool,
) -> list[WholeReader]:
    """Make the readers of master data, completed by its classes, and of the alarms where some policy names `parents`."""
    decoder = wire.Decoder(registry, classes=classes)
    found: list[WholeReader] = [AssetReader(properties, topics["assets.v1"], decoder, submit)]
    if parents:
        found.append(AlarmReader(properties, topics["alarms.v1"], registry, submit))
    return found
