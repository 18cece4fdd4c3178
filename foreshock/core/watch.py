"""Static limits through the alarm rule: what a measuring point's limits say beside its model, or instead of it.

`look` steps the alarm of the limits, before the model scores; `found` is the event of a look at which it changed;
`judge` says how the row stands in the light of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from foreshock.contract import Limit, Mode, RunState, ScoreRow, ScoreState
from foreshock.core.events import ZONES, Finding, contributions
from foreshock.core.limits import worst
from foreshock.core.points import Entry, Episode, Look, Watch
from foreshock.detectors import episodes
from foreshock.detectors.episodes import EpisodeRule

MODEL = "static-limit-v1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row as it stands after the limits were looked at."""

    row: ScoreRow
    mode: Mode = Mode.MODEL


def look(state: Watch, limits: tuple[Limit, ...], values: Mapping[str, float], rule: EpisodeRule, at_ns: int) -> Look:
    """Fold the values of one block or row into the alarm of the limits."""
    ratio, limit, name = worst(limits, values)
    state.alarm, event = episodes.step(rule, state.alarm, ratio, at_ns)
    return Look(ratio, limit, name, values.get(name), event, state.alarm, at_ns)


def judge(row: ScoreRow, seen: Look | None) -> Verdict:
    """How a row stands.

    The limits speak for it (mode `static_limit`, value = share of the limit) while the model does not score, and where
    they are in alarm and the model is not.
    """
    if seen is None:
        return Verdict(row)
    firing = episodes.fires(seen.alarm)
    if (firing and not row.alarm) or row.state is not ScoreState.SCORED:
        return Verdict(replace(row, value=seen.ratio, alarm=row.alarm or firing), Mode.STATIC_LIMIT)
    return Verdict(row)


def speaker(limits: Look | None, zones: Look | None) -> Look | None:
    """Which of the two a row is judged by: one that is in alarm before one that is not, then the one that is exceeded more."""
    if limits is None or zones is None:
        return limits or zones
    return max((limits, zones), key=lambda seen: (episodes.fires(seen.alarm), seen.ratio))


def found(
    entry: Entry,
    seen: Look,
    episode: Episode | None,
    *,
    rule: EpisodeRule,
    feature_set: str,
    run_state: RunState,
    trend: float | None = None,
    index: int | None = None,
) -> Finding:
    """Describe a change of the alarm of limits, or of zones, whose episode is given; `index` is the row of a frame."""
    first = entry.vectors[-1].first_offset if seen.reason and entry.vectors else entry.block.origin.offset
    nan = float("nan")
    limit, value = seen.limit, seen.value
    lower = nan if limit is None or limit.below is None else limit.below
    upper = nan if limit is None or limit.above is None else limit.above
    usual = nan if seen.usual is None else seen.usual
    return Finding(
        entry=entry,
        mode=Mode.STATIC_LIMIT,
        transition=seen.event,
        alarm=seen.alarm,
        rule=rule,
        value=seen.ratio,
        p_value=None,
        healthy=0,
        first_offset=episode.first_offset if episode else first,
        contributions=contributions(
            [seen.name], [seen.ratio], [nan if value is None else value], [usual], [lower], [upper]
        ),
        feature_set=feature_set,
        model=ZONES if seen.reason else MODEL,
        model_state="",
        reference="",
        policy_name=episodes.name(rule),
        run_state=run_state,
        regime=entry.context.regime or "",
        source_ns=seen.at_ns,
        row=index,
        least=limit.severity if limit is not None else "watch",
        trend=trend,
        reason=seen.reason,
    )
