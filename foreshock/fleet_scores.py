"""The Score of one input record, from its entry and its rows."""

from __future__ import annotations

from dataclasses import dataclass

from foreshock import lineage
from foreshock.contract import Mode, RunState, Score, ScoreRow, ScoreState
from foreshock.fleet_points import Entry

HELD = ("learning", "held: score is suspicious", "held: in alarm", "held: in alarm, on a new level (unconfirmed)")


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
