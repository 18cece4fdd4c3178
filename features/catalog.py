"""The feature catalogue: which numbers a block of a waveform becomes, under which names.

A `FeatureSet` is versioned and hashed: a score names the set it was made from, and two sets with the same hash are
the same function of the samples. `extract` is that function, for many blocks at once; the features of a block are bit
for bit the same whatever else is in the batch.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.fft

from foreshock.features import envelope, moments, spectrum
from foreshock.features.declared import Scale

MIN_SAMPLES = 16
"""Fewer samples have no spectrum worth the name."""

CHUNK_ROWS = 32
"""Rows per pass: samples and spectra of a chunk stay in the second-level cache."""

ENVELOPE_PARTS = ("level", "depth", "line")


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of a channel."""

    name: str
    scale: Scale
    model_input: bool
    """The detectors' standard input. The others serve limits, explanations and the tree bank."""
    unit: str
    """In terms of the signal's SI unit `u`; empty for a ratio."""
    meaning: str


@dataclass(frozen=True)
class FeatureSet:
    """A named, versioned list of features per channel."""

    name: str
    version: int
    features: tuple[Feature, ...]

    @property
    def per_channel(self) -> int:
        """Features of one channel."""
        return len(self.features)

    @cached_property
    def hash(self) -> str:
        """First 16 hex digits of the sha256 of the definition: features and every constant they are computed with."""
        definition = {
            "name": self.name,
            "version": self.version,
            "features": [asdict(f) for f in self.features],
            "constants": _constants(),
        }
        return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """``name-vN@hash``, as a score names it."""
        return f"{self.name}-v{self.version}@{self.hash}"

    def names(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        """Column names for these channels: all features of the first channel, then of the next; ``rms[DE]``."""
        return tuple(f"{f.name}[{c}]" for c in channels for f in self.features)

    def columns(self, channels: int, *names: str) -> npt.NDArray[np.intp]:
        """Columns of the named features of every channel, channel by channel; without a name: of the model inputs.

        Raises
        ------
        KeyError
            If a feature is not in the set.
        """
        known = {f.name: i for i, f in enumerate(self.features)}
        own = [known[name] for name in names] if names else [i for i, f in enumerate(self.features) if f.model_input]
        return np.array([c * self.per_channel + i for c in range(channels) for i in own], np.intp)


def _constants() -> dict[str, object]:
    return {
        "window": "hann-periodic",
        "lanes": [moments.LANES, spectrum.LANES, envelope.LANES],
        "bands": [spectrum.BANDS, spectrum.FIRST_BIN, spectrum.RELATIVE_FLOOR, spectrum.ABSOLUTE_FLOOR],
        "envelope_bands": envelope.BANDS,
        "envelope_floors": [
            envelope.LEVEL_FLOOR,
            envelope.ABSOLUTE_FLOOR,
            envelope.DEPTH_FLOOR,
            envelope.LINE_FLOOR,
        ],
        "envelope_lines": [envelope.FIRST_LINE, envelope.MEDIAN_BITS],
    }


def _statistics() -> tuple[Feature, ...]:
    return (
        Feature("rms", Scale.LINEAR, False, "u", "root mean square of the deviation from the mean"),
        Feature("peak", Scale.LINEAR, False, "u", "largest absolute deviation from the mean"),
        Feature("crest", Scale.LINEAR, False, "", "peak over rms; 1.41 for a sine"),
        Feature("kurtosis", Scale.LINEAR, False, "", "fourth moment over squared variance; 3 for Gaussian noise"),
        Feature("skewness", Scale.LINEAR, False, "", "third moment over variance to the 1.5; 0 when symmetric"),
    )


def _bands() -> tuple[Feature, ...]:
    return tuple(
        Feature(f"band_{i:02d}", Scale.LOG, True, "u2", f"power density in logarithmic band {i} of {spectrum.BANDS}")
        for i in range(1, spectrum.BANDS + 1)
    )


def _envelopes() -> tuple[Feature, ...]:
    meanings = ("mean of the envelope", "squared coefficient of variation of the envelope", "largest line over median")
    units = ("u", "", "")
    return tuple(
        Feature(f"env_{i}_{part}", Scale.LOG, True, unit, f"{meaning}, {low:g}..{high:g} of the sampling rate")
        for i, (low, high) in enumerate(envelope.BANDS, start=1)
        for part, unit, meaning in zip(ENVELOPE_PARTS, units, meanings, strict=True)
    )


_CENTROID = Feature(
    "centroid", Scale.LINEAR, False, "Hz", "power-weighted mean frequency; cycles per sample without a rate"
)

LEAN = FeatureSet("lean", 1, (*_statistics(), *_bands(), _CENTROID))
FULL = FeatureSet("full", 1, (*_statistics(), *_bands(), *_envelopes(), _CENTROID))
PROFILES = {"lean": LEAN, "full": FULL}


def extract(x: npt.NDArray[np.float32], rate_hz: float | None, feature_set: FeatureSet) -> npt.NDArray[np.float32]:
    """Compute the features of a batch of blocks.

    Parameters
    ----------
    x : float32 [blocks, channels, n]
        Finite samples in SI, n >= 16.
    rate_hz : float or None
        Sampling rate; None: not stated, then the centroid is in cycles per sample.
    feature_set : FeatureSet
        `LEAN` or `FULL`.

    Returns
    -------
    float32 [blocks, channels * feature_set.per_channel]
        In the order of `feature_set.names`; finite, also for a constant block.

    Raises
    ------
    ValueError
        If `x` has not three axes or fewer than 16 samples.
    """
    if x.ndim != 3 or x.shape[2] < MIN_SAMPLES:
        raise ValueError(f"blocks must be [blocks, channels, n >= {MIN_SAMPLES}], not {list(x.shape)}")
    blocks, channels, n = x.shape
    rows = x.reshape(blocks * channels, n)
    out = np.empty((len(rows), feature_set.per_channel), np.float32)
    work = np.empty((min(CHUNK_ROWS, len(rows)), n), np.float32)
    for start in range(0, len(rows), CHUNK_ROWS):
        part = rows[start : start + CHUNK_ROWS]
        scratch = work[: len(part)]
        scratch[...] = part
        _extract_chunk(scratch, out[start : start + len(part)], with_envelope=feature_set is not LEAN)
    if rate_hz is not None:
        out[:, -1] *= np.float32(rate_hz)
    return out.reshape(blocks, channels * feature_set.per_channel)


def _extract_chunk(rows: npt.NDArray[np.float32], out: npt.NDArray[np.float32], *, with_envelope: bool) -> None:
    n = rows.shape[1]
    plan = spectrum.plan(n)
    exponents = np.empty(len(rows), np.int32)
    moments.window_rows(rows, plan.window, out, exponents)
    first, last = len(moments.NAMES), len(moments.NAMES) + spectrum.BANDS
    spectra = scipy.fft.rfft(rows, axis=1, overwrite_x=True)
    rms = out[:, 0]
    mean_square = np.square(rms, dtype=np.float64)
    spectrum.band_rows(
        spectra.view(np.float32),
        plan.edges,
        plan.frequencies,
        plan.density,
        exponents,
        mean_square,
        out[:, first:last],
        out[:, -1],
    )
    if with_envelope:
        envelope.envelope_rows(spectra, n, exponents, rms, out[:, last:-1])
