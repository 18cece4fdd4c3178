"""Everything that decides about an asset, as one value: what a checkpoint stores and what evidence is a part of."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import foreshock
from foreshock.contract import Asset
from foreshock.core.gathering import BLANK, Gathering, gathering_of, tree_of
from foreshock.core.points import Episode, Former, Heir, Latest, Layout, Model, Point, Watch
from foreshock.core.scalars import Scalars
from foreshock.core.spec import FleetSpec
from foreshock.detectors.episodes import EpisodeState
from foreshock.detectors.snapshot import Keys, Sealed, Tree, canonical, from_canonical, seal, unseal
from foreshock.errors import SnapshotRejected
from foreshock.features.quality import PointState
from foreshock.features.run_state import RunMemory
from foreshock.records import from_tree, to_tree

_FIELDS = {"asset": str, "partition": int, "offset": int, "shape": str, "tree": dict}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetState:
    """State of one asset on one input partition.

    `offset` is the next one of its order: records below it are folded in. `shape` names what the arrays depend on:
    only a Fleet of the same shape can go on with them. `tree` is {asset: master data, cold: why it starts cold,
    points: list of measuring points by name, alerts: what differs from an asset without any, where something does}.
    """

    asset: str
    partition: int
    offset: int
    shape: str
    tree: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Canonical bytes: equal states have equal bytes, in every process."""
        return canonical({name: getattr(self, name) for name in _FIELDS})

    def digest(self) -> str:
        """Sha256 of the canonical bytes, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @staticmethod
    def from_bytes(data: bytes) -> AssetState:
        """Read canonical bytes; safe on bytes from anywhere.

        Raises
        ------
        SnapshotRejected
            They are not those of a state.
        """
        return AssetState._of(from_canonical(data))

    def seal(self, keys: Keys) -> bytes:
        """Compress and sign it, with a header that says what it is of and what wrote it."""
        header: dict[str, Tree] = {name: getattr(self, name) for name in _FIELDS if name != "tree"}
        header |= {"foreshock": foreshock.__version__, "numpy": np.__version__, "python": platform.python_version()}
        return seal("snapshot", {name: getattr(self, name) for name in _FIELDS}, header=header, keys=keys)

    @staticmethod
    def unseal(data: bytes | Sealed, keys: Keys) -> AssetState:
        """Check and read what `seal` has made.

        Raises
        ------
        SnapshotRejected
            It is damaged, not ours, of a newer version, or of another kind.
        """
        sealed = data if isinstance(data, Sealed) else unseal(data, keys)
        if sealed.kind != "snapshot":
            raise SnapshotRejected("malformed", f"a {sealed.kind} where a snapshot belongs")
        return AssetState._of(sealed.tree)

    @staticmethod
    def _of(tree: Tree) -> AssetState:
        if not isinstance(tree, dict) or {n: type(v) for n, v in tree.items()} != _FIELDS:
            raise SnapshotRejected("malformed", f"not a state of {', '.join(_FIELDS)}")
        return AssetState(**tree)


def point_tree(name: str, point: Point) -> dict[str, Any]:
    """Tree of a measuring point: its records, and copies of its arrays."""
    model, heir = point.model, point.heir
    return {
        "point": name,
        "strange": to_tree(point.strange),
        "strange_blocks": point.strange_blocks,
        **({"anew": point.anew} if point.anew else {}),
        "quality": to_tree(point.quality),
        **windows_tree(point.gathering, point.zones.episode),
        "latest": to_tree(point.latest),
        "heir": None if heir is None else {**_heir(heir), **model_tree(heir.model)},
        **({} if point.former is None else {"former": {**_former(point.former), **model_tree(point.former.model)}}),
        **({} if point.scalars is None else {"scalars": point.scalars.to_tree()}),
        **model_tree(model),
    }


def windows_tree(gathering: Gathering, episode: Episode | None) -> dict[str, Any]:
    """Part of a point's tree: what is kept of its measurement windows, where anything is."""
    if gathering == BLANK and episode is None:
        return {}
    return {"windows": {**tree_of(gathering), "episode": to_tree(episode)}}


def _heir(heir: Heir) -> dict[str, Any]:
    tree: dict[str, Any] = {"share": heir.share, "ready_ns": heir.ready_ns}
    return {**tree, "label": heir.label, "since_ns": heir.since_ns, "ceiling": heir.ceiling} if heir.label else tree


