"""One raw block as it is shown: from the record on sensors.v1 and what is known of its asset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from confluent_kafka import Consumer, Message

from foreshock.contract import Asset, Block, SensorBlock, TelemetryFrame
from foreshock.errors import InputRejected
from foreshock.records import to_tree
from foreshock.streams.border import origin_of, trace
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.reading import one
from foreshock.streams.console.spectra import F32, channel, markers
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder

NS_MS = 1e6
ROWS = 500  # of a frame


def read(client: Consumer, topic: TopicInfo, decoder: Decoder, place: tuple[int, int]) -> tuple[Block, Message]:
    """Read and decode a block by its partition and offset.

    Raises
    ------
    Problem
        It is not kept any more, or cannot be decoded: then it is a dead letter.
    """
    message = one(client, topic.name, *place)
    try:
        return decode(message, topic, decoder), message
    except InputRejected as exc:
        raise Problem("bad_request", f"the record cannot be decoded: {exc.sentence}", exc.fix) from exc


def decode(message: Message, topic: TopicInfo, decoder: Decoder) -> Block:
    """Decode a record of sensors.v1.

    Raises
    ------
    InputRejected
        It cannot be used.
    """
    key = message.key()
    raw = key.encode() if isinstance(key, str) else key
    return decoder.decode(message.value(), origin=origin_of(message, topic, context=trace(message)), key=raw)


def in_si(block: SensorBlock) -> F32:
    """Give the samples in SI [channels, n]."""
    return np.ascontiguousarray(block.samples.astype(np.float64) * block.gain, np.float32)


def tree(block: Block, message: Message, master: Asset | None, width: int) -> dict[str, Any]:
    """Give what is shown of a block."""
    origin = block.origin
    size = len(message.value() or b"")
    common = {
        "id": block.asset,
        "point": block.point,
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "arrived_ms": origin.ingest_ns / NS_MS,
        "sequence": block.sequence,
        "site": block.site,
        "gateway": block.gateway,
        "device": block.device,
        "context": to_tree(block.context),
        "traceparent": origin.traceparent,
        "schema": origin.schema,
        "size": size,
    }
    if isinstance(block, TelemetryFrame):
        return {**common, **_frame(block)}
    return {**common, **_block(block, master, width)}


def _block(block: SensorBlock, master: Asset | None, width: int) -> dict[str, Any]:
    x = in_si(block)
    if not np.isfinite(x).all():
        x = np.nan_to_num(x, posinf=0.0, neginf=0.0)
    marks, basis = markers(master, block.context.speed_hz)
    rate = block.sampling_rate_hz
    return {
        "kind": "waveform",
        "source_ms": block.source_ns / NS_MS,
        "rate_hz": rate,
        "per_sample": rate is None,
        "samples": x.shape[1],
        "duration_s": x.shape[1] / rate if rate else None,
        "quantity": block.quantity,
        "unit": block.unit,
        "flags": list(block.flags),
        "acquisition": block.acquisition,
        "channels": [{"name": name, **channel(row, rate, width)} for name, row in zip(block.channels, x, strict=True)],
        "markers": marks if rate else [],
        "markers_speed": basis if rate else "",
    }


def _frame(frame: TelemetryFrame) -> dict[str, Any]:
    values = frame.values
    tags: Sequence[dict[str, Any]] = [
        {"name": tag.name, "quantity": tag.quantity, "unit": tag.unit, "measure": tag.measure, "value": _last(column)}
        for tag, column in zip(frame.tags, values.T, strict=True)
    ]
    return {
        "kind": "telemetry",
        "source_ms": int(frame.times_ns[-1]) / NS_MS,
        "tags": tags,
        "rows": [
            [int(at) / NS_MS, *map(_last, row)] for at, row in zip(frame.times_ns, values[:, :, None], strict=True)
        ][-ROWS:],
        "channels": [],
        "markers": [],
        "markers_speed": "",
    }


def _last(column: Any) -> float | None:
    value = float(column[-1])
    return value if np.isfinite(value) else None
