"""From a measurement window to its records: the feature vector, what its velocity says, and the diagnosis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock import lineage
from foreshock.contract import Asset, MeasuringPoint, Origin, RunState, SensorBlock
from foreshock.core.gathering import Head, Said
from foreshock.core.points import Entry
from foreshock.detectors import diagnosis
from foreshock.detectors.diagnosis import Found
from foreshock.features import masks, signal
from foreshock.features.declared import DeclaredSet
from foreshock.features.kinematics import speed as speeds
from foreshock.features.kinematics.speed import Speed
from foreshock.signals import Diagnosis, Ended, FeatureVector, SpeedSource
from foreshock.units import QUANTITIES, squared, units_of
from foreshock.vocabulary import MaskReason

F32 = npt.NDArray[np.float32]
VELOCITY = "velocity_rms"
_CAUSES = {
    Ended.RATE_CHANGED: MaskReason.RATE_CHANGED,
    Ended.CHANNEL_ABSENT: MaskReason.CHANNEL_ABSENT,
    Ended.NOT_RUNNING: MaskReason.NOT_RUNNING,
    Ended.QUALITY: MaskReason.QUALITY,
}  # what a value has to thank for it that its window is too short; after a gap it is just that
_NO_SPEED = Speed(None)
_CENTURY_NS = 3_155_760_000_000_000_000.0


def lasts_ns(samples: int, rate_hz: float | None) -> int:
    """How long samples of a channel last, in ns; 0 without a rate, and a century at most: a recording may state any."""
    return round(min(samples * 1e9 / rate_hz, _CENTURY_NS)) if rate_hz else 0


class Subject(NamedTuple):
    """A measuring point as the record finds it with which a window ends, or begins."""

    block: SensorBlock
    asset: Asset  # with the elements alone that the point hears
    known: MeasuringPoint | None
    bands: tuple[signal.Band, ...]
    gears: tuple[signal.Gear, ...]

    @staticmethod
    def of(entry: Entry, block: SensorBlock) -> Subject:
        """Take it from an entry."""
        return Subject(block, *_point(entry.asset, block.point))

    @property
    def turns(self) -> bool:
        """Whether anything is known to turn whose faults could be looked for."""
        return bool(self.asset.bearings or self.gears)

    @property
    def tachometer(self) -> str:
        """Channel that gives pulses; "" for none."""
        told = self.known.tachometer if self.known else None
        return told.channel if told else ""

    def given(self, head: Head, speed: Speed) -> signal.Given:
        """What features are made from besides the samples."""
        return signal.Given(
            rate_hz=head.rate_hz,
            speed_hz=speed.hz,
            rated_speed_hz=self.asset.rated_speed_hz,
            quantity=head.quantity,
            bands=self.bands,
            gears=self.gears,
        )


@lru_cache(maxsize=4096)
def _point(
    asset: Asset, name: str
) -> tuple[Asset, MeasuringPoint | None, tuple[signal.Band, ...], tuple[signal.Gear, ...]]:
    """Give the asset as a measuring point hears it, what is known of the point, and its bands and gears."""
    known = asset.measuring_point(name)
    if known is not None and known.hears:
        asset = replace(
            asset,
            bearings=tuple(each for each in asset.bearings if each.name in known.hears),
            gears=tuple(each for each in asset.gears if each.name in known.hears),
            impellers=tuple(each for each in asset.impellers if each.name in known.hears),
        )
    bands = tuple(signal.Band(each.name, each.low, each.high, each.orders) for each in known.bands) if known else ()
    gears = (
        *(signal.Gear(each.name, each.teeth, asset.shaft_ratio(each.shaft)) for each in asset.gears),
        *(signal.Gear(f"gear_{teeth}", teeth) for teeth in dict.fromkeys(asset.gear_teeth)),
    )
    return asset, known, bands, gears


class Reading(NamedTuple):
    """What was made of a window."""

    vector: FeatureVector
    samples: F32  # [channels, n] without a tachometer
    channels: tuple[str, ...]
    speed: Speed
    features: Mapping[str, float]  # by name, where they are known
    unit: str  # of the samples

    @property
    def velocity(self) -> dict[str, float]:
        """Velocity RMS in m/s by name, where it is known."""
        return {name: value for name, value in self.features.items() if name.startswith(f"{VELOCITY}[")}


def read(
    subject: Subject, head: Head, joined: F32, ended: Ended, absent: Sequence[str], *, searched: bool = True
) -> Reading:
    """Compute all features of a window.

    Parameters
    ----------
    subject, head
        Of the window.
    joined
        Its samples in SI, float32 [channels, n].
    ended
        Why it is no longer.
    absent
        Channels of the window before it that it does not have.
    searched
        Whether its speed may be looked for in the samples; else it is what is stated.
    """
    places = [i for i, name in enumerate(head.channels) if name != subject.tachometer]
    channels = tuple(head.channels[i] for i in places)
    speed = _speed(subject, head, joined, searched)
    samples = joined if len(places) == len(joined) else np.ascontiguousarray(joined[places])
    given = subject.given(head, speed)
    declared = signal.set_of(given)
    values, codes = signal.extract(samples, given)
    reasons = [_reasons(row, declared, head.kinds, ended) for row in codes]
    numbers: list[float | None] = []
    for row, words in zip(values.tolist(), reasons, strict=True):
        for i, value in enumerate(row):
            if not words[i] and not math.isfinite(value):
                words[i] = MaskReason.NOT_FINITE.value
            numbers.append(None if words[i] else value)
    missing = len(absent) * declared.per_channel
    vector = _vector(
        subject,
        declared,
        (*channels, *absent),
        values=(*numbers, *([None] * missing)),
        reasons=(*(word for row in reasons for word in row), *([MaskReason.CHANNEL_ABSENT.value] * missing)),
        head=head,
        samples=samples.shape[1],
        ended=ended,
        speed=speed,
    )
    known = {name: value for name, value in zip(declared.names(channels), numbers, strict=True) if value is not None}
    return Reading(vector, samples, channels, speed, known, _base(head.quantity, head.unit))


def _speed(subject: Subject, head: Head, joined: F32, searched: bool) -> Speed:
    """Speed of a window; what is stated is taken for granted where it is not searched, or nothing is known that turns."""
    known = [hz for hz in head.speeds if hz is not None]
    told = subject.known.tachometer if subject.known else None
    stated = len(known) == len(head.speeds)
    if told is None and (not searched or (stated and not subject.turns)):
        return Speed(sum(known) / len(known), SpeedSource.CONTEXT) if stated else _NO_SPEED
    return speeds.of(
        joined,
        head.rate_hz,
        head.speeds,
        subject.asset.rated_speed_hz,
        channels=head.channels,
        tachometer=told,
        ratio=subject.asset.shaft_ratio(told.shaft) if told else 1.0,
    )


def empty(subject: Subject, head: Head, ended: Ended, run_state: RunState) -> FeatureVector:
    """Say of a window that was due that it could not even begin, and why."""
    declared = signal.set_of(subject.given(head, _NO_SPEED))
    channels = tuple(name for name in head.channels if name != subject.tachometer)
    count = len(channels) * declared.per_channel
    return _vector(
        subject,
        declared,
        channels,
        values=(None,) * count,
        reasons=(_CAUSES.get(ended, MaskReason.WINDOW_TOO_SHORT).value,) * count,
        head=head,
        samples=0,
        ended=ended,
        speed=_NO_SPEED,
        run_state=run_state,
    )


def _reasons(codes: npt.NDArray[np.uint8], declared: DeclaredSet, kinds: Sequence[str], ended: Ended) -> list[str]:
    """Words of one channel's masks; a stated cause says more than that a window is too short."""
    words = list(masks.words(codes.tobytes()))
    cause = _CAUSES.get(ended)
    if cause is not None:
        words = [cause.value if word == MaskReason.WINDOW_TOO_SHORT.value else word for word in words]
    if kinds:
        for i, feature in enumerate(declared.features):
            if not words[i] and any(kind.value in kinds for kind in feature.voided_by):
                words[i] = MaskReason.QUALITY.value
    return words


