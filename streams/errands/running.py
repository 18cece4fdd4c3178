"""How long assets were watched and ran, from a sample of their scores: a month of them is too much to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foreshock.contract import RunState
from foreshock.errors import InputRejected
from foreshock.settings import Settings
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.sampling import instants, sampled
from foreshock.streams.kafka import reader_config
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import inspect
from foreshock.streams.wire import decode_output

INSTANTS = 24  # of the interval, evenly spread; the standard error of a share is at most 0.5 / sqrt(24) = 0.1
RECORDS = 400  # of a partition at each instant


@dataclass(frozen=True, slots=True)
class Heard:
    """What a sample says of an asset.

    Attributes
    ----------
    observed_s
        From the first instant at which it was heard to the end of the interval.
    share
        Of the sampled scores that say it ran.
    """

    observed_s: float
    share: float


def running(settings: Settings, from_ns: int, until_ns: int) -> dict[str, Heard]:
    """Sample `scores.v1` by the time of the broker.

    Parameters
    ----------
    settings
        Where Kafka is.
    from_ns, until_ns
        The interval.

    Returns
    -------
    dict
        By asset; one that no sample met is not in it.
    """
    info = inspect(settings).get("scores.v1")
    if info is None:
        return {}
    registry = registry_for(settings)
    counts: dict[str, list[int]] = {}  # asset -> ran, of, first heard
    consumer = reading(reader_config(settings))
    try:
        times = instants(from_ns, until_ns, INSTANTS)
        for at_ns, message in sampled(consumer, info.name, range(info.partitions), times, RECORDS):
            try:
                record = decode_output(message.value() or b"", registry)["record"]
            except InputRejected:
                continue
            _count(counts, record, at_ns)
    finally:
        consumer.close()
    return {name: Heard((until_ns - first) / 1e9, ran / of) for name, (ran, of, first) in counts.items()}


def _count(counts: dict[str, list[int]], record: Mapping[str, Any], at_ns: int) -> None:
    rows = record["rows"]
    if rows:
        count = counts.setdefault(str(record["asset"]), [0, 0, at_ns])
        count[0] += rows[-1]["run_state"] == RunState.RUNNING
        count[1] += 1
