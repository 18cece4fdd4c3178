"""What a class of machines gives to those of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from foreshock.lineage import fingerprint
from foreshock.machines import Band, Bearing, Gear, Impeller, Limit, Shaft, Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRow:
    """Evaluation zones for machines of a power group on a support; "" is any."""

    zones: Zones
    power_group: str = ""
    support: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDefaults:
    """What every measuring point of these quantities gets."""

    quantities: tuple[str, ...]
    features: tuple[str, ...] = ()
    bands: tuple[Band, ...] = ()
    limits: tuple[Limit, ...] = ()
    zones: tuple[ZoneRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AssetClass:
    """A class of machines. What is left open here is left as the asset has it."""

    name: str
    meaning: str = ""
    extends: str = ""  # the class that gives what this one leaves open
    needs: tuple[str, ...] = ()  # fields of master data that a diagnosis of such a machine rests on
    support: str = ""
    power_group: str = ""
    rated_speed_hz: float | None = None
    rated_power_w: float | None = None
    warmup_blocks: int | None = None
    warmup_s: float | None = None
    shafts: tuple[Shaft, ...] = ()
    bearings: tuple[Bearing, ...] = ()
    gears: tuple[Gear, ...] = ()
    impellers: tuple[Impeller, ...] = ()
    points: tuple[PointDefaults, ...] = ()

    @cached_property
    def id(self) -> str:
        """``name@hash``, as lineage names it; what only explains the class is no part of the hash."""
        return f"{self.name}@{fingerprint(replace(self, meaning='', extends=''))}"
