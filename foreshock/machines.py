"""Master data: what a machine is, what turns in it, and where it is measured.

It comes on assets.v1 as an `Asset`; what it leaves open may come from its class (`foreshock/classes.py`). Quantities
are SI. A field marked `_LATER` is younger than the first release: records and hashes leave it out where it has its
default, so that what was said of an older record still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from foreshock.vocabulary import Acquisition

_LATER = {"later": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit that the user states. It holds from block 1, beside the models and alone while these are warming."""

    feature: str  # a name of the feature catalogue ("rms"), or a tag of the frame
    above: float | None = None  # SI
    below: float | None = None
    severity: str = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaft:
    """A shaft of the machine. The reference shaft, which all speeds are of, is the one with ratio 1 (its name may be "")."""

    name: str
    ratio: float = 1.0  # its speed over that of the reference shaft


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearing:
    """Geometry of a rolling bearing: what its fault frequencies follow from."""

    name: str
    balls: int
    ball_diameter_m: float
    pitch_diameter_m: float
    contact_angle_rad: float = 0.0
    shaft: str = field(default="", metadata=_LATER)  # the shaft that turns its inner race; "": the reference shaft


@dataclass(frozen=True, slots=True, kw_only=True)
class Gear:
    """A toothed wheel on a shaft: it meshes at teeth times the speed of its shaft."""

    name: str
    teeth: int
    shaft: str = ""
    mate: str = ""  # the gear that it meshes with; their mesh frequencies are the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Impeller:
    """Blades, vanes or lobes on a shaft: they pass at blades times the speed of it."""

    name: str
    blades: int
    shaft: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A frequency band that somebody wants to see by its name."""

    name: str  # lower case; its rms is the feature `rms_<name>`
    low: float
    high: float
    orders: bool = False  # low and high are multiples of the speed of the reference shaft; else Hz


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """Boundaries of the evaluation zones A to D, as velocity RMS: given by the user, after the standard that holds there."""

    a_b: float  # m/s
    b_c: float
    c_d: float
    part: str = ""  # what they are after: "ISO 20816-3"
    change_share: float = (
        0.25  # of b_c: a change from the baseline by more than that calls inside zone B too; 0: none does
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tachometer:
    """A channel of the same block that gives pulses of a shaft."""

    channel: str
    pulses_per_revolution: int = 1
    shaft: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuringPoint:
    """A place on a machine where something is measured."""

    point: str
    quantity: str
    unit: str
    sampling_rate_hz: float | None = None
    acquisition: Acquisition = Acquisition.CONTINUOUS
    interval_s: float | None = None
    axis: str = ""
    mount: str = ""
    sensor_model: str = ""
    calibrated: str = ""  # ISO date
    minimum: float | None = None  # measuring range in SI
    maximum: float | None = None
    limits: tuple[Limit, ...] = ()
    bands: tuple[Band, ...] = field(default=(), metadata=_LATER)
    zones: Zones | None = field(default=None, metadata=_LATER)
    tachometer: Tachometer | None = field(default=None, metadata=_LATER)
    hears: tuple[str, ...] = field(default=(), metadata=_LATER)  # bearings, gears and impellers near it; (): all
    features: tuple[str, ...] = field(default=(), metadata=_LATER)  # that its vectors carry; (): the whole set


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Master data of a machine. An asset that nobody registered is scored with these defaults, and says so."""

    asset: str
    path: tuple[str, ...] = ()  # ISA-95: enterprise, site, area, line, cell
    asset_class: str = ""
    criticality: str = "medium"
    owner: str = ""
    rated_speed_hz: float | None = None  # of the reference shaft
    rated_power_w: float | None = None
    support: str = ""  # rigid | flexible
    warmup_blocks: int | None = None  # None: the model's own
    bearings: tuple[Bearing, ...] = ()
    gear_teeth: tuple[
        int, ...
    ] = ()  # of a train: the first is on the reference shaft and drives the second; `gears` says more
    points: tuple[MeasuringPoint, ...] = ()
    registered: bool = True
    warmup_s: float | None = None  # seconds that the warm-up must have lived; None: the model's own
    shafts: tuple[Shaft, ...] = field(default=(), metadata=_LATER)
    gears: tuple[Gear, ...] = field(default=(), metadata=_LATER)
    impellers: tuple[Impeller, ...] = field(default=(), metadata=_LATER)
    power_group: str = field(default="", metadata=_LATER)  # group of the standard that the zones are after: "1", "2"
    class_record: str = field(
        default="", metadata=_LATER
    )  # name@hash of the class that completed it; never on the wire

    def shaft_ratio(self, shaft: str) -> float:
        """Speed of a shaft over that of the reference shaft; 1 for "" and for one that nobody declared."""
        return next((each.ratio for each in self.shafts if each.name == shaft), 1.0)

    def measuring_point(self, point: str) -> MeasuringPoint | None:
        """Master data of a measuring point; None where nobody registered it."""
        return next((each for each in self.points if each.point == point), None)
