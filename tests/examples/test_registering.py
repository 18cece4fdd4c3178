"""Registering assets and sending history, by the commands, through the real topics."""

import json

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PUMP = """
asset = "pump-toml"
asset_class = "pump"
path = ["acme", "north"]
criticality = "high"
warmup_blocks = 12

[[points]]
point = "drive-end"
quantity = "acceleration"
unit = "g"

[[points.limits]]
feature = "rms"
above = 12.0
"""


def listed(plant) -> dict[str, dict]:
    """What `foreshock assets list` says, by asset."""
    lines = plant.foreshock("assets", "list", "--json").splitlines()
    return {entry["asset"]: entry for entry in map(json.loads, lines)}


def test_assets_are_registered_by_file_and_by_options_and_listed(plant, tmp_path):
    """A TOML file, a JSON list and options all end in the list; a later record takes the place of an earlier one."""
    (tmp_path / "pump.toml").write_text(PUMP, encoding="utf-8")
    (tmp_path / "fans.json").write_text('{"assets": [{"asset": "fan-1"}, {"asset": "fan-2"}]}', encoding="utf-8")

    plant.foreshock("assets", "register", tmp_path / "pump.toml")
    plant.foreshock("assets", "register", tmp_path / "fans.json")
    plant.foreshock("assets", "register", "--asset", "fan-2", "--owner", "mechanics", "--path", "acme/north/hall-2")

    found = listed(plant)
    assert found["pump-toml"]["points"][0]["unit"] == "[g]"
    assert found["pump-toml"]["points"][0]["limits"][0]["above"] == 12.0
    assert (found["fan-1"]["owner"], found["fan-2"]["owner"]) == ("", "mechanics")
    assert found["fan-2"]["path"] == ["acme", "north", "hall-2"]
    assert "pump-toml" in plant.foreshock("assets", "list")
    assert found["pump-toml"]["class_record"].startswith("pump@")
    assert [band["name"] for band in found["pump-toml"]["points"][0]["bands"]][:2] == ["once", "twice"]
    shown = plant.foreshock("assets", "show", "pump-toml")
    assert "limit: rms above 12 (SI) is warning" in shown
    assert "completed by pump@" in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"asset": "a", "clas": "pump"}', "asset_class"),
        ('{"asset": "a", "criticality": "huge"}', "'low', 'medium', 'high'"),
        ('{"asset": "a", "warmup_blocks": 0}', "at least 1"),
        ("{", "Expecting property name"),
        ("[1]", "object"),
    ],
)
def test_wrong_asset_is_refused_with_the_fix_and_nothing_is_sent(plant, tmp_path, text, words):
    """The file's mistakes are told as the worker would tell them; exit code 2."""
    (tmp_path / "wrong.json").write_text(text, encoding="utf-8")

    told = plant.foreshock("assets", "register", tmp_path / "wrong.json", code=2)

    assert words in told
    assert "a" not in listed(plant)


def test_backfilled_history_warms_the_model(plant, tmp_path):
    """After `backfill` of more blocks than the warm-up needs, the next block of the machine has a score."""
    rng = np.random.default_rng(7)
    rows = np.round(rng.standard_normal(40 * 1024), 4)
    (tmp_path / "history.csv").write_text("x\n" + "\n".join(map(str, rows)) + "\n", encoding="utf-8")
    place = ["--asset", "history-1", "--unit", "m/s2"]

    plant.foreshock("assets", "register", "--asset", "history-1", "--warmup-blocks", "20")
    told = plant.foreshock("backfill", tmp_path / "history.csv", *place, "--rate", "12800", "--samples", "1024")

    assert "40 blocks of 1024 samples of history-1, drive-end (acceleration)" in told
    scores = plant.records("scores.v1", "history-1", 40)
    states = [row["state"] for score in scores for row in score["rows"]]
    assert states == ["warming"] * 20 + ["scored"] * 20


def test_backfilled_table_becomes_rows(plant, tmp_path):
    """A table of slow values is sent as frames: each of its rows has an outcome, at the time the file says."""
    lines = [f"2024-05-01T00:{minute:02d}:00Z,{20 + minute % 3}" for minute in range(60)]
    (tmp_path / "t.csv").write_text("time,bearing\n" + "\n".join(lines) + "\n", encoding="utf-8")
    place = ["--asset", "history-2", "--point", "process", "--quantity", "temperature", "--unit", "degC"]

    plant.foreshock("backfill", tmp_path / "t.csv", *place, "--json")

    (score,) = plant.records("scores.v1", "history-2", 1)
    assert len(score["rows"]) == 60
    assert np.diff([row["source_ns"] for row in score["rows"]]).tolist() == [60_000_000_000] * 59


def test_block_that_is_too_large_is_refused_before_it_is_sent(plant, tmp_path):
    """A block above the topic's limit is one line that says what to do; exit code 2."""
    (tmp_path / "long.csv").write_text("x\n" + "1.5\n" * 400_000, encoding="utf-8")
    place = ["--asset", "history-3", "--point", "de", "--quantity", "acceleration", "--unit", "m/s2"]

    told = plant.foreshock("backfill", tmp_path / "long.csv", *place, "--rate", "1000", "--samples", "400000", code=2)

    assert "send fewer samples" in told
