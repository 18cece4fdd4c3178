"""From results to records: scores, and anomaly events with their lineage and decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from foreshock import lineage
from foreshock.contract import (
    Anomaly,
    Contribution,
    Decision,
    Lineage,
    Mode,
    Operand,
    Phase,
    RunState,
)
from foreshock.core.points import Entry, Episode, Latest
from foreshock.detectors import episodes
from foreshock.detectors.episodes import EpisodeRule, EpisodeState

PHASES = {episodes.OPENED: Phase.OPENED, episodes.UPDATED: Phase.UPDATED, episodes.CLOSED: Phase.CLOSED}
# Where an episode ends without a rule: its text is replaced.
NO_RULE = episodes.for_budget(episodes.BUDGET_TABLE[0].budget)
_RATIO = "value = measured / above, or below / measured (1 + distance / max(1, |limit|) where a sign is not positive)"
UNREGISTERED = "the asset is not registered any more: its zones and limits hold no more"
ZONES = "zones-v1"  # what decides by the zones of a point
_TRUSTED = 100  # healthy scores from which on the calibration does not lower the confidence
_DELAYED_S = 60.0  # a record that came so much later than it was taken is an old one


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A change of an alarm, before it becomes an event."""

    entry: Entry
    mode: Mode
    transition: int
    alarm: EpisodeState  # after the block
    rule: EpisodeRule
    value: float
    p_value: float | None
    healthy: int  # healthy scores behind the rank
    first_offset: int  # oldest input that the score rests on
    contributions: tuple[Contribution, ...]
    feature_set: str
    model: str
    model_state: str
    reference: str
    policy_name: str
    run_state: RunState
    regime: str
    source_ns: int
    row: int | None = None
    least: str = "watch"  # severity that a limit asks for
    hypothesis: str = ""
    trend: float | None = None
    reason: str = ""  # of zones: what they say of the machine


def anomaly(found: Finding, episode: Episode | None) -> tuple[Anomaly, Episode | None]:
    """Make the event of a finding; returns the episode as it stands afterwards, None once it is closed.

    The ids are functions of the input coordinates, the mode, and the names of model and policy.
    """
    origin, phase = found.entry.block.origin, PHASES[found.transition]
    versions = (found.mode.value, found.entry.block.point, found.model, found.policy_name)
    if episode is None:
        episode = Episode(
            id=lineage.event_id("episode", origin, found.row or 0, *versions),
            started_ns=found.alarm.over_ns,
            first_offset=found.first_offset,
            initial=found.value,
            told=found.value,
            told_ns=found.source_ns,
        )
    event = Anomaly(
        event_id=lineage.event_id(f"anomaly.{phase.value}", origin, found.row or 0, *versions),
        episode_id=episode.id,
        phase=phase,
        asset=found.entry.block.asset,
        point=found.entry.block.point,
        site=found.entry.block.site,
        gateway=found.entry.block.gateway,
        mode=found.mode,
        severity=episodes.severity(found.alarm.peak, found.least),
        source_ns=found.source_ns,
        ingest_ns=origin.ingest_ns,
        started_ns=episode.started_ns,
        score=found.value,
        initial_score=episode.initial,
        p_value=found.p_value,
        confidence=_confidence(found),
        decision=decision(found, episode),
        contributions=found.contributions,
        hypothesis=found.hypothesis,
        lowered_by=_lowered_by(found),
        run_state=found.run_state,
        regime=found.regime,
        lineage=_lineage(found),
        trace_id=lineage.trace_id(origin),
        trend=found.trend,
    )
    told = replace(episode, told=found.value, told_ns=found.source_ns)
    return event, None if phase is Phase.CLOSED else told


def farewell(entry: Entry, latest: Latest, reason: str) -> tuple[Anomaly, ...]:
    """Close what was open on the model that a measuring point gives up: its alarms cannot clear any more."""
    if entry.left is None:
        return ()
    left = entry.left
    events = []
    open_ones = (
        (Mode.MODEL, latest.model, left.episode),
        (Mode.STATIC_LIMIT, latest.model, left.limits.episode),
        (Mode.STATIC_LIMIT, ZONES, entry.zones_left.episode if entry.zones_left else None),
    )
    for mode, model, episode in open_ones:
        if episode is not None:
            found = Finding(
                entry=entry,
                mode=mode,
                transition=episodes.CLOSED,
                alarm=EpisodeState(over_ns=episode.started_ns, initial=episode.initial, peak=episode.initial),
                rule=NO_RULE,
                value=0.0,
                p_value=None,
                healthy=0,
                first_offset=episode.first_offset,
                contributions=(),
                feature_set=latest.feature_set,
                model=model,
                model_state="",
                reference=latest.reference,
                policy_name=latest.policy,
                run_state=latest.run_state,
                regime=latest.regime,
                source_ns=entry.at_ns,
                trend=latest.trend,
            )
            event, _ = anomaly(found, episode)
            events.append(replace(event, decision=Decision(rule=reason, operands=(), result=True)))
    return tuple(events)


