"""All features that there are, set by set, as `foreshock features` lists and explains them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from foreshock.features import catalog
from foreshock.features.declared import Declared, DeclaredSet, Input
from foreshock.features.scalar.declared import SCALAR
from foreshock.features.signal import SIGNAL
from foreshock.vocabulary import QualityKind

_HERE = "foreshock.features"
_MADE_BY = {"band": "spectrum.band_rows", "env": "envelope.envelope_rows", "centroid": "spectrum.band_rows"}
_VOID = (
    QualityKind.FROZEN,
    QualityKind.CLIPPED,
    QualityKind.SPIKE,
    QualityKind.OUT_OF_RANGE,
    QualityKind.WRONG_RATE,
)
"""A block with one of these is not usable: it is neither scored nor learnt."""


class Listing(NamedTuple):
    """A set of features, and what it is for."""

    id: str
    """``name-vN@hash``, as lineage names it."""
    name: str
    made_of: str
    goes_to: str
    features: tuple[Declared, ...]


@cache
def inventory() -> tuple[Listing, ...]:
    """Give all sets, those of single blocks first."""
    block, window = "each block of a waveform", "a measurement window of a waveform"
    return (
        _of_blocks(catalog.LEAN, block, "scores.v1, in the profile `lean`"),
        _of_blocks(catalog.FULL, block, "scores.v1, in the profile `full` (the default)"),
        _declared(SIGNAL, window, "features.v1"),
        _declared(SCALAR, "the rows of telemetry frames", "features.v1"),
    )


def find(name: str) -> list[tuple[Listing, Declared]]:
    """Give all features of a name, with their sets; the name may have a channel behind it: ``rms[DE]``."""
    plain = name.partition("[")[0]
    return [(listing, each) for listing in inventory() for each in listing.features if each.name == plain]


def _declared(given: DeclaredSet, made_of: str, goes_to: str) -> Listing:
    return Listing(given.id, given.name, made_of, goes_to, given.features)


def _of_blocks(given: catalog.FeatureSet, made_of: str, goes_to: str) -> Listing:
    """Declare what a set of the detectors holds; its own hash stays, for models and references hang on it."""
    return Listing(given.id, given.name, made_of, goes_to, tuple(map(_of_block, given.features)))


def _of_block(each: catalog.Feature) -> Declared:
    made_by = _MADE_BY.get(each.name.partition("_")[0], "moments.window_rows")
    return Declared(
        name=each.name,
        unit=each.unit,
        function=f"{_HERE}.{made_by}",
        inputs=(Input.SAMPLES, Input.RATE) if each.name == "centroid" else (Input.SAMPLES,),
        meaning=each.meaning,
        voided_by=_VOID,
        scale=each.scale,
    )
