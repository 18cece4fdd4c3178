"""The machines of a plant: pumps, fans, compressors, gearboxes and blowers, no two alike.

Bearing geometries are typical of the size named. Levels: residual imbalance of 1 to 2 mm/s, broadband acceleration of
0.1 to 0.3 g, as small industrial machines in good condition have them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foreshock.contract import Acquisition, Bearing
from foreshock.simulate.machine import Gears, Machine, Resonance, SetPoint
from foreshock.simulate.seeding import Purpose, generator

SITE, AREA = "north", "utilities"
SAMPLING_RATE_HZ = 25_600.0
SAMPLES = 4096

B6205 = Bearing(name="6205", balls=9, ball_diameter_m=7.94e-3, pitch_diameter_m=39.04e-3)
B6208 = Bearing(name="6208", balls=9, ball_diameter_m=11.91e-3, pitch_diameter_m=60.0e-3)
B6309 = Bearing(name="6309", balls=8, ball_diameter_m=17.46e-3, pitch_diameter_m=72.5e-3)
B7310 = Bearing(
    name="7310", balls=12, ball_diameter_m=19.05e-3, pitch_diameter_m=80.0e-3, contact_angle_rad=math.radians(40.0)
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What machines of a class have in common."""

    asset_class: str
    speed_hz: tuple[float, float]
    """Rated speed, from and to."""
    bearings: tuple[Bearing, ...]
    blades: tuple[int, ...]
    """Blades, vanes or lobes; 0 for none."""
    blade_pass: float
    """Relative to the broadband level."""
    gears: tuple[tuple[int, int], ...]
    set_points: tuple[SetPoint, ...]
    run_up_s: float
    coast_s: float


PUMP = Kind(
    "pump", (24.2, 24.8), (B6309, B7310), (5, 6, 7), 0.5, (),
    (SetPoint(1.0, 0.95), SetPoint(0.85, 0.65), SetPoint(0.7, 0.4)), 3.0, 0.8,
)  # fmt: skip
FAN = Kind(
    "fan", (16.0, 24.5), (B6208, B6309), (8, 10, 12), 0.4, (),
    (SetPoint(1.0, 0.9), SetPoint(0.75, 0.5)), 5.0, 1.6,
)  # fmt: skip
COMPRESSOR = Kind(
    "compressor", (48.0, 49.5), (B7310, B6309), (4, 5), 0.8, (),
    (SetPoint(1.0, 1.0), SetPoint(1.0, 0.25), SetPoint(0.8, 0.7)), 4.0, 0.9,
)  # fmt: skip
GEARBOX = Kind(
    "gearbox", (24.0, 25.0), (B6205, B6208), (0,), 0.0, ((23, 67), (19, 53), (29, 71)),
    (SetPoint(1.0, 0.9), SetPoint(0.8, 0.9), SetPoint(0.8, 0.45)), 4.0, 0.7,
)  # fmt: skip
BLOWER = Kind(
    "blower", (48.0, 49.5), (B6205,), (3,), 0.5, (),
    (SetPoint(1.0, 0.8),), 3.0, 0.9,
)  # fmt: skip

ROUND = (PUMP, FAN, GEARBOX, PUMP, COMPRESSOR, FAN, GEARBOX, PUMP, FAN, COMPRESSOR, GEARBOX)
"""Classes in the order in which a plant is filled; the last asset is the blower with the wireless sensor."""


def machines(
    seed: int, count: int = 12, *, interval_s: float = 0.5, snapshot_interval_s: float = 4.0
) -> tuple[Machine, ...]:
    """Give the machines of a plant; with two or more, the last is a blower with a wireless snapshot sensor.

    Parameters
    ----------
    seed : int
        Of the plant: every machine has its own dimensions and levels.
    count : int
    interval_s, snapshot_interval_s : float
        Time from block to block of a wired and of the wireless sensor.
    """
    numbers: dict[str, int] = {}
    plant = []
    for i in range(count):
        wireless = count > 1 and i == count - 1
        kind = BLOWER if wireless else ROUND[i % len(ROUND)]
        numbers[kind.asset_class] = numbers.get(kind.asset_class, 0) + 1
        name = f"{kind.asset_class}-{numbers[kind.asset_class]:02d}"
        rng = generator(seed, i, Purpose.MACHINE)
        plant.append(_machine(kind, name, i, rng, snapshot_interval_s if wireless else interval_s, wireless=wireless))
    return tuple(plant)


def _machine(
    kind: Kind, name: str, number: int, rng: np.random.Generator, interval_s: float, *, wireless: bool
) -> Machine:
    speed = float(rng.uniform(*kind.speed_hz))
    noise = float(rng.uniform(1.0, 3.0))
    bearing = kind.bearings[int(rng.integers(len(kind.bearings)))]
    blades = kind.blades[int(rng.integers(len(kind.blades)))]
    imbalance = 2.0 * math.pi * speed * math.sqrt(2.0) * float(rng.uniform(1.0, 2.0)) * 1e-3  # mm/s rms to m/s2 peak
    shaft = tuple(imbalance * float(share) for share in (1.0, *rng.uniform(0.2, 0.5, 2), *rng.uniform(0.1, 0.25, 2)))
    gears = None
    if kind.gears:
        pinion, wheel = kind.gears[int(rng.integers(len(kind.gears)))]
        mesh = tuple(noise * float(share) for share in rng.uniform((0.5, 0.3, 0.15), (0.8, 0.5, 0.3)))
        gears = Gears(pinion, wheel, mesh, float(rng.uniform(0.1, 0.2)))
    resonances = (
        Resonance(float(rng.uniform(400, 900)), float(rng.uniform(0.03, 0.08)), 0.48),
        Resonance(float(rng.uniform(1500, 2500)), float(rng.uniform(0.03, 0.06)), 0.45),
        Resonance(float(rng.uniform(3500, 6500)), float(rng.uniform(0.015, 0.03)), 0.07),
    )
    return Machine(
        asset=name,
        asset_class=kind.asset_class,
        rated_speed_hz=speed,
        set_points=kind.set_points,
        bearing=bearing,
        shaft=shaft,
        blades=blades,
        blade_pass=kind.blade_pass * noise,
        gears=gears,
        noise=noise,
        resonances=resonances,
        run_up_s=kind.run_up_s,
        coast_s=kind.coast_s,
        tachometer=not wireless,
        sampling_rate_hz=SAMPLING_RATE_HZ,
        samples=SAMPLES,
        interval_s=interval_s,
        acquisition=Acquisition.SNAPSHOT if wireless else Acquisition.CONTINUOUS,
        unit="m/s2" if number % 3 == 1 else "[g]",
        path=("demo", SITE, AREA, f"line-{number % 3 + 1}"),
        gateway=f"gateway-{number % 3 + 1}",
    )
