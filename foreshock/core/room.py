"""How much state there is room for: a plant has so many machines, a gateway at fault makes up more of them without end.

Counted is the declared state: what measuring points take in memory, and about twice what they take on `state.v1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from foreshock.contract import Block
from foreshock.core.admission import Admission
from foreshock.core.points import Layout, Owner, Partition, models_of
from foreshock.core.recipe import Recipe

STRANGERS = (
    512 * 1024 * 1024
)  # bytes of the machines of a partition that nobody registered: 11,000 with one channel each
ASSET = 6 * 1024 * 1024  # bytes of one machine: much more does not go into a record of `state.v1`
ANEW = 1_000  # records of a partition after which its machines are counted again: some were registered meanwhile


@dataclass(slots=True)
class _Count:
    """Bytes of the machines of a partition that nobody registered, as they were at an offset, and what came since."""

    partition: Partition
    at: int
    spent: int


@dataclass(frozen=True, slots=True)
class Room:
    """Says which records would begin more than there is room for.

    Parameters
    ----------
    strangers
        Bytes of the machines of a partition that nobody registered.
    asset
        Bytes of one machine.
    """

    admission: Admission
    strangers: int = STRANGERS
    asset: int = ASSET
    _counts: dict[int, _Count] = field(default_factory=dict)
    _sizes: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def crowded(self, blocks: Sequence[Block]) -> dict[tuple[int, int], str]:
        """Look for records of new measuring points that there is no room for.

        Parameters
        ----------
        blocks
            In order, each beyond what its asset has folded in; those that are not named here are folded in next.

        Returns
        -------
        dict
            By partition and offset: a sentence that says what is full. What has state already is never in it, and what
            is registered not for what others hold.
        """
        found: dict[tuple[int, int], str] = {}
        begun: dict[tuple[int, str], dict[str, int]] = {}  # bytes of measuring points that this batch begins
        partitions = self.admission.partitions
        for block in blocks:
            partition = partitions.get(block.origin.partition)
            owner = partition.owners.get(block.asset) if partition is not None else None
            if owner is None or block.point not in owner.points:
                mine = begun.setdefault((block.origin.partition, block.asset), {})
                if why := self._full(block, owner, mine):
                    found[block.origin.partition, block.origin.offset] = why
        return found

    def _full(self, block: Block, owner: Owner | None, mine: dict[str, int]) -> str:
        """Say what is full for a new measuring point; "" where there is room, which it then has taken."""
        if block.point in mine:
            return ""
        number = block.origin.partition
        size = self._size(Layout.of(block), self.admission.recipe_of(number))
        held = sum(mine.values()) + (_bytes_of(owner) if owner else 0)
        if held and held + size > self.asset:
            has, most = held / 1e6, self.asset / 1e6
            return f"the measuring points of {block.asset} have {has:.1f} MB of state, a machine may have {most:.1f}"
        record = owner.record if owner else self.admission.assets.get(block.asset)
        if record is None or not record.registered:
            count = self._count(number, block.origin.offset)
            if count.spent + size > self.strangers:
                has, most = count.spent / 1e6, self.strangers / 1e6
                return f"machines of partition {number} that nobody registered have {has:.0f} of {most:.0f} MB of state"
            count.spent += size
        mine[block.point] = size
        return ""

    def _count(self, number: int, offset: int) -> _Count:
        partition, found = self.admission.partition(number), self._counts.get(number)
        if found is None or found.partition is not partition or offset >= found.at + ANEW:
            spent = sum(_bytes_of(owner) for owner in partition.owners.values() if not owner.record.registered)
            found = self._counts[number] = _Count(partition, offset, spent)
        return found

    def _size(self, layout: Layout, recipe: Recipe) -> int:
        """Bytes of state of a measuring point: the same for all of so many channels or tags."""
        key = (recipe.key, layout.kind, layout.columns)
        if key not in self._sizes:
            self._sizes[key] = self.admission.lane(layout, recipe).slot_bytes
        return self._sizes[key]


def _bytes_of(owner: Owner) -> int:
    points = owner.points.values()
    tags = sum(point.scalars.nbytes for point in points if point.scalars is not None)
    return tags + sum(model.lane.slot_bytes for point in points for model in models_of(point))
