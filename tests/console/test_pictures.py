"""Pictures of a block: a line stands where its sine is, no peak is lost, and marks are those of the geometry."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import orjson
import pytest

from foreshock.contract import Bearing, Limit
from foreshock.features.catalog import FULL
from foreshock.streams.console import features
from foreshock.streams.console.letters import dump
from foreshock.streams.console.reading import runs
from foreshock.streams.console.spectra import amplitudes, channel, column, lines, markers, waveform
from foreshock.streams.console.waterfall import packed
from tests.wire import samples

RATE = 12_800.0


def sine(hz: float, amplitude: float = 2.0, n: int = 4096) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(n) / RATE)).astype(np.float32)


def test_a_sine_stands_at_its_frequency_with_its_amplitude():
    """Whatever the width of the picture, the line that is shown is the largest of its stretch, at its own place."""
    found = channel(sine(800.0), RATE, 200)
    hz, amplitude = found["spectrum"]["hz"], found["spectrum"]["amplitude"]
    top = int(np.argmax(amplitude))

    assert len(hz) == 200
    assert hz[top] == pytest.approx(800.0, abs=RATE / 4096)
    assert amplitude[top] == pytest.approx(2.0, rel=0.01)
    assert found["rms"] == pytest.approx(2.0 / np.sqrt(2), rel=1e-3)
    assert found["crest"] == pytest.approx(np.sqrt(2), rel=1e-3)
    assert found["kurtosis"] == pytest.approx(1.5, rel=1e-2)


def test_no_peak_of_a_waveform_is_lost():
    """One sample that sticks out is in the picture, however narrow that is."""
    x = sine(50.0)
    x[1234] = 99.0

    found = waveform(x, RATE, 100)

    assert found["max"].max() == 99.0
    assert len(found["t_s"]) == 100
    assert (found["min"] <= found["max"]).all()


def test_the_envelope_shows_the_rhythm_of_blows():
    """A resonance that is struck 90 times a second has a line at 90 Hz in the spectrum of its envelope."""
    t = np.arange(8192) / RATE
    blows = sine(3000.0, 1.0, 8192) * (1.0 + 0.9 * np.sin(2 * np.pi * 90.0 * t)).astype(np.float32)
    noise = 0.05 * np.random.default_rng(1).normal(size=8192).astype(np.float32)

    found = channel(blows + noise, RATE, 800)["envelope"]

    assert found["hz"][int(np.argmax(found["amplitude"]))] == pytest.approx(90.0, abs=2.0)
    assert found["band_hz"][0] <= 3000.0 <= found["band_hz"][1]


@pytest.mark.parametrize("x", [np.zeros(4096, np.float32), np.full(16, 3.0, np.float32), np.ones(5, np.float32)])
def test_a_dead_or_short_signal_is_json_too(x):
    """A constant block has no crest factor; nothing of it is NaN."""
    tree = json.loads(orjson.dumps(channel(x, RATE, 50), option=orjson.OPT_SERIALIZE_NUMPY))

    assert tree["crest"] is None
    assert None not in tree["spectrum"]["amplitude"]


def test_markers_follow_from_geometry_and_speed():
    """The speed that the block states, else the rated one; three harmonics of each fault, gears by their teeth."""
    bearing = Bearing(name="6205", balls=9, ball_diameter_m=0.00794, pitch_diameter_m=0.03904)
    pump = replace(samples.ASSET, bearings=(bearing,), gears=(), gear_teeth=(21,), rated_speed_hz=25.0)

    stated, basis = markers(pump, 30.0)
    rated, other = markers(pump, None)

    outer = next(each for each in stated if each["name"] == "BPFO")
    assert outer["hz"] == pytest.approx(9 / 2 * 30.0 * (1 - 0.00794 / 0.03904))
    assert [each["harmonic"] for each in stated if each["name"] == "BPFI"] == [1, 2, 3]
    assert next(each for each in stated if each["name"] == "GMF")["hz"] == 21 * 30.0
    assert (basis, other) == ("stated", "rated")
    assert rated[0]["hz"] == 25.0
    assert markers(None, None) == ([], "")


def test_a_spectrogram_is_bytes_between_dark_and_bright():
    """One byte a value, column after column; the brightest is where the sine is."""
    columns = np.stack([column(sine(800.0 + 100 * i), 128) for i in range(5)])

    found = packed(columns)
    levels = np.frombuffer(base64.b64decode(found["data"]), np.uint8).reshape(5, 128)

    assert levels.max() == 255
    for i, row in enumerate(levels):
        assert int(np.argmax(row)) == pytest.approx((800 + 100 * i) / (RATE / 2) * 128, abs=1)
    assert found["low"] < found["high"]
    assert len(column(np.zeros(16, np.float32), 128)) == 128


def test_lines_are_never_more_than_there_are():
    """A short block has few lines."""
    found = lines(amplitudes(np.ones(20)), 1.0, 500)

    assert len(found["hz"]) == 11


def given(values, usual=None):
    values = np.array(values, np.float64)
    usual = np.ones(len(values), bool) if usual is None else usual
    return features.Read(np.arange(len(values)) * 1000.0, values, usual, FULL.id)


ABOUT = ("pump-7", "de", (0.0, 100_000.0), 50)


def test_features_stand_against_what_the_model_expected():
    """What moved most at the last anomaly comes first, with the bounds that the model said then."""
    names = FULL.names(("x",))
    values = np.tile(np.arange(len(names), dtype=float), (60, 1))
    part = {"feature": "band_07[x]", "amount": 1.0, "expected": 1.0, "lower": 0.5, "upper": 1.5}

    found = features.tree(given(values), names, (), {"event_id": "ab" * 16, "contributions": [part]}, None, ABOUT)

    first = found["features"][0]
    assert (first["name"], first["lower"], first["upper"], first["band_from"]) == (
        "band_07[x]",
        0.5,
        1.5,
        "anomaly abababab",
    )
    assert [each["name"] for each in found["features"]][1:] == ["rms[x]", "peak[x]", "crest[x]", "kurtosis[x]"]
    assert len(found["t_ms"]) <= 50


def test_without_an_anomaly_healthy_rows_say_what_is_usual():
    """Rows of a machine that was starting, or in alarm, count for nothing; stated limits stand beside."""
    names = FULL.names(("x",))
    values = np.ones((40, len(names)))
    values[20:] = 100.0
    point = replace(samples.ASSET.points[0], point="de", limits=(Limit(feature="rms", above=7.1),))
    master = replace(samples.ASSET, points=(point,))

    found = features.tree(given(values, np.arange(40) < 20), names, ("rms[x]",), None, master, ABOUT)["features"][0]

    assert (found["expected"], found["band_from"]) == (1.0, "healthy values shown")
    assert found["max"].max() == 100.0
    assert found["limits"] == [{"above": 7.1, "below": None, "severity": "warning"}]


def test_columns_are_named_after_the_channels_that_are_known():
    """Of another release's features nothing is told; where channels are not known they are numbered."""
    assert features.names_of(FULL.id, 2 * FULL.per_channel, ("x", "y"))[FULL.per_channel] == "rms[y]"
    assert features.names_of(FULL.id, FULL.per_channel, ("x", "y"))[0] == "rms[1]"
    with pytest.raises(Exception, match="release"):
        features.names_of("full-v0@00", 10, ("x",))


def test_bytes_are_shown_as_people_read_them():
    """Offset and hexadecimal, and what can be printed; nothing that a page could take for its own."""
    found = dump(b"\xc3\x01<script>alert(1)</script>\x00")

    assert found["hex"][0].startswith("000000  c3 01 3c 73")
    assert found["ascii"][0].startswith("..<script>")
    assert len(found["hex"]) == 2


def test_offsets_that_are_near_are_read_together():
    """Records between two that are wanted are read too, where they are few."""
    assert list(runs([1, 2, 20, 100, 101, 500], near=20)) == [(1, 20), (100, 101), (500, 500)]
    assert list(runs([])) == []
