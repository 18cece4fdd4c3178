"""Master data: `assets.v1` is read whole before the first block is scored, and then followed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Message

from foreshock.contract import Asset
from foreshock.errors import InputRejected
from foreshock.streams.border import origin_of
from foreshock.streams.errors import attempt
from foreshock.streams.logs import of_record
from foreshock.streams.topics import TopicInfo
from foreshock.streams.whole import WholeReader
from foreshock.streams.wire import Decoder

log = logging.getLogger("foreshock.worker")


class AssetReader(WholeReader):
    """Reads all master data: every worker knows every asset.

    A record that cannot be used is told in the log with its place and reason; the asset keeps the record before it.
    """

    def __init__(
        self, properties: Mapping[str, Any], topic: TopicInfo, decoder: Decoder, on_asset: Callable[[Asset], None]
    ) -> None:
        super().__init__(properties, topic, "assets")
        self._decoder = decoder
        self._on_asset = on_asset

    def _use(self, message: Message) -> None:
        if message.value() is None:
            return  # a tombstone: the asset keeps what it is until the next start
        origin = origin_of(message, self._topic)
        asset = attempt(self._decoder.decode_asset, message.value(), origin=origin, key=message.key())
        if isinstance(asset, InputRejected):
            place = (origin.topic, origin.partition, origin.offset)
            log.warning("%s partition %d offset %d not used: %s", *place, asset, extra=of_record(origin))
        else:
            self._on_asset(asset)
