"""The spectrogram of a measuring point: the spectra of its newest blocks, column after column."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from confluent_kafka import Consumer

from foreshock.contract import SensorBlock
from foreshock.errors import InputRejected
from foreshock.streams.console.block import decode, in_si
from foreshock.streams.console.machine import numbers
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.reading import several
from foreshock.streams.console.rings import Rows
from foreshock.streams.console.spectra import F32, column
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import Decoder

BLOCKS = 400  # most columns
BINS = 512
_DARKEST = 5.0  # percentile of all values that is black


def spectrogram(
    client: Consumer,
    topic: TopicInfo,
    decoder: Decoder,
    rows: Rows,
    about: tuple[str, str, str, int, int],
) -> dict[str, Any]:
    """Read the blocks of these rows and give their spectra.

    Parameters
    ----------
    rows
        Of the ring of a measuring point.
    about
        Asset, point, channel ("" for the first), partition, and bins.

    Raises
    ------
    Problem
        None of them can be read, or they have no such channel.
    """
    asset, point, wanted, partition, bins = about
    at = dict(zip(rows["input"].tolist(), rows["at_ms"].tolist(), strict=True))
    key = asset.encode()
    found: list[tuple[int, F32]] = []
    rate, name, read = None, "", 0
    for message in several(client, topic.name, partition, sorted(at)):
        read += 1
        if message.key() != key or message.offset() not in at:
            continue
        try:
            block = decode(message, topic, decoder)
        except InputRejected:
            continue
        if not isinstance(block, SensorBlock) or block.point != point:
            continue
        if wanted and wanted not in block.channels:
            raise Problem(
                "not_found", f"{point!r} has no channel {wanted[:100]!r}", f"there are {list(block.channels)}"
            )
        place = block.channels.index(wanted) if wanted else 0
        if found and rate != block.sampling_rate_hz:
            found.clear()  # of another rate: its lines mean other frequencies
        rate, name = block.sampling_rate_hz, block.channels[place]
        found.append((int(message.offset() or 0), column(np.nan_to_num(in_si(block)[place]), bins)))
    if not found:
        raise Problem(
            "gone",
            f"no block of {asset!r} / {point!r} can be read",
            "retention has deleted them, or it sends no waveforms",
        )
    return {
        "id": asset,
        "point": point,
        "channel": name,
        "rate_hz": rate,
        "max_hz": (rate or 1.0) / 2,
        "bins": bins,
        "columns": len(found),
        "t_ms": [at[offset] for offset, _ in found],
        "offsets": [offset for offset, _ in found],
        "partition": partition,
        "read": read,
        "truncated": len(found) < len(at),
        **packed(np.stack([each for _, each in found])),
    }


def packed(values: F32) -> dict[str, Any]:
    """Give a matrix as bytes: 0 is dark, 255 the largest; row after row, in base64."""
    low, high = float(np.percentile(values, _DARKEST)), float(values.max())
    span = max(high - low, 1e-6)
    levels = np.clip((values - low) / span * 255.0, 0.0, 255.0).astype(np.uint8)
    low32, high32 = numbers([low, high]).tolist()
    return {"scale": "log10", "low": low32, "high": high32, "data": base64.b64encode(levels.tobytes()).decode()}
