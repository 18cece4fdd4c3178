"""From the fields of an input, as they were decoded, to the record of the contract; all checks of meaning are here.

Most fields of a block are the same from block to block, so they stand first in the schema and are checked once: `header`
makes a `BlockHeader` of them, `block` adds what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Acquisition, Context, Encoding, Measure, Origin, Reason, SensorBlock, Tag, TelemetryFrame
from foreshock.errors import InputRejected
from foreshock.streams.codec import checks
from foreshock.streams.codec.block_tail import NO_CONTEXT, Tail
from foreshock.streams.codec.checks import reject

HEADER_FIELDS = MappingProxyType(
    {
        "SensorBlock": frozenset(
            [
                "asset",
                "point",
                "channels",
                "site",
                "gateway",
                "device",
                "quantity",
                "unit",
                "encoding",
                "scale",
                "sampling_rate_hz",
                "acquisition",
                "interval_s",
            ]
        ),
        "TelemetryFrame": frozenset(["asset", "point", "site", "gateway", "device", "tags", "interval_s"]),
    }
)
DTYPES: Mapping[str, np.dtype[Any]] = MappingProxyType(
    {Encoding.F32LE: np.dtype("<f4"), Encoding.F64LE: np.dtype("<f8"), Encoding.I16LE: np.dtype("<i2")}
)


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """The checked fields of a block that stay the same: keyword arguments of `SensorBlock`, and how samples lie."""

    asset: str
    key: bytes
    channels: int
    dtype: np.dtype[Any]
    width: int  # bytes of one sample of all channels
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The checked fields of a frame that stay the same: keyword arguments of `TelemetryFrame`."""

    asset: str
    key: bytes
    tags: int
    fields: Mapping[str, Any]


def block_header(found: Mapping[str, Any]) -> BlockHeader:
    """Check the fields of a block that stay the same.

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    asset = checks.check_id("asset", found["asset"])
    encoding = found["encoding"]
    if encoding not in DTYPES:
        reject(Reason.MALFORMED, "encoding", f"the encoding {encoding!r} is not known", f"send {', '.join(DTYPES)}")
    scale = checks.check_finite("scale", found["scale"])
    if not scale:
        reject(Reason.MALFORMED, "scale", "scale is 0: every sample would be 0", "send the value of one step, or 1")
    channels = checks.check_names("channels", found["channels"], checks.MOST_CHANNELS)
    unit = checks.check_waveform_unit(found["quantity"], found["unit"])
    fields = {
        "asset": asset,
        "point": checks.check_id("point", found["point"]),
        "channels": channels,
        "sampling_rate_hz": checks.check_rate(found["sampling_rate_hz"]),
        "quantity": found["quantity"],
        "unit": unit.ucum,
        "scale": scale,
        "gain": scale * unit.gain,
        "site": checks.check_label("site", found["site"]),
        "gateway": checks.check_label("gateway", found["gateway"]),
        "device": checks.check_label("device", found["device"]),
        "acquisition": _acquisition(found["acquisition"]),
        "interval_s": checks.check_positive("interval_s", found["interval_s"]),
    }
    dtype, number = DTYPES[encoding], len(channels)
    return BlockHeader(asset, asset.encode(), number, dtype, dtype.itemsize * number, fields)


def frame_header(found: Mapping[str, Any]) -> FrameHeader:
    """Check the fields of a frame that stay the same.

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    asset = checks.check_id("asset", found["asset"])
    checks.check_names("tags", [each["name"] for each in found["tags"]], checks.MOST_TAGS)
    tags = tuple(_tag(number, each) for number, each in enumerate(found["tags"]))
    fields = {
        "asset": asset,
        "point": checks.check_id("point", found["point"]),
        "tags": tags,
        "site": checks.check_label("site", found["site"]),
        "gateway": checks.check_label("gateway", found["gateway"]),
        "device": checks.check_label("device", found["device"]),
        "interval_s": checks.check_positive("interval_s", found["interval_s"]),
    }
    return FrameHeader(asset, asset.encode(), len(tags), fields)


