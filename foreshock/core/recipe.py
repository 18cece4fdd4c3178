"""What a model is computed by: the settings and the reference, under a name that its state goes by.

A changed configuration finds state of the one before it. To go on scoring with that, the worker has to know what it was:
so each measuring point's state names its recipe, and the recipes themselves are on record beside the state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from foreshock.contract import Asset
from foreshock.core import migrations
from foreshock.core.migrations import Move
from foreshock.core.spec import FleetSpec, computation, shape_of
from foreshock.detectors.reference import Reference
from foreshock.errors import ConfigurationError, StateRejected
from foreshock.lineage import fingerprint
from foreshock.records import from_tree, to_tree


@dataclass(frozen=True, eq=False)
class Recipe:
    """Settings of detection and the reference of an asset class; equal ones have the same key.

    `moves` lead from the state of the release that wrote it to that of this one.
    """

    spec: FleetSpec
    reference: Reference | None = None
    moves: tuple[Move, ...] = ()

    @cached_property
    def key(self) -> str:
        """Name: a hash of all that scores depend on, of constants and features too; 16 hexadecimal digits."""
        return fingerprint(self.spec, self.spec.shape, self.reference.hash if self.reference else "")

    def shape(self, asset: Asset) -> str:
        """What the state of an asset depends on: with the same shape a model goes on as it is."""
        return shape_of(self.spec, self.reference, asset)

    def fits(self, other: Recipe, asset: Asset, kind: str) -> bool:
        """Whether the model of a `kind` of measuring point ("waveform", "telemetry") goes on as it is under another recipe."""
        if kind == "telemetry":  # neither profile nor reference has anything to do with its rows
            return self.spec.telemetry_name == other.spec.telemetry_name
        return self.shape(asset) == other.shape(asset)

    @cached_property
    def detection(self) -> str:
        """Settings as JSON, for those who compute a score again."""
        return json.dumps(asdict(self.spec), sort_keys=True)

    @cached_property
    def reference_text(self) -> str:
        """Canonical text of the reference, "" for none."""
        return self.reference.to_json() if self.reference else ""

    def to_tree(self) -> dict[str, Any]:
        """Tree of plain values; it says as well what this release makes of the settings."""
        return {
            "key": self.key,
            "spec": to_tree(self.spec),
            "reference": self.reference_text,
            "shape": self.spec.shape,
            "model": self.spec.model_name,
            "computation": computation(),
        }

    def moved(self, tree: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the tree of a model as this release writes it."""
        for move in self.moves:
            tree = move(dict(tree))
        return tree

    @staticmethod
    def from_tree(tree: Mapping[str, Any]) -> Recipe:
        """Read the tree of a recipe.

        Raises
        ------
        StateRejected
            `malformed`, or `other_shape`: this release would compute something else by the same settings.
        """
        try:
            spec, text = from_tree(FleetSpec, tree["spec"]), from_tree(str, tree["reference"])
            shape, model, made = (from_tree(str, tree[name]) for name in ("shape", "model", "computation"))
            reference = Reference.parse(text) if text else None
        except (ValueError, KeyError, TypeError, ConfigurationError) as exc:
            raise StateRejected("malformed", f"not settings that this release can run: {exc}") from exc
        if spec.shape == shape:
            return Recipe(spec, reference)
        moves = migrations.path(made, computation())
        if not moves:
            sentence = f"its model is {model}, of another release: this one computes {spec.model_name} by its settings"
            raise StateRejected("other_shape", sentence)
        return Recipe(spec, reference, moves)
