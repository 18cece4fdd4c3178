"""The features of a measuring point over time, each against what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer

from foreshock.contract import Asset, Limit
from foreshock.errors import InputRejected
from foreshock.features.catalog import PROFILES, FeatureSet
from foreshock.streams.codec.registry import Registry
from foreshock.streams.console.machine import numbers
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.reading import several
from foreshock.streams.console.rings import STATES, Rows, spans
from foreshock.streams.topics import TopicInfo
from foreshock.streams.wire import decode_output

SPAN = 30_000  # offsets that are read at one go; where the rows lie further apart some of them are read, one by one
FEW = 150
SHOWN = 6
BOUND = 3.0  # robust standard deviations, as the detector's own bounds have it
_USUAL = ("rms", "peak", "kurtosis", "crest")

F64 = npt.NDArray[np.float64]


class Read(NamedTuple):
    """Features that were read."""

    times: F64  # [n], ms
    values: F64  # [n, F]
    usual: npt.NDArray[np.bool_]  # [n]: scored, and not in alarm
    feature_set: str


def read(client: Consumer, topic: TopicInfo, registry: Registry | None, rows: Rows, key: bytes, partition: int) -> Read:
    """Read the features of these rows; those of another set or size than the newest are left out."""
    compared = [STATES.index("scored"), STATES.index("warming")]
    rows = rows[np.isin(rows["state"], compared)]  # those of a machine that stands still are compared with nothing
    if len(rows) and int(rows["offset"][-1] - rows["offset"][0]) > SPAN:
        rows = rows[np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(np.int64)]
    at = dict(zip(rows["offset"].tolist(), rows["at_ms"].tolist(), strict=True))
    healthy = set(rows["offset"][(rows["state"] == STATES.index("scored")) & (rows["alarm"] == 0)].tolist())
    usual: list[bool] = []
    times: list[float] = []
    values: list[Any] = []
    feature_set = ""
    for message in several(client, topic.name, partition, sorted(at)):
        if message.key() != key or message.offset() not in at:
            continue
        try:
            record = decode_output(message.value() or b"", registry)["record"]
        except InputRejected:
            continue
        found = record["rows"][-1]["features"]
        if not len(found):
            continue
        if values and (len(found) != len(values[-1]) or record["feature_set"] != feature_set):
            times, values, usual = [], [], []  # the settings have changed: what was before is not comparable
        feature_set = record["feature_set"]
        times.append(at[message.offset() or 0])
        values.append(found)
        usual.append(message.offset() in healthy)
    return Read(np.array(times), np.array(values, np.float64), np.array(usual, np.bool_), feature_set)


def names_of(feature_set: str, count: int, channels: Sequence[str]) -> tuple[str, ...]:
    """Give the names of the columns; channels that are not known are numbered.

    Raises
    ------
    Problem
        This release does not know the feature set.
    """
    known = _set(feature_set)
    if known is None or count % known.per_channel:
        raise Problem("not_found", f"the features of {feature_set!r} are not those of this release")
    width = count // known.per_channel
    if len(channels) != width:
        channels = [str(number + 1) for number in range(width)]
    return known.names(tuple(channels))


def tree(
    given: Read,
    names: Sequence[str],
    wanted: Sequence[str],
    event: Mapping[str, Any] | None,
    master: Asset | None,
    about: tuple[str, str, tuple[float, float], int],
) -> dict[str, Any]:
    """Give chosen features.

    Parameters
    ----------
    given
    names
        Of the columns.
    wanted
        Names; empty: those that moved most at the last anomaly, else the usual ones.
    event
        The last anomaly of the point, which says what was expected.
    about
        Asset, point, interval in ms, width.
    """
    times, values = given.times, given.values
    asset, point, over, width = about
    expected = {each["feature"]: each for each in event["contributions"]} if event else {}
    chosen = [each for each in wanted if each in names] or _choice(names, expected)
    starts = spans(times, *over, width)
    ends = np.append(starts[1:], len(times)) - 1
    limits = {
        limit.feature: limit
        for each in (master.points if master else ())
        if each.point == point
        for limit in each.limits
    }
    source = f"anomaly {event['event_id'][:8]}" if event else ""
    return {
        "id": asset,
        "point": point,
        "from_ms": over[0],
        "to_ms": over[1],
        "t_ms": np.ascontiguousarray(times[ends]) if len(times) else [],
        "names": list(names),
        "features": [
            {**_meaning(name), **_column(values[:, names.index(name)], starts, ends), **_limits(name, limits)}
            | _band(name, values[given.usual, names.index(name)], expected, source)
            for name in chosen
        ],
        "read": len(times),
    }


def _choice(names: Sequence[str], expected: Mapping[str, Any]) -> list[str]:
    moved = [name for name in sorted(expected, key=lambda each: -expected[each]["amount"]) if name in names]
    usual = [name for name in names if name.partition("[")[0] in _USUAL]
    return (moved[: SHOWN - 2] + [name for name in usual if name not in moved])[:SHOWN]


def _band(name: str, column: F64, expected: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What is usual: as the model said it at the last anomaly, else by the healthy values that are shown."""
    found = expected.get(name)
    if found is not None and found["lower"] is not None:
        return {"expected": found["expected"], "lower": found["lower"], "upper": found["upper"], "band_from": source}
    if len(column) < 8:
        return {"expected": None, "lower": None, "upper": None, "band_from": ""}
    middle = float(np.median(column))
    scale = 1.4826 * float(np.median(np.abs(column - middle)))
    return {
        "expected": middle,
        "lower": middle - BOUND * scale,
        "upper": middle + BOUND * scale,
        "band_from": "healthy values shown",
    }


def _column(column: F64, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> dict[str, Any]:
    if not len(starts):
        return {"values": [], "min": [], "max": []}
    return {
        "values": numbers(column[ends]),
        "min": numbers(np.minimum.reduceat(column, starts)),
        "max": numbers(np.maximum.reduceat(column, starts)),
    }


def _meaning(name: str) -> dict[str, Any]:
    for each in PROFILES["full"].features:
        if each.name == name.partition("[")[0]:
            return {"name": name, "meaning": each.meaning, "unit": each.unit, "scale": each.scale}
    return {"name": name, "meaning": "", "unit": "", "scale": "linear"}


def _limits(name: str, limits: Mapping[str, Limit]) -> dict[str, Any]:
    found = limits.get(name.partition("[")[0])
    told = [] if found is None else [{"above": found.above, "below": found.below, "severity": found.severity}]
    return {"limits": told}


def _set(feature_set: str) -> FeatureSet | None:
    return next((each for each in PROFILES.values() if each.id == feature_set), None)
