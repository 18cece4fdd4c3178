"""`foreshock assets classes`, `check` and `show` without a broker, and files of assets with their mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from foreshock.classes.sources import shipped
from foreshock.cli.asset_files import read_assets
from foreshock.cli.assets import app
from foreshock.errors import ConfigurationError

PUMP = """
[[assets]]
asset = "pump-1"
asset_class = "pump"
rated_speed_hz = 24.8
power_group = "2"
support = "rigid"

[[assets.shafts]]
name = "pump"

[[assets.impellers]]
name = "wheel"
blades = 5
shaft = "pump"

[[assets.points]]
point = "DE"
quantity = "acceleration"
unit = "g"
hears = ["wheel"]

[assets.points.tachometer]
channel = "tacho"

[[assets]]
asset = "mixer-1"
asset_class = "mixer"

[[assets.points]]
point = "DE"
quantity = "velocity"
unit = "mm/s"
features = ["rms", "loudness"]
"""
BAD = """
[[assets]]
asset = "pump-1"
criticality = "huge"

[[assets]]
asset = "pump-2"

[[assets.points]]
point = "DE"
quantity = "acceleration"
unit = "g"

[[assets.points.bands]]
name = "pass"
low = 5
high = 4

[[assets]]
asset = "pump-3"
gears = [
  {name = "a", teeth = 20},
  {name = "b", teeth = 0},
]

[[assets]]
asset = "pump-4"

[[assets]]
asset = "pump-4"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "assets.toml").write_text(PUMP, encoding="utf-8")
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(app, arguments)


def test_classes_are_listed_with_where_they_come_from(folder: Path) -> None:
    """Those that ship, and what the settings put in their place."""
    (folder / "foreshock.toml").write_text('[classes.pump]\nextends = "pump"\nsupport = "rigid"\n')

    told = {each["name"]: each for each in map(json.loads, run("classes", "--json").output.splitlines())}

    assert set(told) == set(shipped())
    assert (told["pump"]["ships"], told["fan"]["ships"]) == (False, True)
    assert told["fan"]["id"] == shipped()["fan"].id
    shown = run("classes", "pump").output
    assert "support rigid" in shown
    assert "band once: 0.9 to 1.1 x the speed" in shown
    assert "limit: bearing_temperature above 363.15 (SI) is warning" in shown
    assert "moulding_machine" in run("classes").output
    assert "known: compressor" in str(run("classes", "pmup").exception)


def test_sound_files_say_what_classes_add_and_what_is_missing(folder: Path) -> None:
    """Nothing is sent; a class that is not there, a feature that is none and missing geometry are told."""
    shown = run("check", "assets.toml").output

    assert f"pump-1: sound, {shipped()['pump'].id}" in shown
    assert "a diagnosis would need: bearings" in shown
    assert "there is no class 'mixer'" in shown
    assert "no feature is called 'loudness'" in shown
    assert "2 assets and 6 classes are sound" in shown
    told = [json.loads(line) for line in run("check", "assets.toml", "--json").output.splitlines()]
    assert told[0]["missing"] == ["bearings"]
    assert told[1]["unknown_features"] == ["loudness"]


def test_what_a_machine_is_judged_by_is_shown(folder: Path) -> None:
    """Master data with what its class adds, and the zones that hold."""
    shown = run("show", "pump-1", "--file", "assets.toml").output

    for each in (
        f"completed by {shipped()['pump'].id}",
        "impeller wheel, blades 5, shaft pump",
        "band below_once: 0.2 to 0.8 x the speed",
        "zones A/B/C/D end at 1.4/2.8/4.5 mm/s RMS, ISO 20816-3",
        "tachometer on tacho, 1 pulses a turn",
        "hears wheel",
    ):
        assert each in shown
    told = json.loads(run("show", "pump-1", "--file", "assets.toml", "--json").output)
    assert told["class_record"] == shipped()["pump"].id
    assert told["missing"] == ["bearings"]
    assert run("show", "pump-9", "--file", "assets.toml").exit_code == 1


def test_all_mistakes_of_assets_and_classes_are_told_at_once_with_their_lines(folder: Path) -> None:
    """One line each: file, line, asset, field, what is wrong and what to give."""
    (folder / "bad.toml").write_text(BAD, encoding="utf-8")
    (folder / "foreshock.toml").write_text('[classes.pump]\nsuport = "rigid"\n')

    told = str(run("check", "bad.toml").exception).splitlines()

    assert told == [
        "foreshock.toml:2: classes.pump.suport is no key here; did you mean support?",
        "bad.toml:4: asset 1: criticality: criticality is 'huge'. send one of 'low', 'medium', 'high'",
        "bad.toml:16: asset 2: points[0].bands[0].low: the band goes from 5 to 4. give 0 <= low < high",
        "bad.toml:23: asset 3: gears[1].teeth: teeth is 0. give the number of teeth",
        "bad.toml: asset 5: pump-4 is in bad.toml twice. Keep one: the last one would count",
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "asset = \n", "a.toml:1: not valid TOML"),
        ("a.json", '{"asset": "a", "clas": "pump"}', "did you mean asset_class?"),
        ("a.yaml", "asset: a", "known: .toml, .json"),
        ("none.toml", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(folder: Path, name: str, text: str | None, says: str) -> None:
    """With its name."""
    if text is not None:
        (folder / name).write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=says.replace(".", r"\.").replace("?", r"\?")):
        read_assets(Path(name))
