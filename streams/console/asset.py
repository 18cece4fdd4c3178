"""The page of one asset, from memory: what it is now, its points, what was told of it, its scores over time. Pure."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from foreshock.alerts.feedback import Label
from foreshock.alerts.files import resolve
from foreshock.alerts.outcomes.incidents import incidents
from foreshock.alerts.outcomes.verdicts import labels
from foreshock.alerts.policy import Policy
from foreshock.alerts.vocabulary import Change, CommandKind, Severity
from foreshock.answers.dossier import Known
from foreshock.contract import Asset
from foreshock.records import to_tree
from foreshock.streams.console.fleet import asset_now
from foreshock.streams.console.machine import Point, numbers
from foreshock.streams.console.plant import Plant
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.rings import STATES, spans
from foreshock.streams.errands.dossiers import levels

SHOWN = 100
SAMPLES = 400  # scores of a point that a trend is made of
_COMPARED = 1_000  # names, with one that nobody knows: it takes some 50 us for each


def unknown(plant: Plant, name: str) -> Problem:
    """Give the answer to a question about an asset that nobody knows."""
    names = {*plant.machines, *plant.registered}
    near = difflib.get_close_matches(name[:100], names, n=3, cutoff=0.75) if len(names) <= _COMPARED else []
    hint = f"did you mean {', '.join(near)}?" if near else "ids are case-sensitive; is the prefix right?"
    return Problem("unknown_asset", f"nothing is known of the asset {name[:200]!r}", hint)


def asset(plant: Plant, name: str, now_ms: float) -> dict[str, Any]:
    """Give the page of an asset.

    Raises
    ------
    Problem
        Nobody knows it.
    """
    if not plant.known(name):
        raise unknown(plant, name)
    machine, master = plant.machine(name), plant.registered.get(name)
    points = sorted(machine.points.values(), key=lambda each: each.name) if machine else []
    return {
        "id": name,
        "now": asset_now(plant, name, now_ms),
        "registered": _registered(master) if master else None,
        "points": [each.tree() for each in points],
        "alerts": [each.summary() for each in plant.alerts.of(name)[:SHOWN] if each.raised],
        "anomalies": [each for each in reversed(plant.anomalies.values()) if each["asset"] == name][:SHOWN],
        **_told(plant, name),
    }


def series(
    plant: Plant,
    policies: Sequence[Policy],
    budget: float,
    *,
    name: str,
    point: str,
    over: tuple[float, float],
    width: int,
) -> dict[str, Any]:
    """Give the scores of a measuring point in at most `width` buckets, and what happened beside them.

    Parameters
    ----------
    policies, budget
        That say where the bands of severity begin.
    over
        The interval, in ms of UTC.

    Raises
    ------
    Problem
        Nobody knows the asset, or the point.
    """
    found = point_of(plant, name, point)
    rows = found.ring.between(*over)
    starts = spans(rows["at_ms"], *over, width)
    ends = np.append(starts[1:], len(rows))[: len(starts)] - 1
    value = rows["value"].astype(np.float64)
    known = np.maximum.accumulate(np.where(np.isnan(value), -1, np.arange(len(value))))[ends] if len(rows) else ends
    known = np.where(known >= starts, known, ends)  # the last row of the bucket that has a score
    low = np.where(np.isnan(value), np.inf, value)
    high = np.where(np.isnan(value), -np.inf, value)
    told = _told(plant, name)
    within = {
        key: [each for each in told[key] if over[0] <= each["at_ms"] <= over[1]]
        for key in ("labels", "quality", "work")
    }
    return {
        "id": name,
        "point": found.name,
        "from_ms": over[0],
        "to_ms": over[1],
        "rows": len(rows),
        "downsampled": len(starts) < len(rows),
        "t_ms": np.ascontiguousarray(rows["at_ms"][ends]),
        "source_ms": np.ascontiguousarray(rows["source_ms"][ends]),
        "score": numbers(rows["value"][known]),
        "score_min": numbers(_finite(np.minimum.reduceat(low, starts)) if len(starts) else []),
        "score_max": numbers(_finite(np.maximum.reduceat(high, starts)) if len(starts) else []),
        "p": numbers(rows["p"][known]),
        "trend": numbers(rows["trend"][ends]),
        "alarm": np.maximum.reduceat(rows["alarm"], starts) if len(starts) else [],
        "state": np.ascontiguousarray(rows["state"][ends]),
        "states": STATES,
        "input": {
            "partition": found.newest["origin"]["partition"],
            "offsets": np.ascontiguousarray(rows["input"][ends]),
        },
        "boundary": 1.0,
        "levels": [{"severity": severity, "at": at} for severity, at in bands(plant, policies, budget, name)],
        "alerts": _changes(plant, name, over),
        **within,
    }


def _changes(plant: Plant, name: str, over: tuple[float, float]) -> list[dict[str, Any]]:
    """What happened to its alerts in an interval."""
    names = ("change", "severity", "actor", "state")
    return [
        {"at_ms": at_ms, "alert_id": alert.alert_id, **{key: record[key] for key in names}}
        for alert in plant.alerts.of(name)
        for at_ms, record in alert.changes
        if over[0] <= at_ms <= over[1]
    ]


def point_of(plant: Plant, name: str, point: str) -> Point:
    """Give a measuring point; "" is the first, or the one that is in alarm.

    Raises
    ------
    Problem
        Nobody knows the asset, or the point.
    """
    machine = plant.machine(name)
    if machine is None:
        if plant.known(name):
            raise Problem(
                "gone", f"no score of {name!r} is kept in memory", "nothing came of it since the look-back began"
            )
        raise unknown(plant, name)
    found = machine.points.get(point) if point else machine.worst()
    if found is None or not found.row:
        raise Problem(
            "not_found", f"{name!r} has no measuring point {point[:200]!r}", f"there are {sorted(machine.points)}"
        )
    return found


def bands(plant: Plant, policies: Sequence[Policy], budget: float, name: str) -> list[tuple[str, float]]:
    """Give the scores at which the bands of the asset's policy begin, as its labels have it."""
    policy = resolve(policies, plant.registered.get(name) or Asset(asset=name))
    return [(str(severity), at) for severity, at in levels(policy, budget, _labels(plant, name))]