def block(header: BlockHeader, found: Mapping[str, Any], origin: Origin) -> SensorBlock:
    """Make the block of its header and of what differs; `samples` is bytes, or an array [channels, count].

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    at_ns = checks.check_time("source_ns", found["source_ns"])
    samples = found["samples"]
    if isinstance(samples, bytes):
        samples = _samples(header, samples, found["count"])
    checks.check_samples(samples)
    return SensorBlock(
        origin=origin,
        source_ns=at_ns,
        samples=samples,
        sequence=found["sequence"],
        flags=tuple(checks.check_label("flags", each) for each in found["flags"]),
        context=_context(found["context"]),
        **header.fields,
    )


def block_of_tail(header: BlockHeader, tail: Tail, origin: Origin) -> SensorBlock:
    """Make the block of its header and of the tail that `block_tail.read` took; same checks as `block`."""
    sequence, source_ns, flags, context, count, data = tail
    if not checks.OLDEST_NS <= source_ns < checks.NEWEST_NS:
        checks.check_time("source_ns", source_ns)
    if len(data) == header.width * count:  # and there are some: the reader takes no count of 0
        samples: npt.NDArray[np.generic] = np.ndarray((header.channels, count), header.dtype, data)
    else:
        samples = _samples(header, data, count)
    checks.check_samples(samples)
    return SensorBlock(
        origin=origin,
        source_ns=source_ns,
        samples=samples,
        sequence=sequence,
        flags=flags,
        context=context,
        **header.fields,
    )


def frame(header: FrameHeader, found: Mapping[str, Any], origin: Origin) -> TelemetryFrame:
    """Make the frame of its header and of what differs.

    Raises
    ------
    InputRejected
        With the field at fault.
    """
    times, values = found["times_ns"], found["values"]
    if not times:
        reject(Reason.NO_SAMPLES, "times_ns", "the frame has no rows", "send at least one row, or nothing")
    for number, at_ns in enumerate(times):
        if not checks.OLDEST_NS <= at_ns < checks.NEWEST_NS:
            checks.check_time(f"times_ns[{number}]", at_ns)
    if values.size != len(times) * header.tags:
        sentence = f"{values.size} values, {len(times)} rows of {header.tags} tags need {len(times) * header.tags}"
        reject(
            Reason.COUNT_MISMATCH,
            "values",
            sentence,
            "send a value for every tag of every row, NaN where it is missing",
        )
    values = values.reshape(len(times), header.tags)
    if np.isinf(values).any():
        row, column = (int(each) for each in np.argwhere(np.isinf(values))[0])
        sentence = f"the value of row {row}, tag {header.fields['tags'][column].name!r} is infinite"
        reject(Reason.NOT_FINITE, "values", sentence, "send NaN (null in JSON) where there is no value")
    return TelemetryFrame(
        origin=origin,
        times_ns=np.array(times, np.int64),
        values=values,
        sequence=found["sequence"],
        context=_context(found["context"]),
        **header.fields,
    )


def _samples(header: BlockHeader, data: bytes, count: int) -> npt.NDArray[np.generic]:
    """Give the samples as a view of the message, [channels, count]."""
    if count <= 0:
        if count < 0:
            reject(Reason.COUNT_MISMATCH, "count", f"count is {count}", "send the number of samples per channel")
        reject(Reason.NO_SAMPLES, "count", "the block has no samples", "send at least one sample, or nothing")
    if not data:
        reject(Reason.NO_SAMPLES, "samples", "samples is empty", "send the samples, or nothing")
    if len(data) != header.channels * count * header.dtype.itemsize:
        _wrong_count(header, len(data), count)
    return np.frombuffer(data, header.dtype).reshape(header.channels, count)


def _wrong_count(header: BlockHeader, size: int, count: int) -> None:
    """Say what is wrong with the size of the samples, and what it would fit."""
    number = header.channels * count
    wanted = number * header.dtype.itemsize
    sentence = (
        f"samples has {size} bytes, {header.channels} channels of {count} samples "
        f"of {header.dtype.itemsize} bytes are {wanted}"
    )
    fits = [name for name, dtype in DTYPES.items() if number * dtype.itemsize == size]
    fix = "count is samples per channel; channels times count times the bytes of one sample must be the size of samples"
    if fits:
        fix = f"the size fits the encoding {fits[0]}: state that, or send the samples as declared"
    elif header.channels > 1 and count * header.dtype.itemsize == size:
        fix = "count is samples per channel, it looks like the samples of all channels together"
    reject(Reason.COUNT_MISMATCH, "samples", sentence, fix)


def _tag(number: int, found: Mapping[str, Any]) -> Tag:
    try:
        measure = Measure(found["measure"])
    except ValueError:
        known = ", ".join(Measure)
        reject(
            Reason.MALFORMED, f"tags[{number}].measure", f"{found['measure']!r} is not known", f"send one of {known}"
        )
    try:
        unit, measure = checks.check_unit(found["quantity"], found["unit"], measure)
    except InputRejected as exc:
        exc.field = f"tags[{number}].{exc.field}"
        exc.sentence = f"tag {found['name']!r}: {exc.sentence}"
        raise
    return Tag(
        name=found["name"],
        quantity=found["quantity"],
        unit=unit.ucum,
        gain=unit.gain,
        shift=unit.shift,
        measure=measure,
    )


def _acquisition(name: str) -> Acquisition:
    try:
        return Acquisition(name)
    except ValueError:
        known = ", ".join(Acquisition)
        reject(Reason.MALFORMED, "acquisition", f"the acquisition {name!r} is not known", f"send one of {known}")


def _context(found: Mapping[str, Any]) -> Context:
    speed, load, regime = found["speed_hz"], found["load"], found["regime"]
    maintenance = found["maintenance"]
    if speed is None and load is None and regime is None and not maintenance:
        return NO_CONTEXT
    return Context(
        speed_hz=checks.check_finite("context.speed_hz", speed),
        load=checks.check_finite("context.load", load),
        regime=regime if regime is None else checks.check_label("context.regime", regime),
        maintenance=maintenance,
    )