def _vector(
    subject: Subject,
    declared: DeclaredSet,
    channels: tuple[str, ...],
    *,
    values: tuple[float | None, ...],
    reasons: tuple[str, ...],
    head: Head,
    samples: int,
    ended: Ended,
    speed: Speed,
    run_state: RunState = RunState.RUNNING,
) -> FeatureVector:
    block, origin = subject.block, head.last
    names, units = declared.names(channels), _units(declared, head.quantity, head.unit) * len(channels)
    standard = signal.SIGNAL.index  # what the point adds, its bands and gears, always comes
    wanted = [each for each in subject.known.features if each in standard] if subject.known else []
    if wanted:
        kept = [i for i, each in enumerate(declared.features) if each.name in wanted or each.name not in standard]
        places = [k * declared.per_channel + i for k in range(len(channels)) for i in kept]
        names, units = tuple(names[i] for i in places), tuple(units[i] for i in places)
        values, reasons = tuple(values[i] for i in places), tuple(reasons[i] for i in places)
    return FeatureVector(
        vector_id=vector_id(origin, block.point, declared.id),
        asset=block.asset,
        point=block.point,
        site=block.site,
        gateway=block.gateway,
        origin=origin,
        first_offset=head.first,
        channels=channels,
        from_ns=head.from_ns,
        until_ns=head.from_ns + lasts_ns(samples, head.rate_hz),
        sampling_rate_hz=head.rate_hz,
        samples=samples,
        ended=ended,
        run_state=run_state,
        speed_hz=speed.hz,
        speed_source=speed.source if speed.hz is not None else SpeedSource.UNKNOWN,
        load=head.load,
        feature_set=declared.id,
        names=names,
        units=units,
        values=values,
        masks=reasons,
        zone="",
        trace_id=lineage.trace_id(block.origin),
        regime=head.regime,
    )


