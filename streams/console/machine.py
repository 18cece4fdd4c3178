"""One asset as the console holds it: its measuring points, what they were, what they are. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.streams.console.lanes import RANK, Lane
from foreshock.streams.console.rings import STATES, Ring, Room

NS_MS = 1e6
POINTS = 64  # of an asset
EVENTS = 100  # of quality, of an asset
CONDITIONS = 256  # that stand at once, of an asset
SPARK = 24
STALE_S = 60.0
_BASE = {"warming": "warming", "not_running": "stopped", "not_usable": "quality", "late": "quality"}


class Point:
    """One measuring point: its rows, and what the newest score said."""

    def __init__(self, name: str, room: Room) -> None:
        self.name = name
        self.ring = Ring(room)
        self.newest: Mapping[str, Any] = {}
        self.row: Mapping[str, Any] = {}
        self.at_ms = 0.0

    @property
    def word(self) -> str:
        """What its newest row says, in the words of a lane."""
        if not self.row:
            return "none"
        if self.row["alarm"]:
            return "anomaly"
        return _BASE.get(str(self.row["state"]), "ok")

    def take(self, record: Mapping[str, Any], offset: int) -> None:
        """Take a score; the rows of a frame lie as far apart as their sensor said."""
        origin, rows = record["origin"], record["rows"]
        arrived = origin["ingest_ns"] / NS_MS
        last = rows[-1]["source_ns"]
        for row in rows:
            at_ms = arrived - max(0.0, (last - row["source_ns"]) / NS_MS)
            state = STATES.index(row["state"]) if row["state"] in STATES else 0
            self.ring.add(
                (
                    at_ms,
                    row["source_ns"] / NS_MS,
                    _number(row["value"]),
                    _number(row["p_value"]),
                    _number(row.get("trend")),
                    offset,
                    origin["offset"],
                    state,
                    bool(row["alarm"]),
                    row["run_state"] == "running",
                )
            )
        self.newest, self.row, self.at_ms = record, rows[-1], arrived

    def spark(self) -> npt.NDArray[np.float32]:
        """Give its newest scores."""
        return numbers(self.ring.newest(SPARK)["value"])

    def tree(self) -> dict[str, Any]:
        """Give what is told of it."""
        row, record = self.row, self.newest
        if not row:
            return {"point": self.name, "score": None, "state": "none"}
        return {
            "point": self.name,
            "score": row["value"],
            "p": row["p_value"],
            "state": row["state"],
            "reason": row["reason"],
            "run_state": row["run_state"],
            "alarm": row["alarm"],
            "warmup": record["warmup"],
            "learning": record["learning"],
            "quality": list(record["quality"]),
            "last_ms": self.at_ms,
            "source_ms": row["source_ns"] / NS_MS,
            "trend": row.get("trend"),
            "model": record["model"],
            "feature_set": record["feature_set"],
            "mode": record["mode"],
            "partition": record["origin"]["partition"],
            "offset": record["origin"]["offset"],
            "kind": "waveform" if record["feature_set"] else "telemetry",
        }


class Machine:
    """One asset."""

    def __init__(self, name: str, room: Room) -> None:
        self.name = name
        self.points: dict[str, Point] = {}
        self.lane = Lane()
        self.quality: deque[dict[str, Any]] = deque(maxlen=EVENTS)
        self.standing: set[tuple[str, str, str]] = set()  # conditions of its sensors that were raised
        self.last_ms = 0.0
        self._room = room

    def take(self, record: Mapping[str, Any], offset: int) -> Point | None:
        """Take a score; None where the asset has more measuring points than are held."""
        point = self.points.get(record["point"])
        if point is None:
            if len(self.points) >= POINTS:
                return None
            point = self.points[record["point"]] = Point(record["point"], self._room)
        if not record["rows"]:
            return None
        point.take(record, offset)
        self.last_ms = max(self.last_ms, point.at_ms)
        self.lane.add(point.at_ms, self.word)
        return point

    def take_quality(self, told: dict[str, Any]) -> None:
        """Take a transition of a condition of one of its sensors."""
        key = (told["point"], told["channel"], told["kind"])
        if not told["raised"]:
            self.standing.discard(key)
        elif len(self.standing) < CONDITIONS:
            self.standing.add(key)
        self.quality.append(told)

    @property
    def word(self) -> str:
        """What its scores say, in the words of a lane: of its points the worst."""
        words = [point.word for point in self.points.values()] or ["none"]
        if any(kind == "silent" for _, _, kind in self.standing):
            words.append("quality")
        return max(words, key=RANK.__getitem__)

    def worst(self) -> Point | None:
        """Give the point that is shown for all: in alarm before others, then the largest score."""
        return max(
            self.points.values(),
            key=lambda point: (RANK[point.word] if point.word == "anomaly" else 0, point.row.get("value") or -1.0),
            default=None,
        )

    def close(self) -> None:
        """Give its room back."""
        for point in self.points.values():
            point.ring.close()


def numbers(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Give numbers for a picture: JSON has the shortest text of a float32, and null for what is no number."""
    return np.ascontiguousarray(values, np.float32)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
