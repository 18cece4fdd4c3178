"""The state of River objects as a tree of plain values and back, without running code that a file names.

An object graph becomes a list of nodes that refer to each other by number, so an object that is held in two places is
one object again. A node is a container, or an instance of a class of `river`, built without its constructor and filled
attribute by attribute. Nothing else is captured, nothing else is built: a class outside the list is refused, by name.

Functions that an object holds are no state: they are taken from a fresh object, from the same place.
"""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Sequence
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

Node = list[Any]  # [kind, ...]
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_FUNCTIONS = (type, partial, FunctionType, BuiltinFunctionType, MethodType)
_SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple"}
_MAPPINGS: frozenset[type] = frozenset({dict, OrderedDict, defaultdict})
_MAPPING_NAMES: dict[str, Any] = {kind.__name__: kind for kind in _MAPPINGS}


class NotCapturable(ValueError):
    """An object holds something that is not of the kinds that are captured, or a tree something that is not built."""


def capture(value: Any) -> dict[str, Any]:
    """Tree of an object graph.

    Raises
    ------
    NotCapturable
        It holds an object of another kind.
    """
    writer = _Writer()
    return {"root": writer.ref(value, ()), "nodes": writer.nodes}


def restore(tree: Any, fresh: Any) -> Any:
    """Build the object graph of a tree.

    Parameters
    ----------
    tree
        From `capture`; safe from anywhere: only River's classes are built, without calling them.
    fresh
        An object as its constructor makes it: what cannot be named is taken from it.

    Raises
    ------
    NotCapturable
        The tree is not one of `capture`.
    """
    try:
        return _Reader(tree["nodes"], fresh).value(tree["root"])
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as exc:
        raise NotCapturable(f"not the state of a River object: {exc}") from exc


def attributes(value: Any) -> dict[str, Any]:
    """Attributes of an object, those in slots too."""
    slots = [s for kind in type(value).__mro__ for s in _slots(kind) if hasattr(value, s)]
    return {**getattr(value, "__dict__", {}), **{s: getattr(value, s) for s in slots}}


def _slots(kind: type) -> tuple[str, ...]:
    found = kind.__dict__.get("__slots__", ())
    return (found,) if isinstance(found, str) else tuple(s for s in found if s not in {"__dict__", "__weakref__"})


Path = tuple[tuple[str, Any], ...]  # from the root to an object: attributes, keys, places, factories


