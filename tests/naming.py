"""How often a diagnosis names the right fault: `python -m tests.naming [SEEDS]` prints the table.

Simulated machines with known geometry: impulses 11 dB below the broadband noise (12 dB where they come in bursts), raw
kurtosis at most 4, slip 1-2 %, a speed that is up to 5 % off the rated one and changes during the window. Nobody says
the speed: the rated one of the set-point is all there is, and the spectrum has to give the rest.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np

from foreshock.contract import Bearing
from foreshock.detectors.diagnosis import Found, diagnose, least_seconds
from foreshock.features.kinematics import speed
from foreshock.features.kinematics.speed import Speed
from foreshock.simulate import Fault, Kind, Machine, machines
from foreshock.simulate.measurement import Measurement, measure

STRENGTH_DB = {Kind.OUTER_RACE: -11.0, Kind.INNER_RACE: -12.0, Kind.BALL: -12.0, Kind.GEAR_TOOTH: -11.0}
NAMES = {
    Kind.OUTER_RACE: "outer_race",
    Kind.INNER_RACE: "inner_race",
    Kind.BALL: "rolling_element",
    Kind.GEAR_TOOTH: "gear",
    None: "",
}


@dataclass(frozen=True)
class Case:
    """A machine, its fault and a measurement."""

    machine: Machine
    kind: Kind | None
    measured: Measurement

    @property
    def kurtosis(self) -> float:
        """Of the raw samples: 3 for Gaussian noise."""
        x = self.measured.samples.astype(np.float64)
        return float(np.mean((x - x.mean()) ** 4) / np.var(x) ** 2)


def case(seed: int, kind: Kind | None) -> Case:
    """Draw a machine of a plant and measure it for as long as its diagnosis asks for."""
    plant = [m for m in machines(seed, 12) if kind is not Kind.GEAR_TOOTH or m.gears is not None]
    machine = plant[seed % len(plant)]
    slip = 0.01 + 0.01 * (seed % 11) / 10.0
    faults = (
        [Fault(asset=machine.asset, kind=kind, start_s=0.0, strength_db=STRENGTH_DB[kind], slip=slip)] if kind else []
    )
    length_s = least_seconds(machine.master_data(), machine.rated_speed_hz * 0.7)
    return Case(machine, kind, measure(machine, seed, length_s, faults))


def heard(each: Case) -> Speed:
    """Give the speed that the spectrum gives, from the rated one of the nearest set-point."""
    measured, points = each.measured, each.machine.set_points
    rated = (each.machine.rated_speed_hz * point.speed for point in points)
    nearest = min(rated, key=lambda hz: abs(hz - measured.motion.mean_hz))
    return speed.of(measured.samples[None, :], measured.sampling_rate_hz, [None], nearest)


def named(each: Case, known: Speed, bpfi: float = 1.0) -> Found:
    """Give the diagnosis; with another geometry, whose inner race is passed `bpfi` times as often."""
    master, measured = each.machine.master_data(), each.measured
    if bpfi != 1.0:
        master = replace(master, bearings=tuple(wrong(bearing, bpfi) for bearing in master.bearings), gear_teeth=())
    return diagnose(measured.samples[None, :], measured.sampling_rate_hz, known, master, {}, unit="m/s2")


def wrong(bearing: Bearing, factor: float) -> Bearing:
    """Give a bearing whose BPFI is so many times that of another one: its balls have another size."""
    ratio = bearing.ball_diameter_m / bearing.pitch_diameter_m * np.cos(bearing.contact_angle_rad)
    return replace(bearing, ball_diameter_m=bearing.ball_diameter_m * (factor * (1.0 + ratio) - 1.0) / ratio)


def table(seeds: range) -> list[tuple[str, int, int, int, float]]:
    """Rows of (true fault, named right, named nothing, named by a wrong geometry, largest kurtosis)."""
    rows = []
    for kind, name in NAMES.items():
        found, other, kurtosis = [], 0, 0.0
        for seed in seeds:
            each = case(seed, kind)
            known = heard(each)
            found.append(named(each, known).fault)
            other += named(each, known, 0.95 if seed % 2 else 1.05).fault != ""
            kurtosis = max(kurtosis, each.kurtosis)
        rows.append((name or "healthy", found.count(name), found.count(""), other, kurtosis))
    return rows


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(f"{'true':18}{'right':>6}{'none':>6}{'by wrong geometry':>19}{'kurtosis':>10}   of {count} seeds")
    for name, right, none, other, kurtosis in table(range(count)):
        print(f"{name:18}{right:6}{none:6}{other:19}{kurtosis:10.2f}")
