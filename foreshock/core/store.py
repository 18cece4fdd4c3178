"""The way of assets out of the Fleet and back: what was changed since when, captured states, restored states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreshock.core.admission import Admission
from foreshock.core.desk import refresh, settle
from foreshock.core.points import Former, Heir, Model, Owner, Point
from foreshock.core.recipe import Recipe
from foreshock.core.standing import alerts_of, tree_of
from foreshock.core.state import AssetState, fill_point, former_of, heir_of, layout_of, master_data, point_tree
from foreshock.errors import StateRejected
from foreshock.lineage import fingerprint
from foreshock.records import from_tree, to_tree


@dataclass(frozen=True, slots=True)
class Store:
    """Captures and restores the assets of an admission."""

    admission: Admission

    def folded(self, number: int, name: str) -> int:
        """Next offset of an asset's order."""
        owner = self._owner(number, name)
        return owner.folded if owner else 0

    def _owner(self, number: int, name: str) -> Owner | None:
        partition = self.admission.partitions.get(number)
        return partition.owners.get(name) if partition else None

    def dirty(self, number: int) -> Mapping[str, int]:
        """Asset to the first offset that changed it since it was stored, the oldest first."""
        partition = self.admission.partitions.get(number)
        return dict(sorted(partition.dirty.items(), key=lambda each: each[1])) if partition else {}

    def capture(self, number: int, name: str) -> AssetState:
        """Copy an asset's state."""
        owner = self._owner(number, name)
        if owner is None:
            raise KeyError(f"{name} is not on partition {number}")
        owner.captured, owner.since = owner.folded, None
        shape = self._shape(number, owner)
        tree = {
            "asset": to_tree(owner.record),
            "cold": owner.cold,
            "points": [point_tree(point, owner.points[point]) for point in sorted(owner.points)],
        }
        if alerts := tree_of(owner.alerts):
            tree["alerts"] = alerts
        return AssetState(asset=name, partition=number, offset=owner.folded, shape=shape, tree=tree)

    def clean(self, number: int, name: str, offset: int) -> None:
        """Note what a checkpoint has; what changed since the capture at that offset stays dirty."""
        partition, owner = self.admission.partitions.get(number), self._owner(number, name)
        if partition is None or owner is None:
            return
        since = owner.since if offset >= owner.captured else offset  # of an older capture: since then, at the latest
        if since is None:
            partition.dirty.pop(name, None)
        else:
            partition.dirty[name] = since

    def restore(self, state: AssetState, dirty: int | None = None) -> None:
        """Replace an asset by a captured state, of which no checkpoint has what came from offset `dirty` on."""
        admission = self.admission
        owner = admission.forget(state.partition, state.asset)
        partition = admission.partition(state.partition)
        try:
            owner.record = master_data(state.tree)
            owner.alerts = alerts_of(state.tree.get("alerts", {}), admission.desk.known)
            self._fill(owner, state)
        except StateRejected as exc:
            admission.drop_points(owner)
            owner.cold = exc.sentence
            raise
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
            admission.drop_points(owner)
            owner.cold = f"its state does not fit: {exc}"
            raise StateRejected("malformed", owner.cold) from exc
        finally:  # the alerts hold on where the models cannot
            refresh(owner, admission.recipe_in(partition))
            settle(state.asset, owner, partition)
        owner.folded = owner.captured = state.offset
        partition.next = max(partition.next, state.offset)
        partition.heard_ns = 1
        if dirty is not None:
            partition.touch(state.asset, owner, dirty)

    def _fill(self, owner: Owner, state: AssetState) -> None:
        owner.cold = from_tree(str, state.tree["cold"])
        for tree in state.tree["points"]:
            recipe = self._recipe(state, owner, tree.get("recipe"))
            moved = recipe.moved(tree)
            point = Point(self._model(moved, owner, recipe))
            owner.points[from_tree(str, tree["point"])] = point
            fill_point(point, moved)
            if (heir := self._beside(tree.get("heir"), owner, point)) is not None:
                point.heir = Heir(heir[1])
                point.heir = heir_of(*heir)
                self.admission.partition(state.partition).succeeding.add(state.asset)
            if (former := self._beside(tree.get("former"), owner, point)) is not None:
                point.former = Former(former[1], (), 0, 0)
                point.former = former_of(*former)

    def _beside(
        self, tree: Mapping[str, Any] | None, owner: Owner, point: Point
    ) -> tuple[Mapping[str, Any], Model] | None:
        """Start a model beside that of a point; None where there is none, or a release that is gone began it."""
        if tree is None or tree["recipe"] not in self.admission.recipes:
            return None
        recipe = self.admission.recipes[tree["recipe"]]
        moved = recipe.moved(tree)
        layout = layout_of(moved, recipe.spec)
        if layout != point.model.layout:
            raise ValueError(f"its shadow is of another layout: {layout}")
        return moved, self.admission.model(layout, owner.record, recipe)

    def _model(self, tree: Mapping[str, Any], owner: Owner, recipe: Recipe) -> Model:
        return self.admission.model(layout_of(tree, recipe.spec), owner.record, recipe)

    def _recipe(self, state: AssetState, owner: Owner, key: str | None) -> Recipe:
        """What a model of a state is computed by; where that is not on record its shape has to fit what is configured."""
        admission = self.admission
        if key in admission.recipes:
            return admission.recipes[key]
        wanted = admission.recipe.shape(owner.record)
        if state.shape == wanted:
            return admission.recipe
        why = admission.strange.get(key or "", f"its state has the shape {state.shape}, {wanted} is configured now")
        raise StateRejected("other_shape", why)

    def _shape(self, number: int, owner: Owner) -> str:
        """Shape of an asset's state; that of one whose points have different ones is of no other asset."""
        recipes = {point.model.recipe.key: point.model.recipe for point in owner.points.values()}
        shapes = [recipe.shape(owner.record) for recipe in recipes.values()]
        if len(shapes) == 1:
            return shapes[0]
        return fingerprint(*sorted(shapes)) if shapes else self.admission.recipe_of(number).shape(owner.record)