class _Writer:
    """Numbers the objects of a graph."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.known: dict[int, int] = {}
        self.kept: list[Any] = []  # an object that is freed would leave its id to another

    def ref(self, value: Any, path: Path) -> Any:
        """Give a plain value as it is, anything else as [number of its node]."""
        if type(value) in _PLAIN:
            return value
        place = self.known.get(id(value))
        if place is None:
            place = self.known[id(value)] = len(self.nodes)
            self.kept.append(value)
            self.nodes.append([])
            self.nodes[place] = self.node(value, path)
        return [place]

    def node(self, value: Any, path: Path) -> Node:
        """Describe one object."""
        kind = type(value)
        if kind in _SEQUENCES:
            return [_SEQUENCES[kind], self.refs(value, path)]
        if kind in {set, frozenset}:
            return [kind.__name__, self.refs(sorted(value), path)]
        if kind is deque:
            return ["deque", value.maxlen, self.refs(value, path)]
        if kind in _MAPPINGS:
            factory = value.default_factory if kind is defaultdict else None
            pairs = [[self.ref(k, path), self.ref(v, (*path, ("key", k)))] for k, v in value.items()]
            return [kind.__name__, self.ref(factory, (*path, ("factory", None))), pairs]
        return self.leaf(value, path)

    def leaf(self, value: Any, path: Path) -> Node:
        """Describe an object that refers to no other, or an instance."""
        if type(value) is random.Random:
            version, words, gauss = value.getstate()
            return ["random", version, np.array(words, np.uint32), gauss]
        if isinstance(value, np.ndarray | np.generic):
            return ["array" if isinstance(value, np.ndarray) else "scalar", np.asarray(value)]
        if isinstance(value, _FUNCTIONS):
            return ["fresh", [list(step) for step in path]]
        return self.instance(value, path)

    def refs(self, values: Iterable[Any], path: Path) -> list[Any]:
        """Describe the items of a sequence."""
        return [self.ref(each, (*path, ("place", i))) for i, each in enumerate(values)]

    def instance(self, value: Any, path: Path) -> Node:
        """Describe an instance of a class of River."""
        kind = type(value)
        module, name = kind.__module__, kind.__qualname__
        if _class(module, name) is not kind:
            raise NotCapturable(f"{module}.{name} cannot be captured")
        if name == "VectorDict":
            return ["vector", module, [[k, float(v)] for k, v in value.to_dict().items()]]
        if not hasattr(value, "__dict__") and not any(_slots(each) for each in kind.__mro__):
            raise NotCapturable(f"{module}.{name} keeps its state where it cannot be read")
        held = {n: self.ref(v, (*path, ("attribute", n))) for n, v in sorted(attributes(value).items())}
        return ["object", module, name, held]


class _Reader:
    """Builds the objects of a graph, each one once."""

    def __init__(self, nodes: Sequence[Node], fresh: Any) -> None:
        self.nodes = nodes
        self.fresh = fresh
        self.built: dict[int, Any] = {}

    def value(self, ref: Any) -> Any:
        """Give the object that a reference means."""
        if not isinstance(ref, list):
            return ref
        (place,) = ref
        if place not in self.built:
            self.build(place, self.nodes[place])
        return self.built[place]

    def build(self, place: int, node: Node) -> None:
        """Build one object: a container is known before its items are built, for these may refer to it."""
        kind, *rest = node
        if kind in {"tuple", "set", "frozenset"}:
            self.built[place] = {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](map(self.value, rest[0]))
        elif kind in {"list", "deque"}:
            found: Any = [] if kind == "list" else deque(maxlen=rest[0])
            self.built[place] = found
            found.extend(self.value(each) for each in rest[-1])
        elif kind in _MAPPING_NAMES:
            made = _MAPPING_NAMES[kind]
            mapping: Any = defaultdict(self.value(rest[0])) if made is defaultdict else made()
            self.built[place] = mapping
            mapping.update((self.value(k), self.value(v)) for k, v in rest[1])
        elif kind == "object":
            made = _class(rest[0], rest[1])
            instance = self.built[place] = made.__new__(made)
            for name, each in rest[2].items():
                object.__setattr__(instance, name, self.value(each))
        else:
            self.built[place] = self.leaf(kind, rest)

    def leaf(self, kind: str, rest: Sequence[Any]) -> Any:
        """Build an object that refers to no other."""
        if kind == "random":
            generator = random.Random()  # noqa: S311  # of a detector, no secret
            generator.setstate((rest[0], tuple(rest[1].tolist()), rest[2]))
            return generator
        if kind in {"array", "scalar"}:
            return rest[0].copy() if kind == "array" else rest[0][()]
        if kind == "vector":
            return _class(rest[0], "VectorDict")(dict(rest[1]))
        if kind == "fresh":
            return self.follow(rest[0])
        raise NotCapturable(f"no object is of kind {kind!r}")

    def follow(self, path: Sequence[Any]) -> Any:
        """Take what stands at a path of the fresh object: a function or a class, or what makes the items of a dict."""
        found = self.fresh
        for step, name in path:
            if step == "attribute":
                found = attributes(found)[name]
            else:
                found = found.default_factory if step == "factory" else found[name]
        if not callable(found):
            raise NotCapturable(f"{path} is not a function")
        return found


def _class(module: str, name: str) -> Any:
    """Class by its name, of River's own modules only."""
    if not module.startswith("river."):
        raise NotCapturable(f"{module}.{name} cannot be captured: it is not a class of River")
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or found.__module__ != module:
        raise NotCapturable(f"there is no class {module}.{name}")
    return found
