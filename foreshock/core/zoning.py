"""The zones of a measuring point: where its velocity stands, and the alarm that this raises.

The alarm takes a step with each complete window; between two windows the newest one stands. It goes the way of the static
limits (`core/watch.py`): from the first window, beside the model and alone while that is warming up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from foreshock.contract import Limit
from foreshock.core.gathering import Memory, Zoned
from foreshock.core.points import Look
from foreshock.core.vectors import VELOCITY, Subject
from foreshock.detectors import episodes
from foreshock.detectors.episodes import EpisodeRule, EpisodeState
from foreshock.features import zones
from foreshock.machines import Zones

_BELOW = math.nextafter(1.0, 0.0)


def judge(
    memory: Memory, subject: Subject, velocity: Mapping[str, float], *, rule: EpisodeRule | None, at_ns: int
) -> tuple[Memory, int, str]:
    """Judge the velocities of a window.

    Parameters
    ----------
    memory, subject
        Of the measuring point.
    velocity
        RMS in m/s by channel.
    rule
        By which the alarm takes a step; None: the window ended short, and none is taken.
    at_ns
        Source time.

    Returns
    -------
    tuple of Memory, int, str
        What is remembered after it, what became of the alarm, and the worst zone; "" where none holds.
    """
    limits = zones.zones_of(subject.asset, subject.known) if subject.known else None
    if limits is None:
        return (*_without(memory, rule, at_ns), "")
    usual = memory.usual()
    found = [_zoned(name, value, limits, usual.get(f"{VELOCITY}[{name}]")) for name, value in velocity.items()]
    zone = zones.worst(tuple(each.zone for each in found))
    if not found or rule is None:
        return memory, episodes.NOTHING, zone
    worst = max(found, key=lambda each: each.ratio)
    alarm, event = episodes.step(rule, memory.alarm, worst.ratio, at_ns)
    return memory._replace(zoned=worst, alarm=alarm), event, zone


def _without(memory: Memory, rule: EpisodeRule | None, at_ns: int) -> tuple[Memory, int]:
    """Let an alarm of zones that hold no more come to its end."""
    if memory.zoned is None or rule is None:
        return memory, episodes.NOTHING
    alarm, event = episodes.step(rule, memory.alarm, 0.0, at_ns)
    gone = memory.zoned._replace(ratio=0.0, severity="", reason="the point has no zones any more")
    over = alarm.phase == episodes.NORMAL and event == episodes.NOTHING
    return memory._replace(zoned=None if over else gone, alarm=alarm), event


def _zoned(channel: str, value: float, limits: Zones, usual: float | None) -> Zoned:
    standing = zones.judge(value, limits, usual)
    ratio = standing.ratio if standing.severity else min(standing.ratio, _BELOW)
    reason = standing.reason or f"velocity {value * 1e3:.3g} mm/s is in zone {standing.zone}"
    return Zoned(
        zone=standing.zone,
        ratio=ratio,
        name=f"{VELOCITY}[{channel}]",
        value=value,
        limit=standing.limit,
        usual=usual,
        severity=standing.severity,
        reason=f"{reason} ({channel})",
    )


def look(zoned: Zoned, event: int, alarm: EpisodeState, at_ns: int) -> Look:
    """Look at a record in the light of the newest window."""
    fell = zoned.usual is not None and zoned.value < zoned.limit < zoned.usual
    limit = Limit(
        feature=VELOCITY,
        above=None if fell else zoned.limit,
        below=zoned.limit if fell else None,
        severity=zoned.severity or "watch",
    )
    return Look(zoned.ratio, limit, zoned.name, zoned.value, event, alarm, at_ns, zoned.reason, zoned.usual)
