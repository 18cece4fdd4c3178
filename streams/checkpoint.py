"""Checkpoints: the only place that commits.

In order: 1. the outputs are delivered: of everything that a snapshot in it has folded in. 2. One Kafka transaction takes
snapshots of a slice of the assets, a marker for each partition, and the input offsets with the group's metadata, so that
Kafka refuses it from a worker that is no longer in the group. Outputs are in no transaction: an alert hidden behind the open
transaction of a dead worker is worse than one that comes twice.

State is captured between two batches and sealed in another thread. A checkpoint that holds a part of the changed assets
says in its marker from where the others have to be replayed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from foreshock.detectors.snapshot import Keys
from foreshock.fleet import AssetState, Fleet
from foreshock.streams.errors import aside
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.ledger import Ledger, Partition
from foreshock.streams.state.places import Places
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.records import Marker, Place, StateRecord
from foreshock.streams.state.transactions import Transactions

log = logging.getLogger("foreshock.worker")
T = TypeVar("T")

QUICK_S, LONGEST_S = 0.01, 0.05  # of the loop: what a checkpoint takes anyway, and what it takes at most
LARGE_BYTES = 16 * 1024 * 1024  # of sealed snapshots in one transaction, about

Metadata = Callable[[], Awaitable[Any]]


class Outputs(Protocol):
    """What tells how far the outputs are (streams/publish.py)."""

    published: int

    async def delivered_up_to(self, count: int, deadline: float) -> bool:
        """Wait until that many outboxes are delivered."""
        ...


@dataclass(slots=True)
class _Slice:
    """State as it was between two batches."""

    epoch: int
    outboxes: int  # published until then
    states: list[AssetState] = field(default_factory=list)
    markers: dict[Partition, Marker] = field(default_factory=dict)
    spent: list[Place] = field(default_factory=list)
    left: int = 0  # assets that changed and are not in it


class Checkpoint:
    """Takes checkpoints, every few seconds and before partitions are given away.

    Parameters
    ----------
    fleet, custody, ledger, outputs, places
        What is captured, how far it is, and how far its outputs are.
    recipes
        By which settings the state is computed.
    transactions
        Commits.
    keys
        Seal; called in the checkpoint's thread.
    marker
        What all markers say: the ids of the topics, and the group.
    metadata
        Gives the consumer group's metadata; called in the loop.
    round_s
        Seconds within which every asset that changed is to be in a checkpoint.
    noted
        Told of each one: seconds, bytes of its snapshots, assets that are in none yet, whether it was committed. It only
        watches.
    """

    def __init__(
        self,
        fleet: Fleet,
        custody: Custody,
        ledger: Ledger,
        outputs: Outputs,
        places: Places,
        recipes: Recipes,
        transactions: Transactions,
        *,
        keys: Callable[[], Keys],
        marker: Marker,
        metadata: Metadata,
        round_s: float,
        noted: Callable[..., object],
    ) -> None:
        self._fleet = fleet
        self._custody = custody
        self._ledger = ledger
        self._outputs = outputs
        self._places = places
        self._recipes = recipes
        self._transactions = transactions
        self._keys = keys
        self._marker = marker
        self._metadata = metadata
        self._round_s = round_s
        self._noted = noted
        self._epoch = 0
        self._floor: dict[Partition, int] = {}
        self._stale: dict[Partition, tuple[str, ...]] = {}
        self._claims: set[Partition] = set()
        self._turn = 0
        self._mean_bytes = 64 * 1024.0  # of a sealed snapshot
        self.lock = asyncio.Lock()  # one at a time; held while partitions are taken up
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")  # librdkafka's calls block

    async def start(self) -> None:
        """Take up the identity for transactions."""
        await self._call(self._transactions.start)

    def assigned(
        self,
        committed: Mapping[Partition, int],
        stale: Mapping[Partition, tuple[str, ...]],
        *,
        claims: Collection[Partition] = (),
    ) -> None:
        """Begin an assignment: what is done, which keys of `state.v1` are to be taken back, and which markers are due."""
        self._floor = dict(committed)
        self._claims = set(claims)
        self._stale = {partition: keys for partition, keys in stale.items() if keys}

    def abandon(self) -> None:
        """End an assignment: what is under way of it is not committed any more, if that can be helped."""
        self._epoch += 1

    async def every(self, period_s: float) -> None:
        """Run for ever: take a checkpoint each period, or as often as a full round needs."""
        wait = period_s
        while True:
            await asyncio.sleep(wait)
            begun = time.monotonic()
            left, taken = await self._take(begun + max(period_s, 1.0), period_s)
            rounds = 1 + left // taken if taken else 1
            wait = max(min(period_s, self._round_s / rounds) - (time.monotonic() - begun), 0.05)

    async def settle(self, deadline: float) -> bool:
        """Take checkpoints until all that changed is in one, or until the deadline; say which."""
        while time.monotonic() < deadline:
            left, taken = await self._take(deadline, self._round_s)
            if not left:
                return True
            if not taken:
                return False
        return False

    async def claim(self) -> None:
        """Put on record whose the partitions are and by which settings they are computed, before anything comes of them."""
        await self._take(time.monotonic() + 1.0, self._round_s)

    async def put(self, places: Sequence[Place], apply: Callable[[], None]) -> bool:
        """Commit places, and apply them at once; False where they have to be tried again."""
        if not places:
            return False
        async with self.lock:
            numbers = {place.partition for place in places}
            now = self._slice({p: self._fleet.dirty(p[1]) for p in self._custody.partitions() if p[1] in numbers})
            now.spent = []  # they go with a checkpoint only: here snapshots may still be missing
            if {partition[1] for partition in now.markers} != numbers:
                return False
            sealed = await self._call(
                lambda: [StateRecord(each.partition, each.key, each.seal(self._keys())) for each in places]
            )
            done = await self._commit(now, sealed)
            if done:
                apply()
            return done

    def close(self) -> None:
        """End the thread."""
        self._transactions.close()
        self._thread.shutdown(wait=False)

    async def _take(self, deadline: float, period_s: float) -> tuple[int, int]:
        """Take one checkpoint; give how many changed assets are left, and how many are in it."""
        async with self.lock:
            begun = time.monotonic()
            now = self._capture(period_s)
            if not now.states and not self._changed(now):
                return now.left, 0
            records = await self._call(
                lambda: [StateRecord(s.partition, f"{s.partition}/{s.asset}", s.seal(self._keys())) for s in now.states]
            )
            for record in records:
                self._mean_bytes += 0.02 * (len(record.value or b"") - self._mean_bytes)
            done = await self._outputs.delivered_up_to(now.outboxes, deadline) and await self._commit(now, records)
            size = sum(len(record.value or b"") for record in records)
            left = now.left if done else now.left + len(now.states)
            aside(self._noted, time.monotonic() - begun, size, left, committed=done)
            if not done:
                return left, 0
            for state in now.states:
                self._fleet.clean(state.partition, state.asset, state.offset)
            return now.left, len(now.states)

    def _capture(self, period_s: float) -> _Slice:
        """Copy the state of the assets that wait longest, partition by partition in turns."""
        begun = time.perf_counter()
        states: list[AssetState] = []
        waiting = {p: self._fleet.dirty(p[1]) for p in self._custody.partitions()}
        need = sum(map(len, waiting.values())) * min(period_s / self._round_s, 1.0)
        for partition, asset in self._in_turns(waiting):
            spent = time.perf_counter() - begun
            enough = spent > QUICK_S and len(states) >= need
            if enough or spent > LONGEST_S or len(states) * self._mean_bytes > LARGE_BYTES:
                break
            states.append(self._fleet.capture(partition[1], asset))
        return self._slice(waiting, states)

    def _in_turns(self, waiting: Mapping[Partition, Mapping[str, int]]) -> Iterator[tuple[Partition, str]]:
        """Give the assets of all partitions, the longest waiting first, one of each partition after the other."""
        queues = [(partition, iter(assets)) for partition, assets in waiting.items()]
        self._turn += 1
        queues = queues[self._turn % max(len(queues), 1) :] + queues[: self._turn % max(len(queues), 1)]
        while queues:
            for queue in list(queues):
                asset = next(queue[1], None)
                if asset is None:
                    queues.remove(queue)
                else:
                    yield queue[0], asset

    def _slice(self, waiting: Mapping[Partition, Mapping[str, int]], states: Sequence[AssetState] = ()) -> _Slice:
        """Say how far these partitions are now, with these states; `waiting` is what changed in each, the oldest first."""
        now = _Slice(self._epoch, self._outputs.published, list(states))
        held = {(state.partition, state.asset) for state in states}
        for partition, dirty in waiting.items():
            folded, number = self._custody.folded(partition), partition[1]
            if folded is None:
                continue
            resume = next((first for asset, first in dirty.items() if (number, asset) not in held), None)
            now.left += len(dirty)
            first = folded if resume is None else min(resume, folded)
            now.markers[partition] = replace(self._marker, resume=first, taken=self._places.taken.of(number))
            now.spent += self._places.spent(number, now.markers[partition].resume, clean=resume is None)
        now.left -= len(states)
        return now

    def _delivered(self, partition: Partition) -> int:
        """Offset below which everything of a partition is done."""
        return max(self._ledger.positions().get(partition, 0), self._floor.get(partition, 0))

    def _changed(self, now: _Slice) -> bool:
        due = (*self._stale, *self._claims, *self._ledger.uncommitted())
        return bool(now.spent or any(partition in now.markers for partition in due))

    async def _commit(self, now: _Slice, records: Sequence[StateRecord]) -> bool:
        """Commit records, markers and offsets of a slice."""
        if now.epoch != self._epoch:
            return False
        recipes = await self._call(lambda: self._recipes.due([p[1] for p in now.markers], self._keys()))
        try:
            group = await self._metadata()
        except TimeoutError:
            return False  # the poll thread is in a rebalance
        offsets = {partition: self._delivered(partition) for partition in now.markers}
        if not offsets or now.epoch != self._epoch:
            return False
        stale = {partition: keys for partition, keys in self._stale.items() if partition in offsets}
        content = [StateRecord(partition[1], key, None) for partition, keys in stale.items() for key in keys]
        content += [StateRecord(place.partition, place.key, None) for place in now.spent]
        content += records
        markers = {
            p: replace(
                m,
                resume=min(m.resume, offsets[p]),
                published=offsets[p],
                recipe=self._places.recipe(p[1], now.spent),
            )
            for p, m in now.markers.items()
        }
        for partition in offsets:
            self._custody.stored(partition, None)  # until it is decided

        def write() -> Mapping[int, int] | None:
            sealed = [record for p, m in markers.items() for record in m.records(p[1], self._keys())]
            return self._transactions.commit([*content, *recipes, *sealed], offsets, group)

        ends = await self._call(write)
        if ends is None:
            return False
        self._ledger.committed(offsets)
        self._places.removed(now.spent)
        self._recipes.stored(recipes)
        for partition in offsets:
            self._custody.stored(partition, ends.get(partition[1]))
        for partition in stale:
            self._stale.pop(partition, None)
        self._claims -= offsets.keys()
        return True

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
