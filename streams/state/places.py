"""What comes from outside the order of the input: it takes effect at a place that is on record, or not at all.

New master data, policies, commands, work orders and ticks of the clock belong to no offset. A successor that replays the input could not know when they
came, and would compute something else. So a place {partition, next offset, items} is committed to `state.v1` first, in a
small transaction with the group's metadata, and applied then; whoever replays applies it there again. The order stands
still meanwhile, for the few milliseconds that this takes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from foreshock.alerts.items import Assigned, Carried, Given, Inhibited, Refused
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.refusals import refusal
from foreshock.contract import Asset, DataQuality, Tick
from foreshock.fleet import Fleet
from foreshock.streams.state.covering import Covering
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.gate import Gate
from foreshock.streams.state.ledger import Partition
from foreshock.streams.state.outside import weight
from foreshock.streams.state.parents import Alarmed
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.records import Item, Place, RecipeChange, TickRequest
from foreshock.streams.state.recovery import Start
from foreshock.streams.state.taken import Arrival, Taken

ITEMS = 500  # of a place: each is a few hundred bytes
LOOK_S = 0.1
REVIEW_S = 1.0

Told = DataQuality | AlertTransition
Commit = Callable[[Sequence[Place], Callable[[], None]], Awaitable[bool]]


class Places:
    """The door for everything that is not a record of the input.

    Parameters
    ----------
    fleet, custody, gate
        What it takes effect on, how far that is, and what keeps it there meanwhile.
    recipes
        By which settings the partitions are computed.
    partition_of
        Partition number of an asset.
    tell
        Publishes what came of it.
    taken
        How far commands are on record.
    covering
        Which policy each asset is to have, and which alarm of a parent it is to know of.
    """

    def __init__(
        self,
        fleet: Fleet,
        custody: Custody,
        gate: Gate,
        recipes: Recipes,
        *,
        partition_of: Callable[[str], int],
        tell: Callable[[Sequence[Told]], None],
        taken: Taken,
        covering: Covering,
    ) -> None:
        self._fleet = fleet
        self._custody = custody
        self._gate = gate
        self._recipes = recipes
        self._partition_of = partition_of
        self._tell = tell
        self.taken = taken
        self._covering = covering
        self._parents = covering.parents
        self.read_from: Callable[[int, Mapping[tuple[str, int], int]], None] = _nobody  # tells who reads the commands
        self._epoch = 0  # of assignments: what was read for another one comes again
        self._inbox: deque[Item | Arrival | Alarmed] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._assets: dict[str, tuple[int, Asset]] = {}  # newest master data, and whose partition it is
        self._mine: dict[int, Partition] = {}
        self._from: dict[int, int] = {}  # first offset of a partition that a place may have
        self._pending: dict[int, dict[str, Item]] = {}  # the newest item counts
        self._again: dict[int, deque[Place]] = {}  # on record, and not yet reached
        self._live: dict[int, list[Place]] = {}  # on `state.v1`
        self._published: dict[int, int] = {}

    def waiting(self) -> int:
        """Count what was handed in and has not taken effect yet; from any thread."""
        return len(self._inbox) + sum(map(len, list(self._pending.values())))

    def submit(self, item: Item | Arrival | Alarmed) -> None:
        """Hand something in; from any thread. It takes effect before one of the next records of its partition."""
        self._inbox.append(item)
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    # On the event loop, from here on.

    async def serve(self, commit: Commit) -> None:
        """Run for ever: put on record what was handed in, as soon as its partition is far enough."""
        self._loop = asyncio.get_running_loop()
        self._wake.set()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REVIEW_S):
                    await self._wake.wait()
            self._wake.clear()
            self._collect()
            self._review()
            ready = [number for number in self._pending if self._is_far(number)]
            if ready and self._gate.is_open:  # else what is made now may be of another assignment when it is committed
                with self._gate.hold():
                    await self._record(ready, commit)
            if any(self._pending.values()):
                await asyncio.sleep(LOOK_S)
                self._wake.set()

    async def assigned(self, starts: Mapping[Partition, Start], commit: Commit) -> None:
        """Begin an assignment: apply what is due at its first offsets, and find out what changed while nobody looked."""
        self._collect()
        self._mine = {partition[1]: partition for partition in starts}
        carried = {number: self._carried(number, start) for (_, number), start in starts.items()}
        self._pending = {}
        self._epoch += 1
        for partition, start in starts.items():
            number = partition[1]
            self._from[number] = start.position if start.fresh else start.end
            self._published[number] = start.published
            if start.taken is not None or number not in self._live:  # else its state is held, with what lies before it
                self._live[number] = list(start.places)
                self._again[number] = deque(start.places)
            self.taken.assigned(number, start.taken, start.places)
            self.reach(number, start.position)
            if change := self._recipes.change(number, self._live[number]):
                self._pending[number] = {"#": change}
        for number, asset in self._assets.values():
            self._compare(number, asset)
        for number in self._mine:
            waiting = self._pending.setdefault(number, {})
            fresh_data = {each.asset: each for each in waiting.values() if isinstance(each, Asset)}
            self._cover(number, self._covering.due(number, fresh_data))
            self._parents.changed(number)
        await self._carry(carried, commit)
        self.read_from(self._epoch, self.taken.starts(self._mine))
        if fresh := [
            partition[1] for partition, start in starts.items() if start.fresh and self._pending.get(partition[1])
        ]:
            await self._record(fresh, commit)
        self._wake.set()

    def next(self, number: int) -> int | None:
        """Give the offset of the next place on record that a partition has not reached."""
        waiting = self._again.get(number)
        return waiting[0].offset if waiting else None

    def reach(self, number: int, offset: int) -> None:
        """Apply what is on record up to before the record at this offset; everything before it is folded in."""
        waiting = self._again.get(number)
        while waiting and waiting[0].offset <= offset:
            self._apply(waiting.popleft())

    def spent(self, number: int, resume: int, *, clean: bool) -> list[Place]:
        """Give the places that a successor that reads on from `resume` does not need.

        Parameters
        ----------
        clean
            Whether the snapshots hold all that took effect so far.
        """
        last = resume if clean else resume - 1
        waiting = set(self._again.get(number, ()))
        return [each for each in self._live.get(number, ()) if each.offset <= last and each not in waiting]

    def recipe(self, number: int, spent: Sequence[Place]) -> str:
        """Give the key of the settings that hold before the first place that is on record once these are not."""
        return self._recipes.base(number, self._live.get(number, ()), spent)

    def removed(self, places: Sequence[Place]) -> None:
        """Note that these are no longer on `state.v1`."""
        for place in places:
            live = self._live.get(place.partition, [])
            if place in live:
                self._recipes.removed(place.partition, live, [place])
                live.remove(place)

    def _collect(self) -> None:
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, TickRequest):
                if item.partition in self._mine:
                    self._pending.setdefault(item.partition, {})[""] = item
            elif isinstance(item, Arrival):
                self._arrived(item)
            elif isinstance(item, Alarmed):
                self._parents.hear(item)
            elif isinstance(item, Asset):
                number = self._partition_of(item.asset)
                self._assets[item.asset] = number, item
                self._compare(number, item)
                if number in self._mine:
                    self._cover(number, self._covering.of(number, item))

    def _arrived(self, arrival: Arrival) -> None:
        """Have a command put on record, once."""
        origin = arrival.item.origin
        if arrival.epoch == self._epoch and origin.partition in self._mine and not self.taken.has(origin):
            self._pending.setdefault(origin.partition, {})[f"\x1f{origin.topic}\x1f{origin.offset}"] = arrival.item

    def _review(self) -> None:
        """Look at the policies of assets that were met since, and at alarms that begin or end."""
        for number in self._mine:
            if not self._again.get(number):
                self._cover(number, self._covering.newcomers(number))
                self._inhibit(number)

    def _cover(self, number: int, due: Iterable[Assigned]) -> None:
        """Have policies put on record; the last one of an asset counts."""
        for each in due:
            self._parents.changed(number)
            waiting = self._pending.setdefault(number, {})
            key = f"\x1fpolicy\x1f{each.policy.version}\x1f{each.assets[0]}"
            waiting.pop(key, None)
            waiting[key] = each

    def _inhibit(self, number: int) -> None:
        """Have the alarms of parents put on record; what waited says what was so before."""
        due = self._parents.due(number)
        if due is None:
            return
        waiting = self._pending.get(number, {})
        for key in [key for key, item in waiting.items() if isinstance(item, Inhibited)]:
            del waiting[key]
        for each in due:
            self._pending.setdefault(number, {})[f"\x1fparent\x1f{each.assets[0]}"] = each

    def _compare(self, number: int, asset: Asset) -> None:
        """Have master data put on record where the Fleet has another."""
        if number in self._mine:
            waiting = self._pending.setdefault(number, {})
            waiting.pop(asset.asset, None)
            if self._fleet.master_data(number, asset.asset) != asset:
                waiting[asset.asset] = asset

    def _is_far(self, number: int) -> bool:
        """Say whether a partition is beyond all that a worker before this one may have processed."""
        at = self._folded(number)
        return bool(self._pending[number]) and at is not None and at >= self._from[number] and not self._again[number]

    def _folded(self, number: int) -> int | None:
        partition = self._mine.get(number)
        return self._custody.folded(partition) if partition else None

    def _carried(self, number: int, start: Start) -> dict[str, Item]:
        """Give the alerts of cold assets that are not on record yet; those of a state that is held go on waiting."""
        held = self._pending.get(number, {}) if start.taken is None else {}
        known: dict[str, Item] = {key: item for key, item in held.items() if isinstance(item, Carried)}
        return known | {f"\x1fcarried\x1f{each.origin.offset}": each for each in start.carried}

    async def _carry(self, carried: Mapping[int, Mapping[str, Item]], commit: Commit) -> None:
        """Put alerts on record at once, for where the input ends: with the first snapshot of its asset nobody looks for one again."""
        places = [
            place
            for number, items in carried.items()
            for place in self._cut(number, self._from[number], tuple(items.values()))
        ]

        def apply() -> None:
            for place in places:
                self._live.setdefault(place.partition, []).append(place)
                self._again[place.partition].append(place)
                self.reach(place.partition, self._folded(place.partition) or 0)

        if places and not await commit(places, apply):
            for number, items in carried.items():
                self._pending.setdefault(number, {}).update(items)

    async def _record(self, numbers: Sequence[int], commit: Commit) -> None:
        """Commit places for what is pending, and apply them."""
        taken = {number: self._pending.pop(number) for number in numbers}
        places = [place for number in numbers for place in self._made(number, tuple(taken[number].values()))]

        def apply() -> None:
            for place in places:
                self._live.setdefault(place.partition, []).append(place)
                self.taken.note(place)
                if self._folded(place.partition) == place.offset:
                    self._apply(place)

        if not await commit(places, apply):
            for number, items in taken.items():  # what came meanwhile is newer
                self._pending[number] = {**items, **self._pending.get(number, {})}

    def _made(self, number: int, items: tuple[Item, ...]) -> list[Place]:
        offset = self._folded(number)
        return [] if offset is None else self._cut(number, offset, items)

    def _cut(self, number: int, offset: int, items: tuple[Item, ...]) -> list[Place]:
        """Lay items out in places of an offset, behind those that are there."""
        there = [each.number for each in self._live.get(number, ()) if each.offset == offset]
        first = max(there, default=-1) + 1
        parts: list[list[Item]] = []
        room = 0
        for item in sorted(items, key=_rank):
            if isinstance(item, Given | Refused) and self.taken.has(item.origin):
                continue
            if room < weight(item) or not parts:
                parts.append([])
                room = ITEMS
            parts[-1].append(item)
            room -= weight(item)
        return [Place(number, offset, first + i, tuple(part)) for i, part in enumerate(parts)]

    def _apply(self, place: Place) -> None:
        number, offset = place.partition, place.offset
        found = [told for item in place.items for told in self._took(item, number, offset)]
        if found and offset >= self._published[number]:
            self._tell(found)

    def _took(self, item: Item, number: int, offset: int) -> Sequence[Told]:
        """Let an item take effect, and give what came of it."""
        if isinstance(item, TickRequest):
            return self._fleet.tick(Tick(partition=number, offset=offset, at_ns=item.at_ns, since_ns=item.since_ns))
        if isinstance(item, RecipeChange):
            self._fleet.change(item.key, number, offset)
            return ()
        if isinstance(item, Refused):
            return (refusal(item),)
        if isinstance(item, Asset) and offset < self._fleet.folded(number, item.asset):
            return ()  # a snapshot has it, and maybe a newer one
        return self._fleet.take_up(item, number, offset)


def _rank(item: Item) -> int:
    """Order what takes effect together: settings, what an asset is, what holds for it, and then what is asked of it."""
    order = (RecipeChange, Asset, Assigned, Inhibited)
    return next((rank for rank, kind in enumerate(order) if isinstance(item, kind)), len(order))


def _nobody(_epoch: int, _starts: Mapping[tuple[str, int], int]) -> None:
    """Read no commands."""
