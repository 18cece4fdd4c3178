"""`foreshock features plot`: a recording as a picture, and what is said where there is none to draw."""

from __future__ import annotations

import json
import struct
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from foreshock.cli.features import app
from foreshock.errors import ConfigurationError
from foreshock.streams.errands.recorded import recorded
from foreshock.streams.wire import Encoder
from tests.wire.samples import BLOCK, FRAME

RATE_HZ, SAMPLES, SPEED_HZ = 12_000.0, 8192, 29.95
BPFI = 5.415  # turns of the shaft, of the bearing below
MASTER = """
asset = "motor-1"
asset_class = "motor"
rated_speed_hz = 29.95

[[bearings]]
name = "6205"
balls = 9
ball_diameter_m = 0.00794
pitch_diameter_m = 0.03904

[[points]]
point = "drive end"
quantity = "acceleration"
unit = "g"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten blocks of two channels with an inner race fault in one, and a table."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((10, SAMPLES, 2)).astype(np.float32) * 0.05
    at = np.arange(SAMPLES) / RATE_HZ
    since = at % (1 / (BPFI * SPEED_HZ))
    x[:, :, 0] += (np.exp(-since * 900) * np.sin(2 * np.pi * 3500 * since)).astype(np.float32)
    np.savez(tmp_path / "motor.npz", x=x, t=np.arange(10) * 60.0)
    (tmp_path / "boiler.csv").write_text(
        "t,oil,flow\n" + "".join(f"{i},{60 + i % 7},{3 * i}\n" for i in range(300)), encoding="utf-8"
    )
    motor = {"id": "motor-1", "kind": "blocks", "file": "motor.npz", "rows": 10, "columns": ["DE", "NDE"]}
    boiler = {"id": "boiler", "kind": "table", "file": "boiler.csv", "rows": 300, "columns": ["oil", "flow"]}
    measured = {"point": "drive end", "quantity": "acceleration", "unit": "g"}
    series = [{**motor, **measured, "fs": RATE_HZ, "warmup": 4}, {**boiler, "fs": None, "warmup": 20}]
    (tmp_path / "manifest.json").write_text(json.dumps({"protocol": 1, "series": series}), encoding="utf-8")
    (tmp_path / "motor.toml").write_text(MASTER, encoding="utf-8")
    return tmp_path


def plot(*arguments: object):
    return CliRunner().invoke(app, ["plot", *map(str, arguments)], catch_exceptions=True)


def texts(picture: Path) -> str:
    """All words of a picture."""
    return " | ".join(
        "".join(each.itertext()).strip() for each in ET.parse(picture).iter() if each.tag.endswith("text")
    )


@pytest.mark.slow
def test_a_waveform_becomes_four_pictures(folder: Path) -> None:
    """Waveform, spectrum, envelope and trend, with units and with the marks of the machine's parts."""
    out = folder / "a.svg"

    told = plot(folder, "--out", out, "--assets", folder / "motor.toml", "--feature", "kurtosis", "--json")

    assert told.exit_code == 0, told.output
    said, words = json.loads(told.output), texts(out)
    assert (said["asset"], said["point"], said["records"], said["left_out"]) == ("motor-1", "drive end", 10, 0)
    assert said["envelope_band_hz"][0] <= 3500 <= said["envelope_band_hz"][1]
    for each in ("Waveform", "Spectrum", "Envelope spectrum, band", "Trend of kurtosis", "Hz", "m/s2", "min since"):
        assert each in words
    assert "BPFI of 6205 (inner race)" in words
    assert "channel DE, record 9 of 10" in words


def test_the_same_recording_gives_the_same_bytes(folder: Path) -> None:
    """A picture in a report can be made again."""
    first, second = folder / "a.svg", folder / "b.svg"

    assert plot(folder / "motor.npz", "--out", first).exit_code == plot(folder, "--out", second).exit_code == 0
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_png_is_written_by_its_name(folder: Path) -> None:
    """A file that any program opens, wide enough to read."""
    out = folder / "a.png"

    assert plot(folder, "--out", out, "--channel", "NDE", "--block", "0", "--feature", "velocity_rms").exit_code == 0
    data = out.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1440, 960)


@pytest.mark.slow
def test_telemetry_shows_its_tags(folder: Path) -> None:
    """One line for each tag; the file may be named instead of the folder."""
    out = folder / "a.svg"

    assert plot(folder / "boiler.csv", "--out", out).exit_code == 0
    assert "oil" in texts(out)
    assert "flow" in texts(out)


def test_blocks_as_they_are_sent_are_read_too(tmp_path: Path) -> None:
    """JSON lines or Avro; what is of another layout is left out and counted."""
    sent = [replace(BLOCK, sequence=i, source_ns=BLOCK.source_ns + i * 10**9) for i in range(3)]
    encoder = Encoder("json")
    lines = [encoder.encode(each) for each in (*sent, replace(BLOCK, point="NDE"), replace(FRAME, asset="boiler"))]
    (tmp_path / "blocks.jsonl").write_bytes(b"\n".join(lines))
    (tmp_path / "block.avro").write_bytes(Encoder().encode(BLOCK))

    found = recorded(tmp_path / "blocks.jsonl")

    assert [each.sequence for each in found.blocks] == [0, 1, 2]
    assert found.left_out == 2
    assert recorded(tmp_path / "block.avro").blocks[0].point == "DE bearing"
    assert recorded(tmp_path / "blocks.jsonl", "boiler").frames[0].tags == FRAME.tags
    assert plot(tmp_path / "blocks.jsonl", "--out", tmp_path / "a.svg").exit_code == 0  # sixteen samples: no envelope
    assert "too few samples" in texts(tmp_path / "a.svg")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("{}", "--out", "{}/a.gif"), "ends with .png or .svg"),
        (("{}", "--out", "{}/no/a.svg"), "No such file"),
        (("{}", "--out", "{}/a.svg", "--channel", "z"), "known: DE, NDE"),
        (("{}", "--out", "{}/a.svg", "--block", "10"), "there are 10 records"),
        (("{}", "--out", "{}/a.svg", "--feature", "curtosis"), "did you mean kurtosis?"),
        (("{}", "--out", "{}/a.svg", "--asset", "pump"), "holds nothing of 'pump'"),
        (("{}/motor.toml", "--out", "{}/a.svg"), "record 1"),
        (("{}/other.npz", "--out", "{}/a.svg"), "names no file other.npz"),
        (("{}", "--out", "{}/a.svg", "--assets", "{}/fan.toml"), "holds no asset 'motor-1'"),
    ],
)
def test_what_cannot_be_drawn_is_said(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    """One sentence, with what to give instead."""
    (folder / "other.npz").write_bytes(b"")
    (folder / "fan.toml").write_text('asset = "fan"\n', encoding="utf-8")

    told = plot(*(each.replace("{}", str(folder)) for each in arguments))

    assert isinstance(told.exception, ConfigurationError)
    assert says in str(told.exception)


def test_without_matplotlib_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A production install draws nothing, and says what would."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    told = plot(folder, "--out", folder / "a.svg")

    assert "pip install foreshock[plot]" in str(told.exception)