def vector_id(origin: Origin, point: str, feature_set: str) -> str:
    """Id of a vector: the same wherever and whenever its window is computed."""
    return lineage.event_id("vector", origin, 0, point, feature_set)


def _base(quantity: str, unit: str) -> str:
    """SI unit of a quantity."""
    return units_of(quantity)[0] if quantity in QUANTITIES else unit


def _units(declared: DeclaredSet, quantity: str, unit: str) -> tuple[str, ...]:
    """UCUM units of a channel's features for a quantity."""
    base = _base(quantity, unit)
    own = {"u": base, "u2": squared(base)}
    return tuple(own.get(each.unit, each.unit) for each in declared.features)


def diagnosis_of(reading: Reading, found: Found, former: Said | None) -> Diagnosis:
    """Make the record of what a window points to."""
    vector = reading.vector
    named = found.fault != ""
    return Diagnosis(
        diagnosis_id=lineage.event_id("diagnosis", vector.origin, 0, vector.point, diagnosis.METHOD),
        vector_id=vector.vector_id,
        asset=vector.asset,
        point=vector.point,
        site=vector.site,
        gateway=vector.gateway,
        channel=reading.channels[found.channel] if named else "",
        origin=vector.origin,
        first_offset=vector.first_offset,
        from_ns=vector.from_ns,
        until_ns=vector.until_ns,
        fault=found.fault,
        former=former.fault if former else "",
        component=found.component,
        family=found.family,
        lines=found.lines,
        unit=found.unit,
        amplitude=found.amplitude,
        baseline=found.baseline,
        prominence=found.prominence,
        confidence=found.confidence,
        speed_hz=vector.speed_hz,
        speed_source=vector.speed_source,
        sentence=found.sentence,
        mask=found.mask.value,
        method=diagnosis.METHOD,
        trace_id=vector.trace_id,
    )
