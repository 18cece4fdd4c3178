"""Feature vectors as a table: a row for each channel of a vector, a column for each feature.

A column has one unit, which stands in its metadata. Where the vectors of a file have one feature in several units (an
acceleration and a velocity), each unit has a column of its own: `rms (m/s2)`, `rms (m/s)`; so has a feature that is named
like a column of another meaning: `regime (1)`. A feature that has no value is null, and `masks` says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import foreshock

Vector = Mapping[str, Any]
"""A FeatureVector as plain fields, as `wire.decode_output` gives it."""
_Key = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_Cell = tuple[str, str, int]  # feature, unit, place in the values

_PLAIN = (
    *(("vector_id", "string", ""), ("asset", "string", ""), ("point", "string", ""), ("channel", "string", "")),
    *(("from_ns", "int64", "ns"), ("until_ns", "int64", "ns"), ("sampling_rate_hz", "float64", "Hz")),
    *(("samples", "int64", "1"), ("speed_hz", "float64", "Hz"), ("speed_source", "string", "")),
    *(("ended", "string", ""), ("run_state", "string", ""), ("load", "float64", "1"), ("regime", "string", "")),
    *(("feature_set", "string", ""), ("zone", "string", "")),
)
_PLACE = (("input_topic", "string"), ("input_partition", "int32"), ("input_first", "int64"), ("input_last", "int64"))
MASKS = "masks"
_TAKEN = frozenset({MASKS, "offset", "partition", "ingest_ns", *(each[0] for each in (*_PLAIN, *_PLACE))})


class Layout:
    """Which columns the vectors of a file need: all are shown to it before the first is written."""

    def __init__(self) -> None:
        self._features: dict[str, dict[str, None]] = {}  # units of each feature, both in the order in which they came
        self._sets: dict[str, None] = {}
        self._known: dict[_Key, list[tuple[str, list[_Cell]]]] = {}

    def take(self, vector: Vector) -> None:
        """Learn the columns of a vector."""
        self._sets.setdefault(vector["feature_set"])
        if _key(vector) not in self._known:
            for _, cells in self._cells(vector):
                for feature, unit, _ in cells:
                    self._features.setdefault(feature, {}).setdefault(unit)

    def units(self) -> dict[str, str]:
        """Give the unit of each feature's column, in the order of the columns."""
        return {self._column(feature, unit): unit for feature, units in self._features.items() for unit in units}

    def metadata(self) -> dict[str, str]:
        """Give what a file says of all its rows: feature sets, units, and what wrote it."""
        return {
            "foreshock.feature_sets": json.dumps(sorted(self._sets)),
            "foreshock.units": json.dumps(self.units()),
            "foreshock.code": f"foreshock {foreshock.__version__}",
        }

    def schema(self, more: Iterable[tuple[str, str]] = ()) -> Any:
        """Give the Arrow schema; `more` are further columns, by name and type."""
        import pyarrow as pa

        fields = [pa.field(name, _type(kind), metadata={"unit": unit} if unit else None) for name, kind, unit in _PLAIN]
        fields += [pa.field(name, pa.float64(), metadata={"unit": unit}) for name, unit in self.units().items()]
        fields.append(pa.field(MASKS, pa.map_(pa.string(), pa.string())))
        fields += [pa.field(name, _type(kind)) for name, kind in (*_PLACE, *more)]
        return pa.schema(fields, metadata=self.metadata())

    def rows(self, vector: Vector) -> list[dict[str, Any]]:
        """Give the rows of a vector: one for each channel, and one without a channel for what is of none."""
        shared = {name: vector[name] for name, _, _ in _PLAIN if name != "channel"}
        origin = vector["origin"]
        place = {
            "input_topic": origin["topic"],
            "input_partition": origin["partition"],
            "input_first": vector["first_offset"],
            "input_last": origin["offset"],
        }
        values, masks = vector["values"], vector["masks"]
        return [
            {
                **shared,
                **place,
                "channel": channel,
                **{self._column(feature, unit): values[at] for feature, unit, at in cells},
                MASKS: [(feature, masks[at]) for feature, _, at in cells if masks[at]],
            }
            for channel, cells in self._cells(vector)
        ]

    def _column(self, feature: str, unit: str) -> str:
        alone = len(self._features[feature]) == 1 and feature not in _TAKEN
        return feature if alone else f"{feature} ({unit or '1'})"

    def _cells(self, vector: Vector) -> list[tuple[str, list[_Cell]]]:
        """Give the channels of a vector and what belongs to each; the vectors of a point all have the same."""
        key = _key(vector)
        found = self._known.get(key)
        if found is None:
            cells: dict[str, list[_Cell]] = {}
            for at, (name, unit) in enumerate(zip(vector["names"], vector["units"], strict=True)):
                feature, channel = split(name, vector["channels"])
                cells.setdefault(channel, []).append((feature, unit, at))
            found = self._known[key] = list(cells.items())
        return found


def split(name: str, channels: Iterable[str]) -> tuple[str, str]:
    """Take `rms[DE]` apart: the feature, and the channel; "" where the name has none of these channels."""
    found = max((each for each in channels if name.endswith(f"[{each}]")), key=len, default=None)
    return (name, "") if found is None else (name.removesuffix(f"[{found}]"), found)


def _key(vector: Vector) -> _Key:
    return tuple(vector["names"]), tuple(vector["units"]), tuple(vector["channels"])


def _type(kind: str) -> Any:
    import pyarrow as pa

    return pa.type_for_alias(kind)
