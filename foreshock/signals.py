"""What a measurement window says: its features, and which fault of which part they point to.

Frozen records like those of `foreshock/contract.py`, of which they are a part:
`FeatureVector` (features.v1) and `Diagnosis` (diagnoses.v1). Times are nanoseconds since 1970 UTC, quantities are SI.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foreshock.contract import Origin
from foreshock.vocabulary import RunState


class Ended(StrEnum):
    """Why no more samples were added to a window."""

    COMPLETE = "complete"
    GAP = "gap"  # the next block does not follow on
    RATE_CHANGED = "rate_changed"
    CHANNEL_ABSENT = "channel_absent"  # the next block has other channels
    NOT_RUNNING = "not_running"
    QUALITY = "quality"  # the next block cannot be used


class SpeedSource(StrEnum):
    """Where the speed of a window is from."""

    UNKNOWN = ""
    CONTEXT = "context"
    TACHOMETER = "tachometer"
    SPECTRUM = "spectrum"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureVector:
    """All features of one measurement window, or of one stretch of telemetry rows.

    `names`, `units`, `values` and `masks` are equally long: all features of the first channel, then of the next. A value
    that could not be had is None, and its mask says why.
    """

    vector_id: str  # a function of the input coordinates, the measuring point and the feature set
    asset: str
    point: str
    site: str
    gateway: str
    origin: Origin  # of the last record in it
    first_offset: int  # of the first record in it
    channels: tuple[str, ...]  # or tags
    from_ns: int  # time of the first sample or row
    until_ns: int  # end of the last sample, time of the last row
    sampling_rate_hz: float | None
    samples: int  # per channel; rows of telemetry
    ended: Ended
    run_state: RunState
    speed_hz: float | None
    speed_source: SpeedSource
    load: float | None  # share of the rated load, as the records state it
    feature_set: str  # name-vN@hash
    names: tuple[str, ...]  # "rms[DE]"
    units: tuple[str, ...]  # UCUM, of the quantity at hand
    values: tuple[float | None, ...]
    masks: tuple[str, ...]  # a `MaskReason`; "" for a value that is there
    zone: str  # "A" to "D", the worst of the channels; "" where the point has no zones, or nothing could be judged
    trace_id: str
    regime: str = ""  # operating condition, as the records state it or as it was found; "" unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was looked for in the spectrum of the envelope, or of the signal."""

    name: str  # "BPFO", "2xBPFO", "2xBSF-FTF", "GMF+1"
    expected_hz: float  # by geometry and speed
    found_hz: float
    amplitude: float  # peak, in the unit of the diagnosis
    background: float  # around it, in the same unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Which fault of which part a window points to (ISO 13379): said when it is another than what was said before."""

    diagnosis_id: str
    vector_id: str  # the features of the same window
    asset: str
    point: str
    site: str
    gateway: str
    channel: str  # where it shows most
    origin: Origin
    first_offset: int
    from_ns: int
    until_ns: int
    fault: str  # "outer_race", "inner_race", "rolling_element", "cage", "gear"; "" for none
    former: str  # the fault that was named before; "" for none
    component: str  # name of the bearing, or of the gear; "" for none
    family: str  # of its lines: "BPFO", "BPFI", "2xBSF", "FTF", "GMF"
    lines: tuple[Line, ...]  # those that were found
    unit: str
    amplitude: float | None  # of the family, in `unit`
    baseline: float | None  # the same after commissioning, or the last repair; None while that is not known
    prominence: float | None  # of the family over its background
    confidence: float  # 0..1
    speed_hz: float | None
    speed_source: SpeedSource
    sentence: str  # for a person
    mask: str  # a `MaskReason`: why nothing could be looked for; "" where something was
    method: str  # name-vN@hash of what decided
    trace_id: str
