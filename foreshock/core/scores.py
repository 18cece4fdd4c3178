"""The Score of one input record, from its entry and its rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from foreshock import lineage
from foreshock.contract import Asset, Mode, RunState, Score, ScoreRow, ScoreState
from foreshock.core.points import Entry
from foreshock.core.spec import FleetSpec
from foreshock.detectors.constants import LEAST_WARMUP
from foreshock.detectors.waveform_state import SCORED, WARMING

_HELD = (
    "learning",
    "held: score is suspicious",
    "held: in alarm",
    "held: in alarm, on a new level (unconfirmed)",
    "held: most of its samples were in the block before",
)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What a warm-up asks for: so many independent blocks (or rows), and so many seconds of the running machine."""

    blocks: int
    seconds: float

    @staticmethod
    def of(asset: Asset, spec: FleetSpec) -> WarmUp:
        """Master data over settings; never too short to calibrate on."""
        seconds = spec.warmup_s if asset.warmup_s is None else asset.warmup_s
        return WarmUp(max(asset.warmup_blocks or spec.warmup_blocks, LEAST_WARMUP), seconds)

    @property
    def ns(self) -> int:
        """Its seconds in nanoseconds."""
        return int(self.seconds * 1e9)

    def share(self, seen: int, lived_ns: int) -> float:
        """How much of it is done, 0..1: the lesser of its two shares."""
        time = lived_ns / self.ns if self.ns else 1.0
        return min(1.0, seen / self.blocks, time)

    def told(self, seen: int, lived_ns: int, word: str) -> str:
        """Say how far it is; `word` is what is counted."""
        blocks = f"warming up, {seen} of {self.blocks} {word}"
        if not self.ns:
            return blocks
        return f"{blocks} and {min(math.floor(lived_ns / 1e8) / 10, self.seconds):g} of {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Names:
    """What the scores of a lane are functions of, as lineage names it."""

    feature_set: str
    model: str
    policy: str


def score(
    entry: Entry,
    names: Names,
    rows: tuple[ScoreRow, ...],
    *,
    mode: Mode = Mode.MODEL,
    reference: str = "",
    regime: str = "",
    warmup: float,
    learning: str,
) -> Score:
    """Assemble the Score of a record; its id is a function of the input coordinates and the names."""
    block = entry.block
    newest = rows[-1].source_ns
    return Score(
        score_id=lineage.event_id("score", block.origin, 0, names.model, names.policy, reference),
        asset=block.asset,
        point=block.point,
        origin=block.origin,
        mode=mode,
        rows=rows,
        quality=entry.kinds,
        feature_set=names.feature_set,
        model=names.model,
        policy=names.policy,
        reference=reference,
        regime=regime or block.context.regime or "",
        registered=entry.asset.registered,
        warmup=warmup,
        learning=learning,
        delayed_s=(block.origin.ingest_ns - newest) / 1e9,
    )


def learning(entry: Entry, state: int, held: int, reason: str = "") -> str:
    """Say whether a record was learnt from, or why not.

    Parameters
    ----------
    entry
        Who holds learning says so first.
    state, held
        What the bank says of the record, or of its newest row.
    reason
        Why it was not scored.
    """
    if entry.held:
        return f"held: {entry.held}"
    if state == WARMING:
        return "warming up"
    return _HELD[held] if state == SCORED else f"held: {reason}" if reason else "held"


def unscored(
    source_ns: int,
    state: ScoreState,
    reason: str,
    *,
    run_state: RunState = RunState.RUNNING,
    alarm: bool = False,
    trend: float | None = None,
) -> ScoreRow:
    """A row without a score, and why."""
    return ScoreRow(
        source_ns=source_ns,
        state=state,
        reason=reason,
        value=None,
        p_value=None,
        alarm=alarm,
        run_state=run_state,
        features=(),
        trend=trend,
    )
