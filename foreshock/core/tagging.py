"""From the rows of a registered asset's frames to feature vectors: where speed, current and load are, and the records."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foreshock import lineage
from foreshock.contract import Asset, Tag, TelemetryFrame
from foreshock.core.points import Entry
from foreshock.core.scalars import Ended as Stretch
from foreshock.core.scalars import Scalars
from foreshock.features import masks, run_state
from foreshock.features.run_state import RunMemory
from foreshock.features.scalar import declared
from foreshock.features.scalar.declared import PER_TAG, SCALAR
from foreshock.features.scalar.fold import RUN_STATES, RUNNING, Rows
from foreshock.features.scalar.state import MOST_TAGS
from foreshock.signals import Ended, FeatureVector, SpeedSource
from foreshock.units import QUANTITIES, units_of
from foreshock.vocabulary import MaskReason

F64 = npt.NDArray[np.float64]
LOADS = ("torque", "power", "current")
"""Quantities that follow the load, where nobody states it; the first one that there is."""
LARGEST = 1e30
"""What is further from zero counts as infinite: no quantity is so large, and its profile in float32 would be."""
_VOID = PER_TAG[0].voided_by
_QUALITY = masks.code_of(MaskReason.QUALITY)


class _Sources(NamedTuple):
    """Columns of a frame that say how the machine runs; None where there is none."""

    speed: int | None
    current: int | None
    load: int | None  # a share of the rated load
    power: int | None
    follows: int | None  # what follows the load


@lru_cache(maxsize=4096)
def _sources(tags: tuple[Tag, ...]) -> _Sources:
    of = {tag.quantity: k for k, tag in reversed(list(enumerate(tags)))}
    load = next((k for k, tag in enumerate(tags) if tag.name.lower() == "load" and tag.quantity == "ratio"), None)
    follows = next((of[each] for each in LOADS if each in of), None)
    return _Sources(of.get("speed"), of.get("current"), load, of.get("power"), follows)


def _column(x: F64, column: int | None, stated: float | None) -> F64:
    """What the records state, else a tag, NaN where there is neither."""
    if stated is not None or column is None:
        return _bounded(np.full(len(x), math.nan if stated is None else stated))
    return x[:, column].copy()


class Sheet(NamedTuple):
    """Rows of a registered asset's frame on their way to the tags of its measuring point."""

    entry: Entry
    frame: TelemetryFrame  # its record
    x: F64  # [rows, tags] in SI
    at_ns: npt.NDArray[np.int64]  # [rows] time that rules work with
    late: list[bool]  # rows that are left out
    every_s: float  # source time from vector to vector


def look(sheets: Iterable[Sheet]) -> None:
    """Fold the frames of a batch, of all lanes, into the tags of their measuring points; the vectors go to the entries.

    By offset: the frames of a point are in two lanes where its tags change. What a lane is shown in the shadow of a
    point's model is not to be among them: it describes nothing.
    """
    for sheet in sorted(sheets, key=lambda each: each.frame.origin.offset):
        sheet.entry.vectors += follow(sheet)


def follow(sheet: Sheet) -> tuple[FeatureVector, ...]:
    """Take the rows of a frame into the state of its measuring point, and give the vectors that end with them."""
    entry, frame = sheet.entry, sheet.frame
    names = tuple(tag.name for tag in frame.tags)
    scalars = entry.point.scalars
    scalars = entry.point.scalars = Scalars(names) if scalars is None else scalars.of(names)
    kept = np.flatnonzero(~np.array(sheet.late, np.bool_))
    x, at_ns = _bounded(sheet.x[kept]), sheet.at_ns[kept]
    sources = _sources(frame.tags)
    speed = _column(x, sources.speed, frame.context.speed_hz)
    share = _column(x, sources.load, frame.context.load)
    stated = frame.context.load is not None or sources.load is not None
    if not stated and sources.power is not None and entry.asset.rated_power_w:
        share, stated = _bounded(x[:, sources.power] / entry.asset.rated_power_w), True
    void = _void(entry, names)
    run = _run(scalars, entry.asset, at_ns, speed, _column(x, sources.current, None), share)
    if void:
        x = x.copy()
        x[:, void] = math.nan
    rows = Rows(
        slot=np.zeros(len(kept), np.int64),
        at_ns=np.ascontiguousarray(at_ns),
        offset=np.full(len(kept), frame.origin.offset),
        row=kept.astype(np.int64),
        x=np.ascontiguousarray(x),
        run=run,
        speed=speed,
        load=share if stated else _column(x, sources.follows, None),
        stated=np.full(len(kept), stated, np.uint8),
    )
    every_ns = max(1, round(sheet.every_s * 1e9))
    phase_ns = zlib.crc32(frame.asset.encode()) * every_ns >> 32  # of all points of the machine: they can be compared
    source = SpeedSource.CONTEXT if frame.context.speed_hz is not None else SpeedSource.TACHOMETER
    known = entry.asset.measuring_point(frame.point)
    wanted = tuple(each for each in known.features if each in SCALAR.index) if known else ()  # others are of waveforms
    return tuple(
        _vector(frame, stretch, void, source, wanted)
        for stretch in scalars.take(rows, frame.origin, every_ns, phase_ns)
    )


