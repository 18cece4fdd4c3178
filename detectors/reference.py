"""The reference of an asset class: what is normal per operating regime, and how much it varies, shared by its assets.

A versioned record with a content hash. With it a new asset is measured on the scale of its class from its first block,
and only its own start is subtracted: what differs from machine to machine is where it starts, not how it varies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foreshock.contract import Asset, Context
from foreshock.detectors.constants import SCALE_FLOOR
from foreshock.errors import ConfigurationError

FORMAT = 1
_GAP = 0.15  # of the range: operating points farther apart than this are regimes of their own
_SHARE = 0.03  # of the vectors: fewer do not make a regime
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Regime:
    """An operating range and what is normal in it; the ranges are half open, None is "any"."""

    name: str
    speed_hz: tuple[float, float] | None
    load: tuple[float, float] | None
    vectors: int  # how many healthy vectors it rests on
    centre: tuple[float, ...]
    scale: tuple[float, ...]

    def holds(self, context: Context) -> bool:
        """Whether the operating point lies in the ranges."""
        return _inside(self.speed_hz, context.speed_hz) and _inside(self.load, context.load)


def _inside(bounds: tuple[float, float] | None, value: float | None) -> bool:
    return bounds is None or (value is not None and bounds[0] <= value < bounds[1])


@dataclass(frozen=True, slots=True)
class Healthy:
    """Healthy feature vectors of one measuring point."""

    names: tuple[str, ...]
    vectors: npt.NDArray[np.floating[Any]]  # [blocks, features]
    contexts: Sequence[Context]  # the operating point of each block


@dataclass(frozen=True)
class Reference:
    """Versioned reference of an asset class; `asset_class` "" holds for every asset."""

    asset_class: str
    version: int
    feature_set: str
    names: tuple[str, ...]  # feature names with channels, the order of `centre` and `scale`
    regimes: tuple[Regime, ...]
    floors: tuple[float, ...]  # least scale of a feature, for assets that start cold
    method: str = "median of the assets' medians; median of their median absolute deviations x 1.4826"

    @cached_property
    def hash(self) -> str:
        """Sha256 of the content, 16 hexadecimal digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """Name of the record in lineage."""
        return f"{self.asset_class or 'any'}@{self.version}:{self.hash}"

    def serves(self, asset: Asset) -> bool:
        """Whether it holds for an asset's class."""
        return self.asset_class in {"", asset.asset_class}

    def regime(self, context: Context) -> int:
        """Index of the regime of an operating point, -1 where none holds."""
        return next((i for i, regime in enumerate(self.regimes) if regime.holds(context)), -1)

    @cached_property
    def tables(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Centre and floored scale as float32 [regimes, features]."""
        centre = np.array([r.centre for r in self.regimes], np.float32)
        scale = np.maximum(np.array([r.scale for r in self.regimes]), np.array(self.floors)).astype(np.float32)
        return centre, scale

    def to_json(self) -> str:
        """Canonical text of the record."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)

    def save(self, path: Path) -> None:
        """Write the record to a file."""
        path.write_text(json.dumps({"hash": self.hash, **json.loads(self.to_json())}, sort_keys=True, indent=1) + "\n")

    @staticmethod
    def load(path: Path) -> Reference:
        """Read a record and check its hash.

        Raises
        ------
        ConfigurationError
            The file cannot be read, has another format, or its content does not match its hash.
        """
        try:
            record: dict[str, Any] = json.loads(path.read_text())
            stated = record.pop("hash")
            reference = Reference.parse(json.dumps(record))
        except (OSError, ValueError, KeyError, TypeError, ConfigurationError) as exc:
            raise ConfigurationError(f"{path}: not a reference record ({exc})") from exc
        if reference.hash != stated:
            raise ConfigurationError(f"{path}: content hash {reference.hash}, but the file says {stated}")
        return reference

    @staticmethod
    def parse(text: str) -> Reference:
        """Read the canonical text of a record.

        Raises
        ------
        ConfigurationError
            It is none, or of another format.
        """
        try:
            record: dict[str, Any] = json.loads(text)
            fmt = record.pop("format")
            regimes = tuple(_regime(r) for r in record.pop("regimes"))
            lists: dict[str, Any] = {k: tuple(record.pop(k)) for k in ("names", "floors")}
            reference = Reference(regimes=regimes, **lists, **record)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ConfigurationError(f"not a reference record: {exc!r}") from exc
        if fmt != FORMAT:
            raise ConfigurationError(f"a reference record of format {fmt}; this release reads format {FORMAT}")
        return reference

    def places(self, names: Sequence[str]) -> npt.NDArray[np.intp] | None:
        """Where these features stand in the record; None where it does not know one of them."""
        known = {name: i for i, name in enumerate(self.names)}
        found = [known.get(name, -1) for name in names]
        return None if min(found, default=-1) < 0 else np.array(found, np.intp)

    @staticmethod
    def build(asset_class: str, version: int, feature_set: str, healthy: Mapping[str, Healthy]) -> Reference:
        """Compute a reference from healthy feature vectors.

        Parameters
        ----------
        asset_class, version, feature_set
            What the record is for.
        healthy
            Measuring point to its vectors; points may have different channels.
        """
        contexts = [c for h in healthy.values() for c in h.contexts]
        cuts = {axis: _cuts([getattr(c, axis) for c in contexts]) for axis in ("speed_hz", "load")}
        names = tuple(dict.fromkeys(name for h in healthy.values() for name in h.names))
        whole = _fill(Regime("", None, None, 0, (), ()), healthy, names, None)
        drafts = [Regime("", s, load, 0, (), ()) for s in _ranges(cuts["speed_hz"]) for load in _ranges(cuts["load"])]
        regimes = [_fill(draft, healthy, names, whole) for draft in drafts]
        regimes = [regime for regime in regimes if regime.vectors]
        floors = np.maximum(np.min([r.scale for r in regimes], axis=0) / 2, SCALE_FLOOR)
        return Reference(asset_class, version, feature_set, names, tuple(regimes), tuple(floors.tolist()))


def _regime(record: Mapping[str, Any]) -> Regime:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    return Regime(**fields)


def _fill(draft: Regime, healthy: Mapping[str, Healthy], names: Sequence[str], whole: Regime | None) -> Regime:
    """Statistics of a regime; a feature without a vector in it has those of the `whole`."""
    medians: dict[str, list[float]] = {name: [] for name in names}
    spreads: dict[str, list[float]] = {name: [] for name in names}
    count = 0
    for h in healthy.values():
        inside = np.asarray(h.vectors, np.float64)[[draft.holds(c) for c in h.contexts]]
        count += len(inside)
        if len(inside):
            middle = np.median(inside, axis=0)
            spread = _MAD * np.median(np.abs(inside - middle), axis=0)
            for name, m, s in zip(h.names, middle.tolist(), spread.tolist(), strict=True):
                medians[name].append(m)
                spreads[name].append(s)
    centre = [_median(medians[name], whole.centre[i] if whole else 0.0) for i, name in enumerate(names)]
    scale = [_median(spreads[name], whole.scale[i] if whole else 1.0) for i, name in enumerate(names)]
    return Regime(
        name=_name(draft),
        speed_hz=draft.speed_hz,
        load=draft.load,
        vectors=count,
        centre=tuple(centre),
        scale=tuple(max(value, SCALE_FLOOR) for value in scale),
    )


def _median(values: Sequence[float], otherwise: float) -> float:
    return float(np.median(values)) if values else otherwise


def _name(regime: Regime) -> str:
    named = (("speed", regime.speed_hz, " Hz"), ("load", regime.load, ""))
    said = [f"{axis} {b[0]:g}..{b[1]:g}{unit}" for axis, b, unit in named if b is not None]
    return ", ".join(said) or "all"


def _cuts(values: Sequence[float | None]) -> list[float] | None:
    """Borders between regimes: gaps of at least 15 % of the range; None where the axis is not stated."""
    stated = np.sort(np.array([v for v in values if v is not None], np.float64))
    if len(stated) < len(values) or len(stated) == 0:
        return None
    least, span = max(1, int(_SHARE * len(stated))), stated[-1] - stated[0]
    gaps = np.diff(stated)
    places = [i for i in range(least - 1, len(gaps) - least + 1) if span > 0 and gaps[i] >= _GAP * span]
    return [float((stated[i] + stated[i + 1]) / 2) for i in places]


def _ranges(cuts: list[float] | None) -> list[tuple[float, float] | None]:
    if not cuts:
        return [None]
    borders = [-1e300, *cuts, 1e300]
    return list(pairwise(borders))