def decision(found: Finding, episode: Episode) -> Decision:
    """The rule that fired as text, with the numbers to check it; `episode` as it stood before the event."""
    if found.reason == UNREGISTERED:
        return Decision(rule=found.reason, operands=(), result=True)
    rule, alarm, value = found.rule, found.alarm, Operand(name="value", value=found.value)
    held_s = (found.source_ns - alarm.over_ns) / 1e9
    if found.transition == episodes.OPENED:
        text = f"value >= 1 for held_blocks >= {rule.hold_blocks} and held_s >= {rule.hold_ns / 1e9:g}"
        operands = (value, Operand(name="held_blocks", value=float(alarm.over)), Operand(name="held_s", value=held_s))
    elif found.transition == episodes.CLOSED:
        text = f"alarm clear (value < {rule.release:g} for {rule.release_blocks} blocks) for clear_s >= {rule.refractory_ns / 1e9:g}"
        clear_s = (found.source_ns - alarm.clear_ns) / 1e9
        operands = (
            value,
            Operand(name="below_blocks", value=float(alarm.under)),
            Operand(name="clear_s", value=clear_s),
        )
    else:
        text = f"in alarm and (value >= {rule.escalate:g} x last_told or since_told_s >= {rule.update_ns / 1e9:g})"
        since_s = (found.source_ns - episode.told_ns) / 1e9
        operands = (
            value,
            Operand(name="last_told", value=episode.told),
            Operand(name="since_told_s", value=since_s),
        )
    if found.mode is Mode.STATIC_LIMIT:
        return Decision(rule=f"{text}; {found.reason or _RATIO}", operands=(*operands, *_limit(found)), result=True)
    return Decision(rule=text, operands=(*operands, Operand(name="margin", value=rule.margin)), result=True)


def _limit(found: Finding) -> tuple[Operand, ...]:
    """What was measured, and the limit that it is held against; nothing where no limit applied to the block."""
    return tuple(
        Operand(name=name, value=number)
        for each in found.contributions[:1]
        for name, number in _numbers(each)
        if number is not None
    )


def _numbers(each: Contribution) -> tuple[tuple[str, float | None], ...]:
    return ("measured", each.value), ("below", each.lower), ("above", each.upper), ("usual", each.expected)


def _confidence(found: Finding) -> float:
    """Share of the asset's own healthy scores below this one, scaled down while these are few; 1 for a stated limit."""
    if found.p_value is None:
        return 1.0
    return (1.0 - found.p_value) * min(1.0, found.healthy / _TRUSTED)


def _lowered_by(found: Finding) -> tuple[str, ...]:
    entry, reasons = found.entry, []
    if found.p_value is not None and found.healthy < _TRUSTED:
        reasons.append(f"calibrated on {found.healthy} healthy scores only")
    if not entry.asset.registered:
        reasons.append("asset is not registered: defaults hold")
    delay = (entry.block.origin.ingest_ns - found.source_ns) / 1e9
    if delay > _DELAYED_S:
        reasons.append(f"record came {delay:.0f} s after it was taken")
    reasons += [f"quality: {kind}" for kind in entry.kinds]
    return tuple(reasons)


def _lineage(found: Finding) -> Lineage:
    origin, margin = found.entry.block.origin, found.rule.margin
    rank = f"{found.healthy} healthy scores; boundary {margin:g} x the largest of the warm-up"
    return Lineage(
        inputs=(lineage.input_range(origin, found.first_offset, found.row),),
        schema=origin.schema,
        feature_set=found.feature_set,
        model=found.model,
        model_state=found.model_state,
        calibration="none: a stated limit" if found.mode is Mode.STATIC_LIMIT else rank,
        reference=found.reference,
        policy=found.policy_name,
        asset_record=lineage.asset_record(found.entry.asset),
        numeric_platform=lineage.numeric_platform(),
        code=lineage.code_version(),
    )


def contributions(
    names: Sequence[str],
    amounts: Sequence[float],
    values: Sequence[float],
    expected: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
) -> tuple[Contribution, ...]:
    """Contributions that are not zero, the largest first; NaN means "not known"."""
    rows = zip(names, amounts, values, expected, lower, upper, strict=True)
    kept = sorted((row for row in rows if row[1] != 0.0), key=lambda row: -row[1])
    return tuple(
        Contribution(feature=n, amount=a, value=_known(v), expected=_known(e), lower=_known(lo), upper=_known(up))
        for n, a, v, e, lo, up in kept
    )


def _known(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124  # NaN alone differs from itself
