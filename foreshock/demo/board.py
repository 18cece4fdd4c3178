"""What is known of a demonstration so far, from the records that came out. Pure: records in, state."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foreshock.simulate.plan import Plan
from foreshock.simulate.verdict import ANOMALY, Event, Report, event, verdict

TREND = 24
"""Scores that the trend shows."""


@dataclass(slots=True)
class Row:
    """One asset."""

    asset: str
    asset_class: str
    state: str = "waiting"
    score: float | None = None
    alarm: bool = False
    trend: deque[float] = field(default_factory=lambda: deque(maxlen=TREND))
    last_event: str = ""


class Board:
    """Follows the outputs of a plan.

    Parameters
    ----------
    plan
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rows = {m.asset: Row(m.asset, m.asset_class) for m in plan.plant.machines}
        self.events: list[Event] = []
        self.scores = 0
        self.first_score_at: float | None = None
        """Monotonic time at which the first one came; who takes the records notes it."""
        self.dead_letters = 0
        self.raised: dict[str, str] = {}
        """Asset of each alert that was raised."""
        self._scored: set[str] = set()

    def take(self, topic: str, record: Mapping[str, Any]) -> Event | None:
        """Take a record of a topic (named without its prefix); give the event if it says something new."""
        if topic == "scores.v1":
            self._score(record)
        elif topic == "anomalies.v1":
            return self._anomaly(record)
        elif topic == "alerts.v1":
            self._alert(record)
        elif topic == "quality.v1":
            return self._quality(record)
        elif topic == "dead-letters.v1":
            self.dead_letters += 1
        return None

    def _score(self, record: Mapping[str, Any]) -> None:
        self.scores += 1
        row, newest = self.rows[record["asset"]], record["rows"][-1]
        value, state = newest["value"], newest["state"]
        row.score, row.alarm = value, newest["alarm"]
        if state == "scored":
            row.state = newest["run_state"]
            row.trend.append(value)
            if newest["source_ns"] >= self.plan.plant.epoch_ns + round(self.plan.warmup_s * 1e9):
                self._scored.add(row.asset)
        elif state == "warming":
            row.state = f"warming {record['warmup']:.0%}"
        elif state == "not_running":
            row.state = newest["run_state"]
        else:
            row.state = state.replace("_", " ")

    def _anomaly(self, record: Mapping[str, Any]) -> Event | None:
        row = self.rows[record["asset"]]
        row.last_event = f"{record['phase']} {record['severity']} {record['score']:.2f}"
        if record["phase"] != "opened":
            return None
        return self._new(record, ANOMALY, f"{record['severity']}, score {record['score']:.2f}, {_why(record)}")

    def _alert(self, record: Mapping[str, Any]) -> None:
        self.rows[record["asset"]].last_event = f"alert {record['change'].replace('_', ' ')}, {record['severity']}"
        if record["change"] == "raised":
            self.raised[record["alert_id"]] = record["asset"]

    def _quality(self, record: Mapping[str, Any]) -> Event | None:
        row = self.rows[record["asset"]]
        row.last_event = f"{record['kind']} {'raised' if record['raised'] else 'cleared'}"
        return self._new(record, record["kind"], record["detail"]) if record["raised"] else None

    def _new(self, record: Mapping[str, Any], what: str, detail: str) -> Event:
        new = event(
            self.plan,
            record["asset"],
            what,
            source_ns=record["source_ns"],
            ingest_ns=record["ingest_ns"],
            event_id=record["event_id"],
            detail=detail,
        )
        self.events.append(new)
        return new

    def report(self) -> Report:
        """Hold what was found against what was injected."""
        seen = sorted(self.events, key=lambda each: (each.plant_s, each.asset, each.what))
        return verdict(self.plan, seen, scored=self._scored, dead_letters=self.dead_letters)


def _why(record: Mapping[str, Any]) -> str:
    """Name the features that add most to a score."""
    largest = sorted(record["contributions"], key=lambda each: -each["amount"])[:3]
    return "most of it from " + ", ".join(each["feature"] for each in largest)
