"""How many measuring points are in which state: for those who watch the service, not for any decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from foreshock.core.points import Owner, Partition
from foreshock.vocabulary import SHADOW, ScoreState

LEARNING = "learning"


@dataclass(slots=True)
class Census:
    """Counts over all assets of some partitions.

    Attributes
    ----------
    assets
        By class of their master data, "" where that names none.
    states
        Measuring points by the state of their newest score (`ScoreState`).
    held
        Points that are scored and do not learn.
    shadow
        Points with a model that warms up beside the one that scores.
    episodes
        Points with an open anomaly episode, of the model or of a static limit.
    quality
        Points by the kinds of quality conditions that stand on them (`QualityKind`).
    """

    assets: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    held: int = 0
    shadow: int = 0
    episodes: int = 0
    quality: Counter[str] = field(default_factory=Counter)


def census(partitions: Iterable[Partition]) -> Census:
    """Count; a measuring point without any score yet is in no state."""
    found = Census()
    for partition in partitions:
        for owner in partition.owners.values():
            found.assets[owner.record.asset_class] += 1
            _count(found, owner)
    return found


def _count(found: Census, owner: Owner) -> None:
    for point in owner.points.values():
        model, score = point.model, point.score
        if score is not None:
            state, learning = score.rows[-1].state, score.learning
        elif point.restored is not None:
            state, learning = point.restored.state, point.restored.learning
        else:
            continue
        found.states[state.value] += 1
        found.held += state is ScoreState.SCORED and learning.partition(SHADOW)[0] != LEARNING
        found.shadow += point.heir is not None
        found.episodes += model.episode is not None or model.limits.episode is not None
        for kind in {each.finding.kind.value for each in point.quality.standing}:
            found.quality[kind] += 1
