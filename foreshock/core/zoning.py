"""The zones of a measuring point: where its velocity stands, and the alarm that this raises.

The alarm takes a step with each complete window; between two windows the newest one stands. It goes the way of the static
limits (`core/watch.py`): from the first window, beside the model and alone while that is warming up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from foreshock.contract import Limit, MeasuringPoint
from foreshock.core.events import UNREGISTERED
from foreshock.core.gathering import Memory, Zoned
from foreshock.core.limits import worst
from foreshock.core.points import Entry, Look, Watch
from foreshock.core.spec import FleetSpec
from foreshock.core.vectors import Reading, Subject
from foreshock.detectors import episodes
from foreshock.detectors.episodes import EpisodeRule, EpisodeState
from foreshock.features import zones
from foreshock.features.zones import Standing

_BELOW = math.nextafter(1.0, 0.0)


def judge(
    memory: Memory, subject: Subject, reading: Reading, *, spec: FleetSpec, complete: bool, at_ns: int
) -> tuple[Memory, int, str]:
    """Judge a window by the zones of its point, and by limits that are stated on what only a window has.

    Parameters
    ----------
    memory, subject, reading
        Of the measuring point and its window.
    spec
        Rule of the alarm, and the features of blocks: limits on those are looked at with each block.
    complete
        Whether the alarm takes a step: a window that ended short says too little.
    at_ns
        Source time.

    Returns
    -------
    tuple of Memory, int, str
        What is remembered after it, what became of the alarm, and the worst zone; "" where none holds.
    """
    known = subject.known
    boundaries = zones.zones_of(subject.asset, known) if known else None
    limits = _limits(known, spec) if known and known.limits else ()
    if boundaries is None and not limits:
        return (*_without(memory, spec.policy, at_ns), "") if complete else (memory, episodes.NOTHING, "")
    found, zone = [], ""
    if boundaries is not None:
        standings = {name: zones.judge(v, boundaries, memory.usual().get(name)) for name, v in reading.velocity.items()}
        found = [_zoned(name, reading.features[name], each, memory.usual()) for name, each in standings.items()]
        zone = zones.worst(tuple(each.zone for each in standings.values()))
    if (stated := _stated(limits, reading.features)) is not None:
        found.append(stated)
    if not found or not complete:
        return memory, episodes.NOTHING, zone
    speaks = max(found, key=lambda each: each.ratio)
    alarm, event = episodes.step(spec.policy, memory.alarm, speaks.ratio, at_ns)
    return memory._replace(zoned=speaks, alarm=alarm), event, zone


def _limits(known: MeasuringPoint, spec: FleetSpec) -> tuple[Limit, ...]:
    """Limits on features that no block has."""
    of_blocks = {each.name for each in spec.feature_set.features}
    return tuple(each for each in known.limits if each.feature.partition("[")[0] not in of_blocks)


def _stated(limits: tuple[Limit, ...], features: Mapping[str, float]) -> Zoned | None:
    """The stated limit that is nearest to be exceeded, or exceeded most."""
    ratio, limit, name = worst(limits, features)
    if limit is None:
        return None
    word = "is beyond" if ratio >= 1.0 else "is within"
    reason = f"{name} {features[name]:.4g} {word} the limit that is stated for it"
    severity = limit.severity if ratio >= 1.0 else ""
    return Zoned(ratio, name, features[name], limit.above, limit.below, None, severity, reason)


def _without(memory: Memory, rule: EpisodeRule, at_ns: int) -> tuple[Memory, int]:
    """Let an alarm of zones and limits that hold no more come to its end."""
    if memory.zoned is None:
        return memory, episodes.NOTHING
    alarm, event = episodes.step(rule, memory.alarm, 0.0, at_ns)
    gone = memory.zoned._replace(ratio=0.0, severity="", reason="neither zones nor limits are stated any more")
    over = alarm.phase == episodes.NORMAL and event == episodes.NOTHING
    return memory._replace(zoned=None if over else gone, alarm=alarm), event


def _zoned(name: str, value: float, standing: Standing, usual: Mapping[str, float]) -> Zoned:
    reason = standing.reason or f"velocity {value * 1e3:.3g} mm/s is in zone {standing.zone}"
    fell = standing.severity != "" and value < standing.limit
    return Zoned(
        ratio=standing.ratio if standing.severity else min(standing.ratio, _BELOW),
        name=name,
        value=value,
        above=None if fell else standing.limit,
        below=standing.limit if fell else None,
        usual=usual.get(name),
        severity=standing.severity,
        reason=f"{reason} ({name})",
    )


def end(memory: Memory, at_ns: int) -> Look | None:
    """Look at the record that ends an episode because nobody knows zones any more; None where none is open."""
    if memory.zoned is None or memory.alarm.phase not in (episodes.ACTIVE, episodes.CLEARING):
        return None
    gone = memory.zoned._replace(ratio=0.0, severity="", reason=UNREGISTERED)
    return look(gone, episodes.CLOSED, memory.alarm._replace(phase=episodes.NORMAL), at_ns)


def look(zoned: Zoned, event: int, alarm: EpisodeState, at_ns: int) -> Look:
    """Look at a record in the light of the newest window."""
    name = zoned.name.partition("[")[0]
    limit = Limit(feature=name, above=zoned.above, below=zoned.below, severity=zoned.severity or "watch")
    return Look(zoned.ratio, limit, zoned.name, zoned.value, event, alarm, at_ns, zoned.reason, zoned.usual)


def zones_of(entry: Entry) -> Watch:
    """The zones that a record of a registered asset was looked at by."""
    if entry.zones is None:
        raise AssertionError("an entry has its zones from its windows on")
    return entry.zones