def _bounded(x: F64) -> F64:
    return np.where(np.abs(x) > LARGEST, np.copysign(math.inf, x), x)


def _void(entry: Entry, names: tuple[str, ...]) -> list[int]:
    """Tags that a quality condition makes worthless: their values are neither told nor learnt."""
    bad = {each.finding.channel for each in entry.standing if each.finding.kind in _VOID}
    return [k for k, name in enumerate(names) if name in bad]


def _run(
    scalars: Scalars, asset: Asset, at_ns: npt.NDArray[np.int64], speed: F64, current: F64, load: F64
) -> npt.NDArray[np.int64]:
    """Run state of each row, by its place in `RUN_STATES`; a machine that nothing is known about runs."""
    known = np.isfinite(speed) | np.isfinite(current) | np.isfinite(load)
    out = np.full(len(at_ns), RUNNING, np.int64)
    if not known.any() and scalars.run == RunMemory():
        return out
    before_ns = int(scalars.state.last_ns[0])
    columns = (at_ns.tolist(), speed.tolist(), current.tolist(), load.tolist())
    for i, (ns, hz, ampere, share) in enumerate(zip(*columns, strict=True)):
        scalars.run = run_state.step(
            scalars.run,
            speed_hz=_known(hz),
            level=None,
            rated_speed_hz=asset.rated_speed_hz,
            elapsed_s=None if before_ns < 0 else (ns - before_ns) * 1e-9,
            current=_known(ampere),
            load=_known(share),
        )
        out[i], before_ns = RUN_STATES.index(scalars.run.state), ns
    return out


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _vector(
    frame: TelemetryFrame, stretch: Stretch, void: list[int], source: SpeedSource, wanted: tuple[str, ...]
) -> FeatureVector:
    names, units, places = _names(frame.tags, wanted)
    codes = stretch.described.masks
    if void:
        codes = codes.copy()
        for k in void:
            if k < MOST_TAGS:
                codes[k * len(PER_TAG) : (k + 1) * len(PER_TAG)] = _QUALITY
    codes, numbers = codes[places], stretch.described.values[places]
    values = tuple(None if code else value for value, code in zip(numbers.tolist(), codes.tolist(), strict=True))
    known = stretch.speed_hz is not None
    return FeatureVector(
        vector_id=lineage.event_id("vector", stretch.origin, stretch.row, frame.point, SCALAR.id),
        asset=frame.asset,
        point=frame.point,
        site=frame.site,
        gateway=frame.gateway,
        origin=stretch.origin,
        first_offset=stretch.first_offset,
        channels=tuple(tag.name for tag in frame.tags[:MOST_TAGS]),
        from_ns=stretch.from_ns,
        until_ns=stretch.until_ns,
        sampling_rate_hz=None,
        samples=stretch.rows,
        ended=Ended.GAP if stretch.gap else Ended.COMPLETE,
        run_state=stretch.run_state,
        speed_hz=stretch.speed_hz,
        speed_source=source if known else SpeedSource.UNKNOWN,
        load=stretch.load,
        feature_set=SCALAR.id,
        names=names,
        units=units,
        values=values,
        masks=masks.words(codes.tobytes()),
        zone="",
        trace_id=lineage.trace_id(frame.origin),
        regime=frame.context.regime or (f"c{stretch.regime + 1}" if stretch.regime >= 0 else ""),
    )


@lru_cache(maxsize=1024)
def _names(
    tags: tuple[Tag, ...], wanted: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], npt.NDArray[np.intp]]:
    """Names, UCUM units and columns of what the vector of a frame carries; nothing wanted: all of it."""
    names, units = declared.columns(tuple(tag.name for tag in tags))
    bases = [units_of(tag.quantity)[0] if tag.quantity in QUANTITIES else tag.unit for tag in tags[:MOST_TAGS]]
    own = [_resolved(unit, base) for base in bases for unit in units[: len(PER_TAG)]]
    units = (*own, *units[len(own) :])
    kept = [i for i, name in enumerate(names) if not wanted or name.partition("[")[0] in wanted]
    return tuple(names[i] for i in kept), tuple(units[i] for i in kept), np.array(kept, np.intp)


def _resolved(unit: str, base: str) -> str:
    """Unit of a feature of a tag whose SI unit is `base`."""
    if unit == "u/s":
        return f"{base}/s"
    return base if unit == "u" else unit
