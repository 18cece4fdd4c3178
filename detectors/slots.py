"""State of many measuring points in shared arrays: a table of slots that grows.

A bank of models declares its state as fields; `Slots` holds one array per field with the slot as its first axis. A
kernel takes all arrays at once as a named tuple. What a slot holds never depends on its number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Arrays = TypeVar("Arrays", bound=tuple[Any, ...])
_FIRST = 4
_GROWTH = 1.5  # doubling would hold a third more memory idle; at 1.5 a slot is still copied only about three times


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a slot: its shape, type, and the value it has before anything was seen."""

    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    fill: float = 0.0
    most: int = 2**62  # largest value of a counter that a kernel can take; a restored one is held against it

    def array(self, capacity: int) -> npt.NDArray[Any]:
        """Allocate the field for `capacity` slots; what is filled with zeros takes no memory before it is used."""
        if self.fill == 0.0:
            return np.zeros((capacity, *self.shape), dtype=self.dtype)
        return np.full((capacity, *self.shape), self.fill, dtype=self.dtype)

    def check(self, name: str, value: Any) -> None:
        """Refuse a value of another type or shape, and a counter that a kernel could run out of its arrays with.

        Raises
        ------
        ValueError
            With what is wrong.
        """
        if not isinstance(value, np.ndarray) or value.dtype != self.dtype or value.shape != self.shape:
            found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            raise ValueError(f"{name} is {found}, {np.dtype(self.dtype)} {self.shape} is needed")
        if not self.shape and np.dtype(self.dtype).kind in "iu":
            count = int(value)
            if count < min(0, self.fill) or count > self.most:
                raise ValueError(f"{name} is {count}")

    def nbytes(self) -> int:
        """Bytes of one slot."""
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class Slots(Generic[Arrays]):
    """A growing table of slots; `arrays` is a named tuple of `kind` with one array per field, slots first."""

    def __init__(self, kind: type[Arrays], fields: Mapping[str, Field]) -> None:
        names: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]  # every named tuple has it
        if tuple(fields) != names:
            raise ValueError(f"fields {tuple(fields)} do not match {names}")
        self._kind = kind
        self._fields = dict(fields)
        self._free: list[int] = []
        self._next = 0
        self.capacity = _FIRST
        self.arrays: Arrays = self._build({name: f.array(_FIRST) for name, f in self._fields.items()})

    def _build(self, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        return self._kind(**arrays)

    def take(self) -> int:
        """Hand out a slot in its initial state; the table grows when none is free."""
        if self._free:
            slot = self._free.pop()
            self.clear(slot)
            return slot
        if self._next == self.capacity:
            self._grow(int(self.capacity * _GROWTH) + 1)
        self._next += 1
        return self._next - 1

    def give_back(self, slot: int) -> None:
        """Return a slot; it is cleared when it is handed out again."""
        self._free.append(slot)

    def clear(self, slot: int) -> None:
        """Put one slot into its initial state."""
        for array, f in zip(self.arrays, self._fields.values(), strict=True):
            array[slot] = f.fill

    def _grow(self, capacity: int) -> None:
        """Move field by field, each freed before the next one is made: two whole tables would not fit."""
        old: list[npt.NDArray[Any] | None] = list(self.arrays)
        del self.arrays
        grown = {}
        for i, (name, f) in enumerate(self._fields.items()):
            new = f.array(capacity)
            new[: self.capacity] = old[i]
            grown[name], old[i] = new, None
        self.capacity = capacity
        self.arrays = self._build(grown)

    @property
    def used(self) -> int:
        """Slots in use."""
        return self._next - len(self._free)

    def slot_bytes(self) -> int:
        """Bytes of state of one slot."""
        return sum(f.nbytes() for f in self._fields.values())

    def capture(self, slot: int) -> dict[str, npt.NDArray[Any]]:
        """Copy the arrays of a slot, by field."""
        return {name: array[slot, ...].copy() for name, array in zip(self._fields, self.arrays, strict=True)}

    def blank(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays of a slot in its initial state, by field."""
        return {name: np.full(f.shape, f.fill, f.dtype) for name, f in self._fields.items()}

    def restore(self, slot: int, captured: Mapping[str, Any]) -> None:
        """Put captured arrays into a slot.

        Raises
        ------
        ValueError
            They are not of the fields' names, types and shapes, or a counter is not one: then the slot stays as it is.
        """
        if not isinstance(captured, Mapping) or captured.keys() != self._fields.keys():
            raise ValueError(f"not the fields {', '.join(self._fields)}")
        for name, f in self._fields.items():
            f.check(name, captured[name])
        for array, name in zip(self.arrays, self._fields, strict=True):
            array[slot] = captured[name]

    def digest(self, slot: int) -> str:
        """Sha256 of the slot's state: every field's name, type, shape and little-endian values, in declared order."""
        sha = hashlib.sha256()
        for name, array in zip(self._fields, self.arrays, strict=True):
            part = np.ascontiguousarray(array[slot])
            sha.update(f"{name}:{part.dtype.newbyteorder('<').str}:{part.shape};".encode())
            sha.update(part.tobytes())
        return sha.hexdigest()
