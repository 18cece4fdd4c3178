"""Evidence: the state of a measuring point before a record that an anomaly event came with.

The banks stop before a block whose alarm changes, so the model's state is still there, and nothing is copied for the
blocks that nobody will ask about. What was moved on before the banks ran is had back by the references that an entry
and its `Before` keep: those records are immutable. The latest score is left out: no record that is scored depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foreshock.contract import Anomaly
from foreshock.core.gathering import Gathering
from foreshock.core.points import Entry, Latest, Model, Watch, model_of
from foreshock.core.recipe import Recipe
from foreshock.core.state import AssetState, model_tree, windows_tree
from foreshock.detectors.episodes import EpisodeState
from foreshock.features.run_state import RunMemory
from foreshock.outcome import Evidence
from foreshock.records import to_tree

Before = tuple[RunMemory, int]  # run state and newest time of a model before a record; a named one costs 0.1 us a block


@dataclass(slots=True)
class Witness:
    """The states of a batch that somebody may ask about, by the number of the entry."""

    recipe: Recipe
    entries: Sequence[Entry]
    before: Sequence[Before]
    limits: Sequence[EpisodeState]  # alarm of the static limits before each entry
    states: dict[int, AssetState] = field(default_factory=dict)

    def knows(self, k: int) -> bool:
        """Whether the state before an entry is kept."""
        return k in self.states

    def keep(self, k: int, arrays: Mapping[str, Any]) -> None:
        """Keep the state before entry `k`: to be called before the first of its events is made."""
        entry, (run, newest_ns) = self.entries[k], self.before[k]
        model, was = model_of(entry), entry.was
        if was is None:
            raise AssertionError("an entry keeps what its point was from admission on")
        point = {
            "point": entry.block.point,
            "strange": to_tree(was[1]),
            "strange_blocks": was[2],
            "quality": to_tree(was[0]),
            **_windows(entry.gathered, entry.zones),
            "latest": None,
            "layout": to_tree(model.layout),
            "episode": to_tree(model.episode),
            "limits": {"alarm": to_tree(self.limits[k]), "episode": to_tree(model.limits.episode)},
            "run": to_tree(run),
            "newest_ns": newest_ns,
            "trend": model.trend,
            "arrays": arrays,
        }
        self.states[k] = _state(self.recipe, entry, point)

    def of(self, k: int, events: Sequence[Anomaly]) -> tuple[Evidence, ...]:
        """Evidence of entry `k`, in the order of its events; equal states are one."""
        return _evidence(self.recipe, self.states[k], events) if events else ()


def parting(entry: Entry, left: Model, latest: Latest, events: Sequence[Anomaly]) -> tuple[Evidence, ...]:
    """Evidence of the events with which a measuring point gives up a model: the model is as it was before the record."""
    if entry.was is None:
        raise AssertionError("an entry keeps what its point was from admission on")
    quality, strange, strange_blocks = entry.was
    point = {
        "point": entry.block.point,
        "strange": to_tree(strange),
        "strange_blocks": strange_blocks,
        "anew": entry.anew,
        "quality": to_tree(quality),
        **_windows(*_before(entry)),
        "latest": to_tree(latest),
        **model_tree(left),
    }
    return _evidence(left.recipe, _state(left.recipe, entry, point), events)


def _before(entry: Entry) -> tuple[Gathering | None, Watch | None]:
    """Windows and zones of a point before a record that gives its model up; a repair gives them up too."""
    return (entry.gathered_left, entry.zones_left) if entry.anew else (entry.gathered, entry.zones)


def _windows(gathering: Gathering | None, zones: Watch | None) -> dict[str, Any]:
    return {} if gathering is None else windows_tree(gathering, zones.episode if zones else None)


def _state(recipe: Recipe, entry: Entry, point: dict[str, Any]) -> AssetState:
    """State of an asset with one measuring point; of its alerts it has what decides about the score."""
    tree = {"asset": to_tree(entry.asset), "cold": "", "points": [point]}
    if entry.held:
        tree["alerts"] = {"held": entry.held}
    return AssetState(
        asset=entry.block.asset,
        partition=entry.block.origin.partition,
        offset=entry.folded,
        shape=recipe.shape(entry.asset),
        tree=tree,
    )


def _evidence(recipe: Recipe, state: AssetState, events: Sequence[Anomaly]) -> tuple[Evidence, ...]:
    data, detection, reference = state.to_bytes(), recipe.detection, recipe.reference_text
    return tuple(Evidence(event_id=e.event_id, state=data, detection=detection, reference=reference) for e in events)
