"""How blocks reach the Fleet: each exactly once, between the places that are on record, and one by one where one of them is bad.

After a restart reading begins at the oldest record that some asset still needs; what a snapshot has already is skipped. A
block on which the Fleet fails leaves it in an unknown state. So the state of all partitions of that batch is dropped and
restored from the last checkpoint, the records up to the batch are replayed, and those of the batch go in alone, each after
a copy of its asset's state was taken. The one that fails then becomes a dead letter, and its asset goes on with the copy:
every other result is what it would have been without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Message

from foreshock.contract import Block, Reason
from foreshock.errors import InputRejected
from foreshock.fleet import Fleet
from foreshock.outcome import Outcome
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.cases.naming import Naming
from foreshock.streams.errors import attempt
from foreshock.streams.intake.ingest import Batch
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.ledger import Partition
from foreshock.streams.state.places import Places
from foreshock.streams.state.recovery import Start

Result = Outcome | InputRejected | None
FIX = "register the machine (`foreshock assets`); an id names a machine, a point a place on it: neither a time nor a number"


class Folding:
    """Gives batches to the Fleet.

    Parameters
    ----------
    fleet, custody, places
        What folds, how far it is, and what lies between the records.
    restart
        Asks for the partitions to be taken up again; called when state was dropped.
    casebook
        Names the cases of anomalies.
    """

    def __init__(
        self, fleet: Fleet, custody: Custody, places: Places, restart: Callable[[], None], casebook: Casebook
    ) -> None:
        self._fleet = fleet
        self._name = Naming(fleet, casebook)
        self._custody = custody
        self._places = places
        self._restart = restart
        self._known: dict[int, int] = {}  # below this offset some assets are further than the partition
        self._suspects: dict[int, list[tuple[int, int]]] = defaultdict(list)  # offsets of batches that failed
        self._culprits: dict[int, dict[int, InputRejected]] = defaultdict(dict)  # what was found in them

    def assigned(self, starts: Mapping[Partition, Start]) -> None:
        """Begin an assignment."""
        self._known = {partition[1]: start.published for partition, start in starts.items()}
        for (_, number), start in starts.items():
            self._suspects[number] = [each for each in self._suspects[number] if each[1] > start.position]

    def receive(self, batch: Batch) -> list[Result] | None:
        """Give the outcome of each record, None for one that is folded in already.

        Returns
        -------
        list or None
            In input order. None: the Fleet failed, and the records come again.
        """
        bounds: dict[int, tuple[int, int]] = {}
        for origin in batch.origins:
            first, _ = bounds.get(origin.partition, (origin.offset, 0))
            bounds[origin.partition] = first, origin.offset
        if any(self._is_delicate(number, *span) for number, span in bounds.items()):
            results = self._in_steps(batch)
        else:
            results = self._at_once(batch, range(len(batch.inputs)))
        if results is None:
            for number, (first, last) in bounds.items():
                self._suspects[number].append((first, last + 1))
            self._custody.drop({event.message.tp for event in batch.events})
            self._restart()
            return None
        for event in batch.events:
            self._custody.fold(event.message.tp, event.message.offset + 1)
        for number, (_, last) in bounds.items():
            self._places.reach(number, last + 1)
        return results

    def _is_delicate(self, number: int, first: int, last: int) -> bool:
        waiting = self._places.next(number)
        return (
            first < self._known.get(number, 0)
            or (waiting is not None and waiting <= last)
            or any(end > first for _, end in self._suspects.get(number, ()))
        )

    def _at_once(self, batch: Batch, indices: Sequence[int]) -> list[Result] | None:
        results = attempt(self._fold, [batch.inputs[i] for i in indices])
        return None if isinstance(results, InputRejected) else self._named(results, [batch.records[i] for i in indices])

    def _fold(self, inputs: Sequence[Block | InputRejected]) -> list[Result]:
        """Fold in all but what would begin more machines or measuring points than there is room for."""
        blocks = [each for each in inputs if not isinstance(each, InputRejected)]
        full = self._fleet.crowded(blocks)
        refused = {place: InputRejected(Reason.NO_ROOM, why, field="asset", fix=FIX) for place, why in full.items()}
        given = [refused.get((each.origin.partition, each.origin.offset), each) for each in blocks] if full else blocks
        outcomes = iter(self._fleet.receive([each for each in given if not isinstance(each, InputRejected)]))
        results = iter([each if isinstance(each, InputRejected) else next(outcomes) for each in given])
        return [each if isinstance(each, InputRejected) else next(results) for each in inputs]

    def _named(self, results: list[Result], records: Sequence[Message]) -> list[Result]:
        """Name the cases; where that fails they fail again when they are written, and are told then."""
        named = attempt(self._name, results, records)
        return results if isinstance(named, InputRejected) else named

    def _in_steps(self, batch: Batch) -> list[Result] | None:
        """Go through the partitions one after the other, with a step at every place and at every suspect."""
        results: list[Result] = [None] * len(batch.inputs)
        numbers: dict[int, list[int]] = defaultdict(list)
        for i, origin in enumerate(batch.origins):
            numbers[origin.partition].append(i)
        for number, indices in numbers.items():
            together: list[int] = []
            for i in indices:
                offset = batch.origins[i].offset
                alone = any(first <= offset < end for first, end in self._suspects.get(number, ()))
                waiting = self._places.next(number)
                if alone or (waiting is not None and waiting <= offset):
                    if not self._step(batch, together, results):
                        return None
                    together = []
                    self._places.reach(number, offset)
                taken = self._sort_out(batch.inputs[i], number, offset)
                if isinstance(taken, InputRejected) or taken is None:
                    results[i] = taken
                elif alone:
                    results[i] = self._alone(taken, batch.records[i])
                else:
                    together.append(i)
            if not self._step(batch, together, results):
                return None
        return results

    def _sort_out(self, item: Block | InputRejected, number: int, offset: int) -> Block | InputRejected | None:
        """Give what is to be folded in, or why it is not; None where it is already."""
        if isinstance(item, InputRejected):
            return item
        if offset < self._fleet.folded(number, item.asset):
            return None
        return self._culprits.get(number, {}).get(offset, item)

    def _step(self, batch: Batch, indices: Sequence[int], results: list[Result]) -> bool:
        """Fold records in together; False where the Fleet failed."""
        outcomes = self._at_once(batch, indices) if indices else []
        if outcomes is None:
            return False
        for i, outcome in zip(indices, outcomes, strict=True):
            results[i] = outcome
        return True

    def _alone(self, block: Block, record: Message) -> Result:
        """Fold in one record that may be the culprit; its asset has its state back if it is."""
        number, offset, asset = block.origin.partition, block.origin.offset, block.asset
        known = self._fleet.master_data(number, asset) is not None
        before = self._fleet.capture(number, asset) if known else None
        since = self._fleet.dirty(number).get(asset)
        outcomes = attempt(self._fold, [block])
        if not isinstance(outcomes, InputRejected):
            return self._named(outcomes, [record])[0]
        if before is None:
            self._fleet.forget(number, asset)
        else:
            self._fleet.restore(before, dirty=since)
        self._culprits[number][offset] = outcomes
        return outcomes
