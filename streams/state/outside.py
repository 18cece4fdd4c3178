"""What a place holds, as trees for its bytes and back: new master data, policies, alarms of parents, alerts that are
carried on, commands, work orders and their refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from foreshock.alerts.items import Assigned, Carried, Given, Inhibited, Refused
from foreshock.alerts.records import Command, WorkOrder
from foreshock.contract import Asset, Origin
from foreshock.detectors.snapshot import Tree
from foreshock.records import from_tree, to_tree

Outside = Asset | Assigned | Inhibited | Carried | Given | Refused

_PLAIN: Mapping[str, type[Any]] = MappingProxyType(
    {"asset": Asset, "assigned": Assigned, "inhibited": Inhibited, "carried": Carried, "refused": Refused}
)
_GIVEN: Mapping[str, type[Any]] = MappingProxyType({"command": Command, "work": WorkOrder})
_LETTERS = 200  # of free text weigh as much as the rest of a command


def tree_of(item: Outside) -> dict[str, Tree]:
    """Give the tree of an item: one key names its kind, and `origin` says where a command stands."""
    if isinstance(item, Given):
        name = next(name for name, kind in _GIVEN.items() if isinstance(item.item, kind))
        return {name: to_tree(item.item), "origin": to_tree(item.origin)}
    return {next(name for name, kind in _PLAIN.items() if isinstance(item, kind)): to_tree(item)}


def item_of(tree: Mapping[str, Any]) -> Outside:
    """Read an item.

    Raises
    ------
    ValueError
        It is none.
    KeyError
        It is of a kind that nobody knows here.
    """
    if "origin" in tree:
        (name,) = tree.keys() - {"origin"}
        return Given(origin=from_tree(Origin, tree["origin"]), item=from_tree(_GIVEN[name], tree[name]))
    (name,) = tree
    found: Outside = from_tree(_PLAIN[name], tree[name])
    return found


def weight(item: object) -> int:
    """Say how much room an item takes in a place, in records of some hundred bytes."""
    if isinstance(item, Assigned):
        return 50 + len(item.assets)
    if isinstance(item, Inhibited):
        return 1 + len(item.assets)
    if isinstance(item, Given):
        note = item.item.note + (item.item.reason if isinstance(item.item, Command) else "")
        return 2 + len(note.encode()) // _LETTERS
    return 1 + (len(item.reason.encode()) // _LETTERS if isinstance(item, Refused) else 0)
