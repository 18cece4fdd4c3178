"""The records of `state.v1`: what stands under which key.

=============== ========= ===================================================================================
key             kind      value
=============== ========= ===================================================================================
``P``, ``P+``   marker    how far partition P of the input is, and from where a successor must read; written twice
``P/asset``     snapshot  everything that decides about an asset, up to an offset (`foreshock.fleet.AssetState`)
``P#key``       recipe    settings by which something of partition P is computed (`foreshock.fleet.Recipe`)
``P@offset/n``  place     what came from outside the order and took effect before the record at that offset
=============== ========= ===================================================================================

All values are sealed (`foreshock.detectors.snapshot`). A null value takes the record back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from foreshock.detectors.snapshot import Keys, Kind, Sealed, Tree, seal
from foreshock.errors import SnapshotRejected
from foreshock.records import from_tree, to_tree
from foreshock.streams.state.outside import Outside, item_of, tree_of


class TickRequest(NamedTuple):
    """A wall-clock time that a partition is to be shown."""

    partition: int
    at_ns: int
    since_ns: int = 0  # the brokers were away until then


class RecipeChange(NamedTuple):
    """Other settings, by the key of their recipe, which stands beside it on the topic."""

    partition: int
    key: str


Item = Outside | TickRequest | RecipeChange


class StateRecord(NamedTuple):
    """One record of `state.v1`; no value takes the record of that key back."""

    partition: int
    key: str
    value: bytes | None
    topic: str = ""  # another one that is written in the same transaction
    headers: tuple[tuple[str, bytes], ...] = ()


class StateKey(NamedTuple):
    """A key, taken apart; `number` counts places of an offset, and copies of a marker."""

    partition: int
    kind: Kind
    asset: str = ""
    offset: int = 0
    number: int = 0
    recipe: str = ""

    @staticmethod
    def of(key: bytes | str | None) -> StateKey | None:
        """Read a key; None where it is none of ours."""
        text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key or ""
        head, sharp, name = text.partition("#")
        if sharp and head.isdecimal() and name:
            return StateKey(int(head), "recipe", recipe=name)
        if text.endswith("+") and text[:-1].isdecimal():
            return StateKey(int(text[:-1]), "marker", number=1)
        head, slash, rest = text.partition("/")
        number, at, offset = head.partition("@")
        if not number.isdecimal():
            return None
        if not at:
            return StateKey(int(number), "snapshot", rest) if slash else StateKey(int(number), "marker")
        if not offset.isdecimal() or not rest.isdecimal():
            return None
        return StateKey(int(number), "place", offset=int(offset), number=int(rest))

    def __str__(self) -> str:
        """Write it as it stands on the topic."""
        if self.kind == "marker":
            return f"{self.partition}{'+' * self.number}"
        if self.kind == "snapshot":
            return f"{self.partition}/{self.asset}"
        if self.kind == "recipe":
            return f"{self.partition}#{self.recipe}"
        return f"{self.partition}@{self.offset}/{self.number}"


@dataclass(frozen=True, slots=True)
class Marker:
    """How far a partition of the input is.

    Attributes
    ----------
    topic_id
        Kafka's id of the input topic: offsets of another one mean nothing.
    resume
        Offset to read on from: the oldest that an asset without a newer snapshot still needs.
    published
        All outputs of the inputs below are on the broker.
    outputs
        Kafka's ids of the output topics, each as ``name=id``: with a topic that is made again goes all that stood on it.
    group
        The consumer group whose state this is; empty in those that were written before it was noted.
    recipe
        Key of the settings that hold at `resume`; empty likewise.
    taken
        How far the commands of this partition are on record, each as ``topic=topic id=offset`` (`state/taken.py`).
    """

    topic_id: str
    resume: int
    published: int
    outputs: tuple[str, ...] = ()
    group: str = ""
    recipe: str = ""
    taken: tuple[str, ...] = ()

    def seal(self, keys: Keys) -> bytes:
        """Give its bytes."""
        return seal("marker", to_tree(self), header={}, keys=keys)

    def records(self, partition: int, keys: Keys) -> list[StateRecord]:
        """Give what is written of it: two copies, so that one that is damaged does not make its partition start cold."""
        sealed = self.seal(keys)
        return [StateRecord(partition, str(StateKey(partition, "marker", number=n)), sealed) for n in (0, 1)]

    @staticmethod
    def of(sealed: Sealed) -> Marker:
        """Read it.

        Raises
        ------
        SnapshotRejected
            It is none.
        """
        try:
            return from_tree(Marker, _tree(sealed, "marker"))
        except ValueError as exc:
            raise SnapshotRejected("malformed", str(exc)) from exc


@dataclass(frozen=True, slots=True)
class Place:
    """What came from outside the order of a partition and takes effect before the record at `offset`.

    Places of one offset are applied in the order of their numbers.
    """

    partition: int
    offset: int
    number: int
    items: tuple[Item, ...]

    @property
    def key(self) -> str:
        """Its key on the topic."""
        return str(StateKey(self.partition, "place", offset=self.offset, number=self.number))

    def only(self, known: Callable[[str], bool]) -> Place:
        """Leave out changes to settings that are not known."""
        return replace(self, items=tuple(i for i in self.items if not isinstance(i, RecipeChange) or known(i.key)))

    def seal(self, keys: Keys) -> bytes:
        """Give its bytes."""
        items = [_item_tree(item) for item in self.items]
        tree: dict[str, Tree] = {
            "partition": self.partition,
            "offset": self.offset,
            "number": self.number,
            "items": items,
        }
        return seal("place", tree, header={}, keys=keys)

    @staticmethod
    def of(sealed: Sealed) -> Place:
        """Read it.

        Raises
        ------
        SnapshotRejected
            It is none.
        """
        tree = _tree(sealed, "place")
        try:
            partition = from_tree(int, tree["partition"])
            items = tuple(_item(partition, each) for each in tree["items"])
            return Place(partition, from_tree(int, tree["offset"]), from_tree(int, tree["number"]), items)
        except (ValueError, KeyError, TypeError) as exc:
            raise SnapshotRejected("malformed", f"not a place: {exc}") from exc


def seal_recipe(tree: Mapping[str, Tree], keys: Keys) -> bytes:
    """Give the bytes of the tree of a recipe."""
    return seal("recipe", dict(tree), header={}, keys=keys)


def recipe_of(sealed: Sealed) -> Mapping[str, Any]:
    """Read the tree of a recipe; SnapshotRejected: it is none."""
    return _tree(sealed, "recipe")


def _item_tree(item: Item) -> dict[str, Tree]:
    if isinstance(item, TickRequest):
        return {"tick": item.at_ns, "since": item.since_ns}
    return {"recipe": item.key} if isinstance(item, RecipeChange) else tree_of(item)


def _item(partition: int, tree: Mapping[str, Any]) -> Item:
    if "tick" in tree:
        return TickRequest(partition, from_tree(int, tree["tick"]), from_tree(int, tree.get("since", 0)))
    if "recipe" in tree:
        return RecipeChange(partition, from_tree(str, tree["recipe"]))
    return item_of(tree)


def _tree(sealed: Sealed, kind: Kind) -> Mapping[str, Any]:
    if sealed.kind != kind or not isinstance(sealed.tree, Mapping):
        raise SnapshotRejected("malformed", f"a {sealed.kind} where a {kind} belongs")
    return sealed.tree
