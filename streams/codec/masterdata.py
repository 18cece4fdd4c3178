"""From the fields of an asset record, as they were decoded, to the master data of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from foreshock.contract import (
    Acquisition,
    Asset,
    Band,
    Bearing,
    Gear,
    Impeller,
    Limit,
    MeasuringPoint,
    Reason,
    Shaft,
    Tachometer,
    Zones,
)
from foreshock.errors import InputRejected
from foreshock.machine_checks import misfits
from foreshock.streams.codec import checks
from foreshock.streams.codec.checks import reject

CRITICALITIES = ("low", "medium", "high")
SUPPORTS = ("", "rigid", "flexible")
SEVERITIES = ("watch", "warning", "critical")
_T = TypeVar("_T")
LONGEST_S = 3.2e8  # ten years: a warm-up that never ends is a mistake


def asset(found: Mapping[str, Any]) -> Asset:
    """Check the fields of an asset.

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    warmup = found["warmup_blocks"]
    if warmup is not None and warmup < 1:
        reject(Reason.MALFORMED, "warmup_blocks", f"warmup_blocks is {warmup}", "send at least 1, or null")
    seconds = found["warmup_s"]
    if seconds is not None and not 0 <= seconds <= LONGEST_S:
        reject(Reason.MALFORMED, "warmup_s", f"warmup_s is {seconds:g}", f"send 0 to {LONGEST_S:g} seconds, or null")
    made = Asset(
        asset=checks.check_id("asset", found["asset"]),
        path=tuple(found["path"]),
        asset_class=found["asset_class"],
        criticality=_one_of("criticality", found["criticality"], CRITICALITIES),
        owner=found["owner"],
        rated_speed_hz=checks.check_positive("rated_speed_hz", found["rated_speed_hz"]),
        rated_power_w=checks.check_positive("rated_power_w", found["rated_power_w"]),
        support=_one_of("support", found["support"], SUPPORTS),
        warmup_blocks=warmup,
        warmup_s=seconds,
        bearings=_parts(Bearing, found["bearings"]),
        gear_teeth=tuple(found["gear_teeth"]),
        points=_each("points", found["points"], _point),
        shafts=_parts(Shaft, found["shafts"]),
        gears=_parts(Gear, found["gears"]),
        impellers=_parts(Impeller, found["impellers"]),
        power_group=checks.check_label("power_group", found["power_group"]),
    )
    for misfit in misfits(made):
        reject(Reason.MALFORMED, misfit.place, misfit.sentence, misfit.fix)
    return made


def _point(found: Mapping[str, Any]) -> MeasuringPoint:
    unit, _ = checks.check_unit(found["quantity"], found["unit"])
    minimum = checks.check_finite("minimum", found["minimum"])
    maximum = checks.check_finite("maximum", found["maximum"])
    if minimum is not None and maximum is not None and minimum >= maximum:
        sentence = f"the measuring range ends at {maximum:g} and starts at {minimum:g}"
        reject(Reason.MALFORMED, "minimum", sentence, "send minimum below maximum, both in SI")
    return MeasuringPoint(
        point=checks.check_id("point", found["point"]),
        quantity=found["quantity"],
        unit=unit.ucum,
        sampling_rate_hz=checks.check_rate(found["sampling_rate_hz"]),
        acquisition=Acquisition(_one_of("acquisition", found["acquisition"], tuple(Acquisition))),
        interval_s=checks.check_positive("interval_s", found["interval_s"]),
        axis=found["axis"],
        mount=found["mount"],
        sensor_model=found["sensor_model"],
        calibrated=found["calibrated"],
        minimum=minimum,
        maximum=maximum,
        limits=_each("limits", found["limits"], _limit),
        bands=_parts(Band, found["bands"]),
        zones=None if found["zones"] is None else Zones(**found["zones"]),
        tachometer=None if found["tachometer"] is None else Tachometer(**found["tachometer"]),
        hears=tuple(found["hears"]),
        features=tuple(found["features"]),
    )


def _limit(found: Mapping[str, Any]) -> Limit:
    above, below = checks.check_finite("above", found["above"]), checks.check_finite("below", found["below"])
    if above is None and below is None:
        reject(Reason.MALFORMED, "above", "the limit has neither above nor below", "send one of them, in SI")
    return Limit(
        feature=checks.check_id("feature", found["feature"]),
        above=above,
        below=below,
        severity=_one_of("severity", found["severity"], SEVERITIES),
    )


def _one_of(field: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        names = ", ".join(repr(str(one)) for one in known)
        reject(Reason.MALFORMED, field, f"{field} is {value!r}", f"send one of {names}")
    return value


def _parts(kind: type[_T], found: Sequence[Mapping[str, Any]]) -> tuple[_T, ...]:
    """Build records whose fields were decoded to their types; what they say is checked for the machine as a whole."""
    return tuple(kind(**each) for each in found)


def _each(field: str, found: Sequence[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], _T]) -> tuple[_T, ...]:
    return tuple(_inside(f"{field}[{number}]", make, each) for number, each in enumerate(found))


def _inside(place: str, make: Callable[[Mapping[str, Any]], _T], found: Mapping[str, Any]) -> _T:
    try:
        return make(found)
    except InputRejected as exc:
        exc.field = f"{place}.{exc.field}"
        raise
