"""Changed settings on a running state: by which recipe a partition is computed, from where to where.

`state.v1` holds the recipes themselves (``P#key``), the marker of a partition names the one that holds at its resume
offset, and a place on record has each change. So a worker with other settings goes on as the one before it, up to the
end of what that one can have processed, and changes over from there on; a successor does the same at the same place.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

from foreshock.detectors.snapshot import Keys, unseal
from foreshock.errors import SnapshotRejected, StateRejected
from foreshock.fleet import Fleet, Recipe
from foreshock.streams.state.records import Place, RecipeChange, StateKey, StateRecord, recipe_of, seal_recipe

log = logging.getLogger("foreshock.worker")


class Recipes:
    """Knows the recipes of the partitions that a worker has; `fleet` computes by them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._base: dict[int, str] = {}  # holds before the first place on record
        self._needed: dict[int, set[str]] = {}  # has to stand on `state.v1` ...
        self._stored: dict[int, set[str]] = {}  # ... and does

    def begin(self, number: int, base: str, records: Mapping[str, bytes], keys: Keys) -> None:
        """Begin a partition as its marker says, before anything of it is restored.

        Parameters
        ----------
        base
            Key that the marker names, "" for none.
        records
            Sealed recipes by key.
        """
        self._stored[number] = set(records)
        for key, value in records.items():
            try:
                self._fleet.know(key, Recipe.from_tree(recipe_of(unseal(value, keys))))
            except (SnapshotRejected, StateRejected) as exc:
                log.warning("partition %d: the settings %s cannot be gone on with: %s", number, key, exc)
                self._fleet.know(key, exc.sentence)
        self._fleet.begin(number, base)
        self._base[number] = now = self._fleet.recipe_of(number).key
        if now != self._fleet.recipe.key:
            log.info("partition %d: the settings have changed; it goes on with those before, %s, for now", number, now)

    def used(self, number: int, places: Iterable[Place]) -> tuple[list[str], list[Place]]:
        """Give the keys of `state.v1` that nothing needs any more, and the places without what this release cannot run."""
        known = [place.only(lambda key: self._fleet.known(key) is not None) for place in places]
        needed = self._fleet.recipes(number) | {self._fleet.recipe.key}
        needed |= {item.key for place in known for item in place.items if isinstance(item, RecipeChange)}
        left = self._stored[number] - needed
        self._needed[number] = needed
        self._stored[number] -= left
        return [str(StateKey(number, "recipe", recipe=key)) for key in sorted(left)], known

    def base(self, number: int, live: Sequence[Place], spent: Collection[Place] = ()) -> str:
        """Give the key that holds before the first place on record that is not spent."""
        found = self._base.get(number, self._fleet.recipe.key)
        return next((key for key in reversed(_changes([each for each in live if each in spent]))), found)

    def removed(self, number: int, live: Sequence[Place], spent: Collection[Place]) -> None:
        """Note that places are no longer on record."""
        self._base[number] = self.base(number, live, spent)

    def change(self, number: int, live: Sequence[Place]) -> RecipeChange | None:
        """Say what has to be put on record so that what is configured holds in the end; None: it does already."""
        key = self._fleet.recipe.key
        return None if self.base(number, live, live) == key else RecipeChange(number, key)

    def due(self, numbers: Iterable[int], keys: Keys) -> list[StateRecord]:
        """Give the records that have to stand beside the snapshots of these partitions."""
        found = []
        for number in numbers:
            for key in sorted(self._needed.get(number, set()) - self._stored.get(number, set())):
                recipe = self._fleet.known(key)
                if recipe is not None:
                    name = str(StateKey(number, "recipe", recipe=key))
                    found.append(StateRecord(number, name, seal_recipe(recipe.to_tree(), keys)))
        return found

    def stored(self, records: Iterable[StateRecord]) -> None:
        """Note that these stand on `state.v1`."""
        for record in records:
            self._stored.setdefault(record.partition, set()).add(record.key.partition("#")[2])


def _changes(places: Iterable[Place]) -> list[str]:
    ordered = sorted(places, key=lambda place: (place.offset, place.number))
    return [item.key for place in ordered for item in place.items if isinstance(item, RecipeChange)]