def _former(former: Former) -> dict[str, Any]:
    return {"labels": to_tree(former.labels), "since_ns": former.since_ns, "until_ns": former.until_ns}


def heir_of(tree: Mapping[str, Any], model: Model) -> Heir:
    """Build what is in the shadow from its tree, with a model; raises as `fill_point` does."""
    fill_model(model, tree)
    return Heir(
        model,
        from_tree(float, tree["share"]),
        from_tree(int, tree["ready_ns"]),
        from_tree(str, tree.get("label", "")),
        from_tree(int, tree.get("since_ns", 0)),
        from_tree(float, tree.get("ceiling", 0.0)),
    )


def former_of(tree: Mapping[str, Any], model: Model) -> Former:
    """The same for the model before."""
    fill_model(model, tree)
    labels = from_tree(tuple[str, ...], tree["labels"])
    if not labels:
        raise ValueError("a baseline is kept for no label")
    return Former(model, labels, from_tree(int, tree["since_ns"]), from_tree(int, tree["until_ns"]))


def model_tree(model: Model) -> dict[str, Any]:
    """Tree of what a measuring point's model and alarms remember."""
    return {
        "recipe": model.recipe.key,
        "layout": to_tree(model.layout),
        "episode": to_tree(model.episode),
        "limits": {"alarm": to_tree(model.limits.alarm), "episode": to_tree(model.limits.episode)},
        "run": to_tree(model.run),
        "newest_ns": model.newest_ns,
        "trend": model.trend,
        "arrays": model.lane.capture(model.slot),
    }


def fill_point(point: Point, tree: Mapping[str, Any]) -> None:
    """Put the tree of a measuring point into a new one, whose model is of the layout that the tree names.

    Raises
    ------
    ValueError
        The tree does not fit.
    KeyError
        A part of it is missing.
    """
    point.strange = _optional(Layout, tree["strange"])
    point.strange_blocks = from_tree(int, tree["strange_blocks"])
    point.anew = from_tree(str, tree.get("anew", ""))
    point.quality = from_tree(PointState, tree["quality"])
    point.restored = _optional(Latest, tree["latest"])
    point.scalars = Scalars.from_tree(tree["scalars"]) if "scalars" in tree else None
    if (windows := tree.get("windows")) is not None:
        point.zones.episode = _optional(Episode, windows["episode"])
        point.gathering = gathering_of({name: each for name, each in windows.items() if name != "episode"})
    fill_model(point.model, tree)


def fill_model(model: Model, tree: Mapping[str, Any]) -> None:
    """Put the tree of a model into a new one; raises as `fill_point` does."""
    model.episode = _optional(Episode, tree["episode"])
    limits = tree["limits"]
    model.limits = Watch(from_tree(EpisodeState, limits["alarm"]), _optional(Episode, limits["episode"]))
    model.run = from_tree(RunMemory, tree["run"])
    model.newest_ns = from_tree(int, tree["newest_ns"])
    model.trend = _optional(float, tree["trend"])
    model.lane.restore(model.slot, tree["arrays"])


def _optional(kind: type[Any], tree: Any) -> Any:
    return None if tree is None else from_tree(kind, tree)


def layout_of(tree: Mapping[str, Any], spec: FleetSpec) -> Layout:
    """Layout of a measuring point's tree; one that is not that of its arrays is refused before a lane is made for it.

    Raises
    ------
    ValueError
        It is not one, or cannot be that of the arrays.
    """
    layout, arrays = from_tree(Layout, tree["layout"]), tree["arrays"]["model"]
    if layout.kind == "waveform":
        columns = layout.columns * len(spec.feature_set.columns(1))
        fits = arrays["memory"].shape[0] == columns and layout.samples >= 0 and not layout.tags
    else:
        columns = len(layout.tags)
        fits = layout.kind == "telemetry" and arrays["rows"].shape[-1] == columns == layout.columns
    if not fits or columns == 0:
        raise ValueError(f"{layout} is not the layout of these arrays")
    return layout


def master_data(tree: Mapping[str, Any]) -> Asset:
    """Master data that a state was made with.

    Raises
    ------
    ValueError
        It is not that of an asset.
    KeyError
        There is none.
    """
    return from_tree(Asset, tree["asset"])
