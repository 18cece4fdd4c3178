"""The words of the product: what comes in, what goes out.

Every record here is a frozen value. `avro_schemas/` holds the same records for the wire, `streams/wire.py` turns one
into the other. Times are nanoseconds since 1970 UTC, quantities are SI, unless a field says otherwise.

In:  `SensorBlock`, `TelemetryFrame` (sensors.v1), `Asset` (assets.v1; its records stand in `foreshock/machines.py`)
Out: `Score` (scores.v1), `Anomaly` (anomalies.v1), `DataQuality` (quality.v1), `DeadLetter` (dead-letters.v1)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foreshock.machines import (
    Asset,
    Band,
    Bearing,
    Gear,
    Impeller,
    Limit,
    MeasuringPoint,
    Shaft,
    Tachometer,
    Zones,
)
from foreshock.vocabulary import (
    Acquisition,
    Encoding,
    Measure,
    Mode,
    Phase,
    QualityKind,
    Reason,
    RunState,
    ScoreState,
)

__all__ = [
    "Acquisition",
    "Anomaly",
    "Asset",
    "Band",
    "Bearing",
    "Block",
    "Context",
    "Contribution",
    "DataQuality",
    "DeadLetter",
    "Decision",
    "Encoding",
    "Gear",
    "Impeller",
    "InputRange",
    "Limit",
    "Lineage",
    "Measure",
    "MeasuringPoint",
    "Mode",
    "Operand",
    "Origin",
    "Phase",
    "QualityKind",
    "Reason",
    "RunState",
    "Score",
    "ScoreRow",
    "ScoreState",
    "SensorBlock",
    "Shaft",
    "Tachometer",
    "Tag",
    "TelemetryFrame",
    "Tick",
    "Zones",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a record came from: the coordinates that every id and every lineage starts with."""

    topic: str
    topic_id: str  # Kafka's UUID: a topic that was deleted and made again is another topic
    partition: int
    offset: int
    ingest_ns: int  # the broker's log-append time
    schema: str = ""  # CRC-64-AVRO fingerprint of the writer schema (hex), "json" for JSON
    traceparent: str | None = None  # W3C, as the producer sent it; None: the trace id is a hash of the coordinates
    tracestate: str | None = None  # W3C, as the producer sent it beside a valid traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The operating point of the machine while the block was taken; None is "not stated"."""

    speed_hz: float | None = None
    load: float | None = None  # share of the rated load, 0..1
    regime: str | None = None
    maintenance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SensorBlock:
    """One block of a waveform: 1..N channels sampled together at one measuring point.

    `samples` is [channels, count] as sent (float32, float64 or int16, a view of the message); times `gain` it is in SI.
    """

    origin: Origin
    asset: str
    point: str
    channels: tuple[str, ...]
    source_ns: int  # time of the first sample
    sampling_rate_hz: float | None  # None: not stated by the recording
    quantity: str
    unit: str  # UCUM, as sent (after mapping plant spellings)
    samples: npt.NDArray[np.generic]
    gain: float = 1.0
    scale: float = 1.0  # as sent: sample * scale is in `unit`; gain is scale times the unit's own step to SI
    sequence: int | None = None
    site: str = ""
    gateway: str = ""
    device: str = ""
    acquisition: Acquisition = Acquisition.CONTINUOUS
    interval_s: float | None = None  # expected time from block to block
    flags: tuple[str, ...] = ()  # quality flags from the device
    context: Context = Context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One named scalar of a telemetry frame."""

    name: str
    quantity: str
    unit: str
    gain: float = 1.0  # SI = value * gain + shift
    shift: float = 0.0
    measure: Measure = Measure.INSTANTANEOUS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TelemetryFrame:
    """1..N rows of named scalars of one asset. `values` is [rows, tags] as sent; NaN marks a value that is missing."""

    origin: Origin
    asset: str
    point: str
    tags: tuple[Tag, ...]
    times_ns: npt.NDArray[np.int64]  # [rows]
    values: npt.NDArray[np.float64]  # [rows, tags]
    sequence: int | None = None
    site: str = ""
    gateway: str = ""
    device: str = ""
    interval_s: float | None = None
    context: Context = Context()


Block = SensorBlock | TelemetryFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A wall-clock time that was put on record in the order of a partition: before the record at `offset`."""

    partition: int
    offset: int
    at_ns: int
    since_ns: int = 0  # the brokers were away until then: nobody could be heard before


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """The outcome of one block, or of one row of a frame."""

    source_ns: int
    state: ScoreState
    reason: str  # "" when scored; else a short sentence: "warming up, 40 of 60 blocks"
    value: float | None  # 1.0 is the boundary of normal at the alarm budget
    p_value: float | None  # conformal rank in the asset's own healthy scores
    alarm: bool  # what the alarm rule says after this row
    run_state: RunState
    features: tuple[float, ...]  # float32 values, in the order of the feature set; () where none were computed
    trend: float | None = None  # growth of the RMS level per hour of source time, over the last 64 running blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What became of one input record: exactly one Score each, unless it became a dead letter."""

    score_id: str
    asset: str
    point: str
    origin: Origin
    mode: Mode
    rows: tuple[ScoreRow, ...]
    quality: tuple[str, ...]  # quality kinds that held on this record
    feature_set: str  # name@hash
    model: str
    policy: str
    reference: str  # "" where no fleet reference was used
    regime: str
    registered: bool
    warmup: float  # 0..1
    learning: str  # "learning", or why it is held; and after `SHADOW` what is in the shadow
    delayed_s: float  # ingest time minus source time of the newest row


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """A named number of the decision rule."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The rule that fired, as text with its operands, so that anybody can check it with a pocket calculator."""

    rule: str
    operands: tuple[Operand, ...]
    result: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one feature of one channel added to the score. The amounts of an event sum to its score."""

    feature: str
    amount: float
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRange:
    """Offsets of the records behind an event: first and last, inclusive, of this asset on this partition."""

    topic: str
    topic_id: str
    partition: int
    first: int
    last: int
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Everything that the score is a function of."""

    inputs: tuple[InputRange, ...]
    schema: str
    feature_set: str
    model: str
    model_state: str  # sha256 of the state before scoring
    calibration: str  # how many healthy scores the rank and the margin rest on
    reference: str
    policy: str
    asset_record: str  # hash of the master data
    numeric_platform: str
    code: str
    evidence: str = ""  # sha256 of the Avro body of its Case (foreshock/cases.py); "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """An anomaly episode of one measuring point opened, was updated, or closed."""

    event_id: str
    episode_id: str
    phase: Phase
    asset: str
    point: str
    site: str
    gateway: str
    mode: Mode
    severity: str
    source_ns: int
    ingest_ns: int
    started_ns: int  # source time of the first block of the episode that was over the boundary
    score: float
    initial_score: float  # the score that opened the episode; never overwritten
    p_value: float | None
    confidence: float
    decision: Decision
    contributions: tuple[Contribution, ...]
    hypothesis: str  # "" where the geometry is unknown or nothing fits
    lowered_by: tuple[str, ...]  # what made the score less than it could have been
    run_state: RunState
    regime: str
    lineage: Lineage
    trace_id: str
    trend: float | None = None  # as in `ScoreRow`


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality:
    """A quality condition of one sensor was raised or cleared."""

    event_id: str
    asset: str
    point: str
    channel: str
    kind: QualityKind
    raised: bool
    source_ns: int
    ingest_ns: int
    value: float | None
    limit: float | None
    detail: str
    cause: str  # sensor | gateway | pipeline: never "machine"
    ne107: str  # failure | check_function | out_of_specification | maintenance_required
    origin: Origin
    trace_id: str
    health: float | None = None  # of the sensor after this event, 0..1; None: written before there was one
    status: str = ""  # of the sensor after this event: "good", or the gravest NE 107 signal of what stands
    layer: str = ""  # where the fault lies: machine | sensor | feature_pipeline | model
    why: str = ""  # a sentence on how that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that could not be used: the original bytes, where they stand, and what to mend."""

    event_id: str
    reason: Reason
    sentence: str
    field: str  # the field at fault, "" where the record as a whole is
    fix: str
    origin: Origin
    key: bytes | None
    value: bytes | None  # at most 512 KiB
    value_size: int
    value_sha256: str
    headers: tuple[tuple[str, bytes | None], ...] = ()
