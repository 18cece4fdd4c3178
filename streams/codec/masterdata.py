"""From the fields of an asset record, as they were decoded, to the master data of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from foreshock.contract import Acquisition, Asset, Limit, MeasuringPoint, Reason
from foreshock.streams.codec import checks, geometry
from foreshock.streams.codec.checks import reject
from foreshock.streams.codec.geometry import each, optional

CRITICALITIES = ("low", "medium", "high")
SUPPORTS = ("", "rigid", "flexible")
SEVERITIES = ("watch", "warning", "critical")
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
        bearings=each("bearings", found["bearings"], geometry.bearing),
        gear_teeth=tuple(found["gear_teeth"]),
        points=each("points", found["points"], _point),
        shafts=each("shafts", found["shafts"], geometry.shaft),
        gears=each("gears", found["gears"], geometry.gear),
        impellers=each("impellers", found["impellers"], geometry.impeller),
        power_group=checks.check_label("power_group", found["power_group"]),
    )
    return geometry.check(made)


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
        limits=each("limits", found["limits"], _limit),
        bands=each("bands", found["bands"], geometry.band),
        zones=optional("zones", found["zones"], geometry.zones),
        tachometer=optional("tachometer", found["tachometer"], geometry.tachometer),
        hears=tuple(found["hears"]),
        features=tuple(checks.check_id("features", name) for name in found["features"]),
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
