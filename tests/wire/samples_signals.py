"""A sample of each record that a measurement window becomes."""

from __future__ import annotations

from foreshock.signals import Diagnosis, Ended, FeatureVector, Line, SpeedSource
from foreshock.vocabulary import RunState
from tests.wire.origins import AT_NS, ORIGIN

VECTOR = FeatureVector(
    vector_id="5" * 32,
    asset="pump-7",
    point="DE bearing",
    site="Nord",
    gateway="gw-1",
    origin=ORIGIN,
    first_offset=41_230,
    channels=("radial", "axial"),
    from_ns=AT_NS - 1_600_000_000,
    until_ns=AT_NS,
    sampling_rate_hz=25_600.0,
    samples=40_960,
    ended=Ended.COMPLETE,
    run_state=RunState.RUNNING,
    speed_hz=24.8,
    speed_source=SpeedSource.CONTEXT,
    load=0.75,
    feature_set="signal-v1@0123456789abcdef",
    names=("rms[radial]", "mesh_17[radial]", "rms[axial]", "mesh_17[axial]"),
    units=("m/s2", "m/s2", "m/s2", "m/s2"),
    values=(1.25, None, 0.1 + 0.2, -3.0e-5),
    masks=("", "no_geometry", "", ""),
    zone="B",
    trace_id="0af7651916cd43dd8448eb211c80319c",
    regime="A",
)
DIAGNOSIS = Diagnosis(
    diagnosis_id="6" * 32,
    vector_id="5" * 32,
    asset="pump-7",
    point="DE bearing",
    site="Nord",
    gateway="gw-1",
    channel="radial",
    origin=ORIGIN,
    first_offset=41_230,
    from_ns=AT_NS - 1_600_000_000,
    until_ns=AT_NS,
    fault="outer_race",
    former="",
    component="DE",
    family="BPFO",
    lines=(Line(name="2xBPFO", expected_hz=177.6, found_hz=176.5, amplitude=0.5, background=0.0625),),
    unit="m/s2",
    amplitude=0.75,
    baseline=0.25,
    prominence=8.0,
    confidence=0.9,
    speed_hz=24.8,
    speed_source=SpeedSource.CONTEXT,
    sentence="outer race of DE: 2 harmonics of BPFO, 3.0 x baseline",
    mask="",
    method="envelope-v1@0123456789abcdef",
    trace_id="0af7651916cd43dd8448eb211c80319c",
)
