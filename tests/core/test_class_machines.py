"""What a class gives, in the Fleet: features, bands, limits and parts of a machine that said nothing of them itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foreshock.alerts.documents import read
from foreshock.classes.completing import completed
from foreshock.classes.reading import classes_of_tables
from foreshock.classes.sources import read_classes, shipped
from foreshock.contract import Asset, MeasuringPoint, Mode, Phase
from foreshock.fleet import Fleet, FleetSpec
from tests.core.test_scalars import SPEC, process
from tests.core.test_scalars import run as run_frames
from tests.core.window_builders import POINT, PUMP, run, values, vectors, wave

MIXER = """
[classes.mixer]
extends = "pump"

[[classes.mixer.gears]]
name = "drive"
teeth = 7

[[classes.mixer.points]]
quantities = ["acceleration"]

[[classes.mixer.points.limits]]
feature = "velocity_rms"
above = 0.001
severity = "critical"
"""


def mixers():
    problems = []
    found = classes_of_tables("foreshock.toml", read("x.toml", MIXER).value["classes"], problems)
    assert problems == []
    return read_classes(own=found)


def test_vectors_carry_what_the_class_lists_and_the_bands_that_it_gives() -> None:
    """The pump of the product: its features, its bands by name, and nothing else."""
    kind = shipped()["pump"]
    asset = completed(replace(PUMP, asset_class="pump"), shipped())

    (vector,) = vectors(run([asset, *(wave(i) for i in range(7))]))

    names = [name.removesuffix("[x]") for name in vector.names]
    assert set(names) == {*kind.points[0].features, *(f"rms_{band.name}" for band in kind.points[0].bands)}
    found = values(vector)
    assert found["rms_twice[x]"] == pytest.approx(2**-0.5, rel=0.05)  # a sine of 50 Hz at a speed of 25 Hz
    assert found["rms_once[x]"] < 0.1


def test_a_limit_of_the_class_raises_an_anomaly_that_names_the_class() -> None:
    """A sine of 1 m/s2 at 50 Hz is 2.25 mm/s RMS; the limit is 1 mm/s, on a feature that only a window has."""
    asset = completed(replace(PUMP, asset_class="mixer"), mixers())

    outcomes = run([asset, *(wave(i) for i in range(40))], FleetSpec(warmup_blocks=60, features_every_s=0.0))

    told = [each for outcome in outcomes for each in outcome.anomalies if each.phase is Phase.OPENED]
    assert [(each.mode, each.severity) for each in told] == [(Mode.STATIC_LIMIT, "critical")]
    assert told[0].score == pytest.approx(1e3 / (2 * np.pi * 50) / 2**0.5, rel=0.05)
    assert told[0].lineage.asset_record.endswith(f"+{mixers()['mixer'].id}")


def test_parts_of_the_class_are_those_of_the_machine() -> None:
    """A gear that the class has is looked for at the speed of the shaft; the rms of its line is told."""
    asset = completed(replace(PUMP, asset_class="mixer"), mixers())
    blocks = [wave(i, hz=7 * 25.0) for i in range(7)]

    (vector,) = vectors(run([replace(asset, points=(replace(POINT, features=("mesh",)),)), *blocks]))

    assert values(vector)["mesh[x]"] == pytest.approx(2**-0.5, rel=0.05)


def test_the_list_of_a_waveform_leaves_telemetry_alone() -> None:
    """A point of the same quantity whose values come as frames has the whole set: the list names none of it."""
    point = MeasuringPoint(point="process", quantity="velocity", unit="m/s")
    bare = Asset(asset="pump-1", rated_speed_hz=25.0, points=(point,))
    asset = completed(replace(bare, asset_class="pump"), shipped())
    frames = [process(k) for k in range(10)]

    assert asset.points[0].features
    assert (
        run_frames(Fleet(SPEC, assets=[asset]), frames)[0].names
        == run_frames(Fleet(SPEC, assets=[bare]), frames)[0].names
    )
