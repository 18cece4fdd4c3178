"""Static limits through the alarm rule: what a measuring point's limits say beside its model, or instead of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from foreshock import policy
from foreshock.contract import Anomaly, Limit, Mode, ScoreRow, ScoreState
from foreshock.fleet_events import Finding, anomaly, contributions
from foreshock.fleet_limits import worst
from foreshock.fleet_points import Entry, model_of
from foreshock.policy import Policy

MODEL = "static-limit-v1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row as it stands after the limits were looked at."""

    row: ScoreRow
    mode: Mode = Mode.MODEL
    anomalies: tuple[Anomaly, ...] = ()


def watch(
    entry: Entry,
    row: ScoreRow,
    limits: tuple[Limit, ...],
    values: Mapping[str, float],
    rule: Policy,
    feature_set: str,
    index: int | None = None,
) -> Verdict:
    """Fold one row into the limits' alarm.

    The limits speak for the row (mode `static_limit`, value = share of the limit) while the model does not score, and
    where they are in alarm and the model is not.
    """
    state = model_of(entry).limits
    ratio, limit, name = worst(limits, values)
    at_ns = row.source_ns if index is not None else entry.at_ns
    state.alarm, event = policy.step(rule, state.alarm, ratio, at_ns)
    firing = policy.fires(state.alarm)
    events: tuple[Anomaly, ...] = ()
    if event != policy.NOTHING:
        found = _finding(entry, row, (ratio, limit, name), values.get(name), event, rule, feature_set, index)
        made, state.episode = anomaly(found, state.episode)
        events = (made,)
    if (firing and not row.alarm) or row.state is not ScoreState.SCORED:
        return Verdict(replace(row, value=ratio, alarm=row.alarm or firing), Mode.STATIC_LIMIT, events)
    return Verdict(row, Mode.MODEL, events)


def _finding(
    entry: Entry,
    row: ScoreRow,
    worst_limit: tuple[float, Limit | None, str],
    value: float | None,
    event: int,
    rule: Policy,
    feature_set: str,
    index: int | None,
) -> Finding:
    ratio, limit, name = worst_limit
    nan = float("nan")
    lower = nan if limit is None or limit.below is None else limit.below
    upper = nan if limit is None or limit.above is None else limit.above
    episode = model_of(entry).limits.episode
    return Finding(
        entry=entry,
        mode=Mode.STATIC_LIMIT,
        transition=event,
        alarm=model_of(entry).limits.alarm,
        rule=rule,
        value=ratio,
        p_value=None,
        healthy=0,
        first_offset=episode.first_offset if episode else entry.block.origin.offset,
        contributions=contributions([name], [ratio], [nan if value is None else value], [nan], [lower], [upper]),
        feature_set=feature_set,
        model=MODEL,
        model_state="",
        reference="",
        policy_name=policy.name(rule),
        run_state=row.run_state,
        regime=entry.context.regime or "",
        source_ns=row.source_ns if index is not None else entry.at_ns,
        row=index,
        least=limit.severity if limit is not None else "watch",
        trend=row.trend,
    )
