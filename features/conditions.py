"""Quality conditions of a measuring point: what was found on a block becomes raised and cleared transitions.

A condition is raised by the first block that shows it and cleared after `CLEAR_AFTER` blocks in a row without it, so
that a fault which comes and goes is one condition, not many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from foreshock.contract import QualityKind
from foreshock.features.health import VERDICTS

CLEAR_AFTER = 3
CLEAR_AT_ONCE = frozenset({QualityKind.SILENT})
"""What the first record that comes ends."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one block."""

    kind: QualityKind
    channel: str
    """Empty where it concerns the block as a whole."""
    value: float | None
    limit: float | None
    detail: str
    """A sentence for people."""
    usable: bool = False
    """Whether the samples of the block can be scored and learnt all the same."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A condition was raised or cleared; `finding` is the latest that showed it."""

    finding: Finding
    raised: bool

    @property
    def cause(self) -> str:
        """Who has to look: sensor, gateway or pipeline."""
        return VERDICTS[self.finding.kind].cause

    @property
    def ne107(self) -> str:
        """Status signal in the words of NAMUR NE 107."""
        return VERDICTS[self.finding.kind].ne107


class Condition(NamedTuple):
    """A condition that stands, and for how many blocks it has not been seen."""

    finding: Finding
    good: int


Conditions = tuple[Condition, ...]


def step(conditions: Conditions, findings: tuple[Finding, ...]) -> tuple[Conditions, tuple[Transition, ...]]:
    """Fold the findings of one block into the conditions that stand.

    Parameters
    ----------
    conditions : tuple of Condition
        Before the block.
    findings : tuple of Finding
        Of the block; at most one of a kind and channel counts, the first.

    Returns
    -------
    tuple of Condition
        After the block.
    tuple of Transition
        Cleared ones first, then raised ones, each in the order in which they came up.
    """
    if not findings and not conditions:
        return conditions, ()
    found = {(f.kind, f.channel): f for f in reversed(findings)}
    kept: list[Condition] = []
    transitions: list[Transition] = []
    for condition in conditions:
        key = (condition.finding.kind, condition.finding.channel)
        again = found.pop(key, None)
        if again is not None:
            kept.append(Condition(again, 0))
        elif condition.good + 1 >= CLEAR_AFTER or condition.finding.kind in CLEAR_AT_ONCE:
            transitions.append(Transition(condition.finding, raised=False))
        else:
            kept.append(Condition(condition.finding, condition.good + 1))
    new = [f for f in findings if found.pop((f.kind, f.channel), None) is not None]
    kept.extend(Condition(f, 0) for f in new)
    transitions.extend(Transition(f, raised=True) for f in new)
    return tuple(kept), tuple(transitions)
