"""The overview: every asset with what it is now, and its lane. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from foreshock.streams.console.alertbook import Alert
from foreshock.streams.console.lanes import RANK, clipped, overlaid
from foreshock.streams.console.machine import STALE_S, Machine
from foreshock.streams.console.plant import Plant

MOST = 5_000  # assets of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for. Times are ms of UTC."""

    from_ms: float
    to_ms: float
    now_ms: float
    text: str = ""
    severities: Collection[str] = ()
    classes: Collection[str] = ()
    problems: bool = False
    limit: int = 2_000
    offset: int = 0


def fleet(plant: Plant, asked: Asked) -> dict[str, Any]:
    """Give the overview, the worst first."""
    names = {*plant.machines, *plant.registered}
    words = {name: plant.severity(plant.machine(name), name) for name in names}
    chosen = sorted((-RANK[words[name]], name) for name in names if _wanted(plant, name, words[name], asked))
    shown = chosen[asked.offset : asked.offset + min(asked.limit, MOST)]
    classes = {each.asset_class for each in plant.registered.values() if each.asset_class}
    return {
        "from_ms": asked.from_ms,
        "to_ms": asked.to_ms,
        "now_ms": asked.now_ms,
        "total": len(names),
        "matched": len(chosen),
        "counts": Counter(words.values()),
        "classes": sorted(classes),
        "assets": [
            {**asset_now(plant, name, asked.now_ms, words[name]), "lane": list(_lane(plant, name, asked))}
            for _, name in shown
        ],
    }


def asset_now(plant: Plant, name: str, now_ms: float, word: str = "") -> dict[str, Any]:
    """Give what an asset is now; `word` is its severity, where that is known already."""
    machine, master = plant.machine(name), plant.registered.get(name)
    alert = plant.alerts.standing(name)
    worst = machine.worst() if machine else None
    row, record = (worst.row, worst.newest) if worst else ({}, {})
    age_s = None if machine is None else max(0.0, (now_ms - machine.last_ms) / 1e3)
    return {
        "id": name,
        "severity": word or plant.severity(machine, name),
        "since_ms": _since(alert, machine, now_ms),
        "class": master.asset_class if master else "",
        "path": list(master.path) if master else [],
        "owner": master.owner if master else "",
        "criticality": master.criticality if master else "",
        "registered": master is not None,
        "score": row.get("value"),
        "p": row.get("p_value"),
        "trend": row.get("trend"),
        "state": row.get("state", "none"),
        "reason": row.get("reason", ""),
        "run_state": row.get("run_state", ""),
        "warmup": record.get("warmup"),
        "learning": record.get("learning", ""),
        "quality": sorted({*record.get("quality", ()), *(kind for _, _, kind in machine.standing)}) if machine else [],
        "alarm": bool(row.get("alarm")),
        "last_ms": machine.last_ms if machine else None,
        "age_s": age_s,
        "stale": age_s is not None and age_s > STALE_S,
        "spark": worst.spark() if worst else [],
        "alert": _alert(alert),
        "points": sorted(machine.points) if machine else [],
    }


def _alert(alert: Alert | None) -> dict[str, Any] | None:
    if alert is None:
        return None
    last = alert.last
    return {
        "id": alert.alert_id,
        "severity": last["severity"],
        "state": last["state"],
        "raised_ms": last["raised_ns"] / 1e6,
        "owner": last["owner"],
        "acknowledged_by": last["acknowledged_by"],
        "suppressed_by": last["suppressed_by"],
    }


def _since(alert: Alert | None, machine: Machine | None, now_ms: float) -> float | None:
    if alert is not None:
        return float(alert.last["raised_ns"]) / 1e6
    pieces = machine.lane.pieces(0.0, now_ms) if machine else []
    return pieces[-1][0] if pieces else None


def _lane(plant: Plant, name: str, asked: Asked) -> Iterator[tuple[float, float, str]]:
    machine = plant.machine(name)
    base = machine.lane.pieces(asked.from_ms, asked.to_ms) if machine else []
    over = clipped(plant.alerts.pieces(name, asked.now_ms), asked.from_ms, asked.to_ms)
    return iter(overlaid(base, over))


def _wanted(plant: Plant, name: str, word: str, asked: Asked) -> bool:
    if asked.severities and word not in asked.severities:
        return False
    if asked.problems and word in {"ok", "stopped", "warming", "none"}:
        return False
    master = plant.registered.get(name)
    if asked.classes and (master is None or master.asset_class not in asked.classes):
        return False
    if not asked.text:
        return True
    text = asked.text.lower()
    places = (name, *((*master.path, master.asset_class, master.owner) if master else ()))
    return any(text in each.lower() for each in places)
