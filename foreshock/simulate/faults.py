"""What goes wrong: with the machine, and with its sensor. Each fault is also a line of the ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

START_DB = -20.0
"""A fault begins this far below its final strength; its amplitude then grows exponentially with running time."""


class Kind(StrEnum):
    """Faults of machines and of sensors."""

    OUTER_RACE = "outer_race"
    INNER_RACE = "inner_race"
    BALL = "ball"
    GEAR_TOOTH = "gear_tooth"
    IMBALANCE = "imbalance"
    MISALIGNMENT = "misalignment"
    FROZEN = "frozen"
    CLIPPED = "clipped"
    GAP = "gap"
    SPIKE = "spike"
    WRONG_RATE = "wrong_rate"
    CLOCK = "clock"
    JITTER = "jitter"
    CLOCK_DRIFT = "clock_drift"
    UNIT_CHANGED = "unit_changed"
    NOISE_FLOOR_GONE = "noise_floor_gone"
    MISSING = "missing"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE = "duplicate"

    @property
    def of_sensor(self) -> bool:
        """Whether the sensor is at fault and the machine is well."""
        return self in SENSOR_KINDS

    @property
    def measure(self) -> str:
        """What the strength is counted in."""
        return _MEASURES.get(self, "")


IMPULSIVE = frozenset({Kind.OUTER_RACE, Kind.INNER_RACE, Kind.BALL, Kind.GEAR_TOOTH})
MACHINE_KINDS = IMPULSIVE | {Kind.IMBALANCE, Kind.MISALIGNMENT}
SENSOR_KINDS = frozenset(Kind) - MACHINE_KINDS

_TO_NOISE = "power of the impulses to broadband noise"
_MEASURES = {
    Kind.OUTER_RACE: _TO_NOISE,
    Kind.INNER_RACE: _TO_NOISE,
    Kind.BALL: _TO_NOISE,
    Kind.GEAR_TOOTH: _TO_NOISE,
    Kind.IMBALANCE: "1x against healthy",
    Kind.MISALIGNMENT: "2x and 3x against healthy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of one asset.

    Parameters
    ----------
    asset, kind
        Where and what.
    start_s
        Plant time at which it begins.
    strength_db
        Final strength; `Kind.measure` says of what. None for a sensor.
    growth_s
        Running time from the beginning to the final strength.
    slip
        Scatter of the angle between impulses, 0.01 to 0.02.
    amount
        Of a sensor fault: clip level and spike size in standard deviations, seconds of a clock jump, ratio of a wrong
        rate, share of blocks that get lost, are sent twice, are overtaken or lack their last channel, jitter as a share
        of the interval, drift as a share of time, ratio of two units, what is left of the noise (m/s2 rms).
    """

    asset: str
    kind: Kind
    start_s: float
    strength_db: float | None = None
    growth_s: float = 0.0
    slip: float = 0.0
    amount: float = 0.0

    def amplitude(self, running_s: float) -> float:
        """Share of the final amplitude after so much running time; 0 before the beginning."""
        if running_s < 0.0:
            return 0.0
        share = min(1.0, running_s / self.growth_s) if self.growth_s > 0 else 1.0
        return math.pow(10.0, START_DB * (1.0 - share) / 20.0)

    def truth(self, *, epoch_ns: int, block: int) -> dict[str, Any]:
        """Ground truth as JSON: asset, kind, machine or sensor, where it starts, how strong it gets."""
        parameters = {"growth_s": self.growth_s, "slip": self.slip, "amount": self.amount}
        return {
            "asset": self.asset,
            "kind": str(self.kind),
            "part": "sensor" if self.kind.of_sensor else "machine",
            "start_ns": epoch_ns + round(self.start_s * 1e9),
            "start_block": block,
            "strength_db": self.strength_db,
            "measure": self.kind.measure,
            "parameters": {name: value for name, value in parameters.items() if value},
        }
