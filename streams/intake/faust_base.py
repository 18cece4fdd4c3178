"""Faust's classes, cut down to what the product uses: batches as they are, and a consumer without tables and seeks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import faust
from faust.tables import TableManager
from faust.transport import consumer
from faust.types import TP, ConsumerMessage


class BatchSchema(faust.Schema[Any, Any]):
    """Passes a batch on as it is: decoding is the agent's work, so that nothing undecodable is lost on the way to it."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> None:
        """Give no key: a batch has many."""

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """Give the records."""
        return message.value


class NoTables(TableManager):
    """Tables, of which there are none: Faust would wait a second for them at each start."""

    async def on_start(self) -> None:
        """Start what a rebalance goes through."""
        await self._update_channels()
        await self.recovery.start()


class BareConsumer(consumer.Consumer):
    """A consumer that neither commits, seeks nor creates topics."""

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Do nothing, whenever Faust would commit: that is for the checkpoint alone."""
        return False

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Give the partition that was asked for; Faust sends nothing here."""
        return partition

    async def position(self, tp: TP) -> NoReturn:
        """Refuse."""
        _refuse()

    def highwater(self, tp: TP) -> NoReturn:
        """Refuse."""
        _refuse()

    async def seek_wait(self, partitions: Mapping[TP, int]) -> NoReturn:
        """Refuse."""
        _refuse()

    async def earliest_offsets(self, *partitions: TP) -> NoReturn:
        """Refuse."""
        _refuse()

    async def highwaters(self, *partitions: TP) -> NoReturn:
        """Refuse."""
        _refuse()

    def topic_partitions(self, topic: str) -> NoReturn:
        """Refuse."""
        _refuse()

    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> NoReturn:
        """Refuse."""
        _refuse()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return False

    async def _seek(self, partition: TP, offset: int) -> NoReturn:
        _refuse()

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> NoReturn:  # noqa: ASYNC109  # Faust's signature
        _refuse()

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        _refuse()

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)


def _refuse() -> NoReturn:
    raise NotImplementedError("Faust tables, changelogs and seeks are not used here")
