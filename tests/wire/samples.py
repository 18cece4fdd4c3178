"""One record of each kind, with every field set to something that is not its default."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foreshock.cases import Case, CasePart, PartKind
from foreshock.contract import (
    Acquisition,
    Anomaly,
    Asset,
    Bearing,
    Context,
    Contribution,
    DataQuality,
    DeadLetter,
    Decision,
    InputRange,
    Limit,
    Lineage,
    Measure,
    MeasuringPoint,
    Mode,
    Operand,
    Origin,
    Phase,
    QualityKind,
    Reason,
    RunState,
    Score,
    ScoreRow,
    ScoreState,
    SensorBlock,
    Tag,
    TelemetryFrame,
)
from foreshock.streams.codec.encode import Record

AT_NS = 1_780_000_000_123_456_789
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORIGIN = Origin(
    topic="sensors.v1",
    topic_id="q83vEjRWeJCrze8SNFZ4kA",
    partition=3,
    offset=41_234,
    ingest_ns=AT_NS + 250_000_000,
    schema="json",
    traceparent=TRACEPARENT,
    tracestate="gw=00f067aa0ba902b7",
)
RAW = replace(ORIGIN, schema="", traceparent=None, tracestate=None)
BLOCK = SensorBlock(
    origin=RAW,
    asset="pump-7",
    point="DE bearing",
    channels=("radial", "axial"),
    source_ns=AT_NS,
    sampling_rate_hz=25_600.0,
    quantity="acceleration",
    unit="[g]",
    samples=np.arange(-8, 8, dtype=np.int16).reshape(2, 8),
    scale=0.001,
    sequence=17,
    site="Nord",
    gateway="gw-1",
    device="acc-3",
    acquisition=Acquisition.SNAPSHOT,
    interval_s=600.0,
    flags=("calibration_due",),
    context=Context(speed_hz=24.8, load=0.75, regime="A", maintenance=True),
)
FRAME = TelemetryFrame(
    origin=RAW,
    asset="pump-7",
    point="process",
    tags=(
        Tag(name="oil", quantity="temperature", unit="Cel", gain=1.0, shift=273.15),
        Tag(name="gap", quantity="displacement", unit="[mil_i]", gain=2.54e-5, measure=Measure.PEAK_TO_PEAK),
    ),
    times_ns=np.array([AT_NS, AT_NS + 1_000_000_000, AT_NS + 2_000_000_000], np.int64),
    values=np.array([[61.5, 2.0], [61.75, np.nan], [62.0, 2.25]]),
    sequence=4,
    site="Nord",
    gateway="gw-1",
    device="plc",
    interval_s=1.0,
    context=Context(load=0.5),
)
ASSET = Asset(
    asset="pump-7",
    path=("Werk", "Nord", "Wasser", "L1"),
    asset_class="pump",
    criticality="high",
    owner="maintenance@example.org",
    rated_speed_hz=24.8,
    rated_power_w=55_000.0,
    support="rigid",
    warmup_blocks=40,
    warmup_s=3600.0,
    bearings=(Bearing(name="DE", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904, contact_angle_rad=0.1),),
    gear_teeth=(17, 43),
    points=(
        MeasuringPoint(
            point="DE bearing",
            quantity="acceleration",
            unit="[g]",
            sampling_rate_hz=25_600.0,
            acquisition=Acquisition.TRIGGERED,
            interval_s=60.0,
            axis="radial",
            mount="stud",
            sensor_model="AC-1",
            calibrated="2026-01-31",
            minimum=-490.0,
            maximum=490.0,
            limits=(Limit(feature="rms", above=30.0, below=0.5, severity="critical"),),
        ),
    ),
)
ROW = ScoreRow(
    source_ns=AT_NS,
    state=ScoreState.SCORED,
    reason="",
    value=1.25,
    p_value=0.001,
    alarm=True,
    run_state=RunState.RUNNING,
    features=(0.5, -1.25, 3.0e-5),
    trend=0.05,
)
SCORE = Score(
    score_id="a" * 32,
    asset="pump-7",
    point="DE bearing",
    origin=ORIGIN,
    mode=Mode.MODEL,
    rows=(
        ROW,
        replace(
            ROW, state=ScoreState.LATE, reason="late", value=None, p_value=None, alarm=False, features=(), trend=None
        ),
    ),
    quality=("late",),
    feature_set="full-1@0123456789abcdef",
    model="novelty-1",
    policy="budget-1",
    reference="pumps-3",
    regime="A",
    registered=True,
    warmup=1.0,
    learning="held: alarm",
    delayed_s=0.25,
)
# What most blocks become: scored, nothing to report.
ORDINARY_ROW = replace(ROW, value=0.4, p_value=0.31, alarm=False, features=(0.5, 1.5))
ORDINARY = replace(
    SCORE, mode=Mode.MODEL, rows=(ORDINARY_ROW,), quality=(), reference="", regime="", learning="learning"
)
ANOMALY = Anomaly(
    event_id="b" * 32,
    episode_id="c" * 32,
    phase=Phase.OPENED,
    asset="pump-7",
    point="DE bearing",
    site="Nord",
    gateway="gw-1",
    mode=Mode.STATIC_LIMIT,
    severity="warning",
    source_ns=AT_NS,
    ingest_ns=AT_NS + 250_000_000,
    started_ns=AT_NS - 60_000_000_000,
    score=1.25,
    initial_score=1.25,
    p_value=0.001,
    confidence=0.9,
    decision=Decision(rule="score > margin", operands=(Operand(name="margin", value=1.0),), result=True),
    contributions=(Contribution(feature="radial.rms", amount=1.25, value=30.5, expected=2.0, lower=1.0, upper=3.0),),
    hypothesis="outer race",
    lowered_by=("late",),
    run_state=RunState.STARTING,
    regime="A",
    lineage=Lineage(
        inputs=(InputRange(topic="sensors.v1", topic_id="q83v", partition=3, first=41_230, last=41_234, row=1),),
        schema="json",
        feature_set="full-1@0123456789abcdef",
        model="novelty-1",
        model_state="d" * 64,
        calibration="60 scores",
        reference="pumps-3",
        policy="budget-1",
        asset_record="0123456789abcdef",
        numeric_platform="x86_64/numpy/X86_V2",
        code="foreshock 0",
        evidence="e" * 64,
    ),
    trace_id="0af7651916cd43dd8448eb211c80319c",
    trend=-0.25,
)
QUALITY = DataQuality(
    event_id="e" * 32,
    asset="pump-7",
    point="DE bearing",
    channel="axial",
    kind=QualityKind.FROZEN,
    raised=True,
    source_ns=AT_NS,
    ingest_ns=AT_NS + 250_000_000,
    value=4096.0,
    limit=16.0,
    detail="4096 samples are equal",
    cause="sensor",
    ne107="failure",
    origin=ORIGIN,
    trace_id="0af7651916cd43dd8448eb211c80319c",
)
LETTER = DeadLetter(
    event_id="f" * 32,
    reason=Reason.UNKNOWN_UNIT,
    sentence="the unit 'gg' is not known for acceleration",
    field="unit",
    fix="did you mean 'g'?",
    origin=ORIGIN,
    key=b"pump-7",
    value=b"{\xff}",
    value_size=3,
    value_sha256="0" * 64,
    headers=(("traceparent", TRACEPARENT.encode()), ("empty", None)),
)
CASE = Case(
    event_id="b" * 32,
    asset="pump-7",
    point="DE bearing",
    origin=ORIGIN,
    key=b"pump-7",
    value=b"{}",
    headers=(("traceparent", TRACEPARENT.encode()), ("empty", None)),
    writer_schema='"string"',
    state=b"\x00state",
    score=b"\xc3\x01score",
    detection='{"profile": "full"}',
    reference='{"format": 1}',
    feature_set="full-1@0123456789abcdef",
    model="novelty-1",
    policy="budget-1",
    numeric_platform="x86_64/numpy/X86_V2",
    code="foreshock 0",
)
PART = CasePart(
    event_id="b" * 32,
    kind=PartKind.BEFORE,
    number=41_230,
    count=2,
    origin=ORIGIN,
    key=b"pump-7",
    value=b"\x00",
    headers=(("empty", None),),
    sha256="0" * 64,
    note="none",
)
RECORDS: dict[str, Record] = {
    "SensorBlock": BLOCK,
    "TelemetryFrame": FRAME,
    "Asset": ASSET,
    "Score": SCORE,
    "Anomaly": ANOMALY,
    "DataQuality": QUALITY,
    "DeadLetter": LETTER,
    "Case": CASE,
    "CasePart": PART,
}


def fields_of(block: SensorBlock | TelemetryFrame) -> dict[str, object]:
    """Fields of a block that can be compared: arrays as lists, NaN as None, without the origin's schema."""
    found = {}
    for name in type(block).__slots__:
        value = getattr(block, name)
        if isinstance(value, np.ndarray):
            value = [None if each != each else each for each in value.reshape(-1).tolist()]  # noqa: PLR0124
        found[name] = replace(value, schema="") if isinstance(value, Origin) else value
    return found