def known(
    plant: Plant, policies: Sequence[Policy], budget: float, name: str, anomaly: Mapping[str, Any] | None
) -> Known:
    """Give what the dossier of an asset is made of, from memory.

    Parameters
    ----------
    policies, budget
        That say where the bands of severity begin.
    anomaly
        Its newest anomaly event; None: there is none.
    """
    machine = plant.machine(name)
    return Known(
        now_ns=time.time_ns(),
        asset=name,
        scores={point.name: _sampled(point) for point in machine.points.values()} if machine else {},
        levels=[(Severity(severity), at) for severity, at in bands(plant, policies, budget, name)],
        transitions=plant.alerts.transitions(name),
        commands=[each for _, each in plant.commands if each.asset == name],
        work_orders=[each for _, each in plant.work if each.asset == name],
        anomaly=anomaly,
    )


def _sampled(point: Point) -> list[tuple[int, float]]:
    """Source times in ns and scores of a point, evenly taken, ascending, each time once."""
    rows = point.ring.rows()
    rows = rows[np.isfinite(rows["value"])]
    rows = rows[np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(np.int64)]
    found = {int(row["source_ms"] * 1e6): float(row["value"]) for row in rows}
    return sorted(found.items())


def _labels(plant: Plant, name: str) -> Sequence[Label]:
    commands = [each for _, each in plant.commands if each.asset == name and each.kind is CommandKind.LABEL]
    if not commands:  # as nearly always; an asset may have thousands of changes
        return ()
    changes = plant.alerts.transitions(name)
    refused = {each.command_id for each in changes if each.change is Change.REFUSED}
    return labels(commands, incidents(changes), refused).get(name, ())


def _told(plant: Plant, name: str) -> dict[str, list[dict[str, Any]]]:
    """What people and sensors said of it, the newest first."""
    machine = plant.machine(name)
    return {
        "quality": list(reversed(machine.quality)) if machine else [],
        "labels": list(_verdicts(plant, name))[:SHOWN],
        "work": [{"at_ms": at_ms, **to_tree(each)} for at_ms, each in reversed(plant.work) if each.asset == name][
            :SHOWN
        ],
    }


def _verdicts(plant: Plant, name: str) -> Iterator[dict[str, Any]]:
    effects = {
        record["command_id"]: (record["effect"] or record["reason"], record["change"])
        for alert in plant.alerts.of(name)
        for _, record in alert.changes
        if record["command_id"]
    }
    for at_ms, each in reversed(plant.commands):
        if each.asset == name and each.kind is CommandKind.LABEL:
            effect, change = effects.get(each.command_id, ("", ""))
            yield {
                "at_ms": at_ms,
                "command_id": each.command_id,
                "actor": each.actor,
                "verdict": each.verdict,
                "accepts": each.accept,
                "alert_id": each.alert_id,
                "reason": each.reason,
                "note": each.note,
                "fault_code": each.fault_code,
                "from_ms": None if each.from_ns is None else each.from_ns / 1e6,
                "until_ms": None if each.until_ns is None else each.until_ns / 1e6,
                "effect": effect,
                "refused": change == Change.REFUSED,
            }


def _registered(master: Asset) -> dict[str, Any]:
    tree: dict[str, Any] = to_tree(master)
    return {"id": tree.pop("asset"), "class": tree.pop("asset_class"), **tree}


def _finite(values: Any) -> Any:
    return np.where(np.isinf(values), np.nan, values)
