"""What a machine is made of: shaft, bearing, blades, gears, structure, and where it is run."""

from __future__ import annotations

from dataclasses import dataclass

from foreshock.contract import Acquisition, Asset, Bearing, MeasuringPoint

GRAVITY = 9.80665
"""Standard gravity in m/s2: one [g] of UCUM."""


@dataclass(frozen=True, slots=True)
class SetPoint:
    """Where a machine is run."""

    speed: float
    """Share of the rated speed."""
    load: float
    """Share of the rated load."""


@dataclass(frozen=True, slots=True)
class Resonance:
    """A mode of the structure between bearing and sensor."""

    frequency_hz: float
    damping: float
    """Share of critical damping."""
    share: float
    """Share of the broadband power that comes through it."""


@dataclass(frozen=True, slots=True)
class Gears:
    """One gear stage; the speed of the machine is that of the pinion's shaft."""

    pinion_teeth: int
    wheel_teeth: int
    mesh: tuple[float, ...]
    """Amplitudes of the tooth meshing frequency and its harmonics (m/s2) at rated speed and load."""
    modulation: float
    """Depth of the modulation by each shaft that any real gear has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One asset of the plant with its one sensor."""

    asset: str
    asset_class: str
    rated_speed_hz: float
    set_points: tuple[SetPoint, ...]
    bearing: Bearing
    shaft: tuple[float, ...]
    """Amplitudes of 1x, 2x, 3x ... (m/s2) at rated speed: residual imbalance, residual misalignment, looseness."""
    blades: int
    blade_pass: float
    """Amplitude of the blade (vane, lobe) passing frequency (m/s2); 0 where there are no blades."""
    gears: Gears | None
    noise: float
    """Broadband noise (m/s2 rms) at rated speed and load."""
    resonances: tuple[Resonance, ...]
    """The last one, the highest, is the one that bearing and tooth impacts excite most."""
    run_up_s: float
    coast_s: float
    """Time constant of the coast-down."""
    tachometer: bool
    sampling_rate_hz: float
    samples: int
    interval_s: float
    acquisition: Acquisition
    unit: str
    """`[g]` or `m/s2`: how the sensor reports."""
    path: tuple[str, ...] = ()
    gateway: str = ""
    point: str = "DE"
    channel: str = "radial"
    also: tuple[str, ...] = ()
    """Further channels that the sensor measures together with the first."""

    @property
    def gain(self) -> float:
        """SI per unit of the sensor."""
        return GRAVITY if self.unit == "[g]" else 1.0

    @property
    def block_s(self) -> float:
        """Length of a block."""
        return self.samples / self.sampling_rate_hz

    def master_data(self, warmup_blocks: int | None = None) -> Asset:
        """Give what the plant's asset register says of it."""
        teeth = (self.gears.pinion_teeth, self.gears.wheel_teeth) if self.gears else ()
        point = MeasuringPoint(
            point=self.point,
            quantity="acceleration",
            unit=self.unit,
            sampling_rate_hz=self.sampling_rate_hz,
            acquisition=self.acquisition,
            interval_s=self.interval_s,
            axis=self.channel,
            mount="magnet" if self.acquisition is Acquisition.SNAPSHOT else "stud",
        )
        return Asset(
            asset=self.asset,
            path=self.path,
            asset_class=self.asset_class,
            rated_speed_hz=self.rated_speed_hz,
            support="rigid",
            warmup_blocks=warmup_blocks,
            bearings=(self.bearing,),
            gear_teeth=teeth,
            points=(point,),
        )
