"""Who goes through assignments with the state: restored when partitions come, stored when they go, dropped when they are lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from foreshock.contract import DataQuality
from foreshock.streams.checkpoint import Checkpoint
from foreshock.streams.errors import aside
from foreshock.streams.publish import Publisher
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.folding import Folding
from foreshock.streams.state.gate import Gate
from foreshock.streams.state.ledger import Ledger, Partition
from foreshock.streams.state.places import Places
from foreshock.streams.state.recovery import Recovery, Start
from foreshock.streams.state.retention import gone, lost
from foreshock.streams.topics import TopicInfo
from foreshock.streams.walk import Walk

SETTLE_S = 5.0  # for outputs under way and a checkpoint, before partitions are given away


class Keeper:
    """Leads the parts of the state through an assignment; on the event loop.

    Parameters
    ----------
    recovery, checkpoint, places, folding, walk, custody, ledger, gate, publisher
        The parts.
    topic
        The input.
    tell
        Publishes records of quality for a partition.
    noted
        Told when partitions are "assigned" (and how many seconds it took), "revoked" or "lost"; it only watches.
    """

    def __init__(
        self,
        *,
        recovery: Recovery,
        checkpoint: Checkpoint,
        places: Places,
        folding: Folding,
        walk: Walk,
        custody: Custody,
        ledger: Ledger,
        gate: Gate,
        publisher: Publisher,
        topic: TopicInfo,
        tell: Callable[[Sequence[DataQuality]], None],
        noted: Callable[[str, float], object],
    ) -> None:
        self._recovery = recovery
        self._checkpoint = checkpoint
        self._places = places
        self._folding = folding
        self._walk = walk
        self._custody = custody
        self._ledger = ledger
        self._gate = gate
        self._publisher = publisher
        self._topic = topic
        self._tell = tell
        self._noted = noted
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recovery")

    async def take_up(self, generation: int, committed: Mapping[Partition, int | None]) -> Mapping[Partition, int]:
        """Restore partitions, in a thread of its own: nothing else uses the Fleet until it is done."""
        loop, begun = asyncio.get_running_loop(), time.monotonic()
        async with self._checkpoint.lock:
            starts = await loop.run_in_executor(self._thread, self._recovery.take_up, committed)
        positions = {partition: start.position for partition, start in starts.items()}
        self._ledger.start(positions)
        self._checkpoint.assigned(
            {partition: start.committed for partition, start in starts.items()},
            {partition: start.stale for partition, start in starts.items()},
            claims={partition for partition, start in starts.items() if start.claim},
        )
        self._folding.assigned(starts)
        self._walk.published = {number: start.published for (_, number), start in starts.items()}
        self._tell_lost(starts)
        await self._places.assigned(starts, self._checkpoint.put)
        if any(start.claim for start in starts.values()):
            await self._checkpoint.claim()
        self._gate.open(generation)
        aside(self._noted, "assigned", time.monotonic() - begun)
        return positions

    async def settle(self) -> None:
        """Have what is under way delivered, and as much as possible of what changed in a checkpoint."""
        self._gate.close()
        deadline = time.monotonic() + SETTLE_S
        await self._publisher.drain(deadline)
        await self._checkpoint.settle(deadline + 1)
        self._checkpoint.abandon()
        self._custody.settle(self._ledger.positions())
        aside(self._noted, "revoked", 0.0)

    def lose(self) -> None:
        """Drop everything."""
        self._gate.close()
        self._checkpoint.abandon()
        self._publisher.forget()
        self._custody.drop(list(self._custody.partitions()))
        aside(self._noted, "lost", 0.0)

    def close(self) -> None:
        """End the thread; what it restores is not wanted any more."""
        self._recovery.stopping.set()
        self._thread.shutdown(wait=False)

    def _tell_lost(self, starts: Mapping[Partition, Start]) -> None:
        """Tell what was deleted; who goes on from the same checkpoint tells it again, with the same id."""
        topic_id = self._topic.topic_id
        found = []
        for (topic, number), start in starts.items():
            if start.lost:
                found.append(lost(topic, topic_id, number, *start.lost))
            found += [
                gone(output, topic, topic_id, number, start.committed) for output in start.gone if start.committed
            ]
        self._tell(found)
