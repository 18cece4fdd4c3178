"""What the settings of detection become is the same for the worker and for every command."""

import ast
import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from foreshock.cli import app
from foreshock.detection import reference_of, spec_of
from foreshock.detectors.reference import Reference
from foreshock.settings import DetectionSettings, FeatureSettings, Settings, load

ROOT = Path(__file__).parents[2]
OTHER = {
    "profile": "lean",
    "budget": 0.1,
    "warmup_blocks": 20,
    "warmup_s": 30.0,
    "hold_s": 5.0,
    "horizon_s": 60.0,
    "reference": "reference.json",
    "river": "OneClassSVM",
    "silent_intervals": 5.0,
    "silent_s": 60.0,
}

WINDOWS = {"enabled": False, "every_s": 10.0, "window_s": 2.0}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory with a recording of 30 rows of two tags in `recordings`."""
    monkeypatch.chdir(tmp_path)
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    rows = [f"{i},{a!r},{b!r}" for i, (a, b) in enumerate(np.random.default_rng(3).normal(size=(30, 2)).tolist())]
    (recordings / "t.csv").write_text("\n".join(["t,a,b", *rows]) + "\n")
    series = {"id": "t", "file": "t.csv", "kind": "table", "rows": 30, "warmup": 15, "fs": None, "columns": ["a", "b"]}
    (recordings / "manifest.json").write_text(json.dumps({"protocol": 1, "series": [series]}))
    Reference("", 1, "none", (), (), ()).save(tmp_path / "reference.json")
    return tmp_path


def evaluated(*more, env=None):
    """What `foreshock evaluate` says that it computed with: model, policy, reference."""
    command = ["evaluate", "--in", "recordings", "--out", "scores", "--json", *more]
    result = CliRunner().invoke(app, command, env=env)
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    return said["model"], said["policy"], said["reference"]


def of_worker(env=None):
    """What `foreshock worker` computes with in the same directory and environment."""
    settings = load(env=env or {})
    spec, reference = spec_of(settings), reference_of(settings)
    return spec.model_name, spec.waveform_policy_name, reference.id if reference else ""


@pytest.mark.parametrize("key", [field.name for field in fields(DetectionSettings)])
def test_no_setting_is_lost_on_the_way(key, folder):
    """Each key of [detection], set to something else, changes the spec or the reference."""
    settings = replace(Settings(), detection=replace(DetectionSettings(), **{key: OTHER[key]}))

    assert (spec_of(settings), reference_of(settings)) != (spec_of(Settings()), None)


@pytest.mark.parametrize("key", [field.name for field in fields(FeatureSettings)])
def test_no_setting_of_features_is_lost_on_the_way(key):
    """Each key of [features], set to something else, changes the spec."""
    settings = replace(Settings(), features=replace(FeatureSettings(), **{key: WINDOWS[key]}))

    assert spec_of(settings) != spec_of(Settings())


def test_evaluate_and_worker_read_the_same_file(folder):
    """With nothing but a settings file, both have the same model, policy and reference."""
    (folder / "foreshock.toml").write_text(
        '[detection]\nprofile = "lean"\nbudget = 0.1\nreference = "reference.json"\nriver = "OneClassSVM"\n'
    )

    assert evaluated() == of_worker()
    assert evaluated() != (spec_of(Settings()).model_name, spec_of(Settings()).waveform_policy_name, "")


def test_environment_and_flags_win_over_the_file(folder):
    """The same precedence as everywhere: flags, environment, file."""
    (folder / "foreshock.toml").write_text('[detection]\nprofile = "lean"\nbudget = 10.0\n')
    env = {"FORESHOCK_DETECTION__BUDGET": "0.1"}

    assert evaluated(env=env) == of_worker(env)
    assert evaluated("--budget", "0.01", "--profile", "full", env=env) == of_worker(
        {"FORESHOCK_DETECTION__BUDGET": "0.01", "FORESHOCK_DETECTION__PROFILE": "full"}
    )


def test_a_wrong_setting_stops_evaluate(folder):
    """A key that the worker would refuse is refused here too."""
    (folder / "foreshock.toml").write_text("[detection]\nbudged = 1.0\n")
    result = CliRunner().invoke(app, ["evaluate", "--in", "recordings", "--out", "scores"])

    assert result.exit_code != 0
    assert "budged" in str(result.exception)


def test_one_place_makes_a_spec():
    """No module of the product but foreshock/detection.py calls FleetSpec: a second door could differ silently."""
    doors = {
        str(path.relative_to(ROOT))
        for part in ("foreshock", "streams", "detectors", "features")
        for path in (ROOT / part).rglob("*.py")
        if not any(parent.is_symlink() for parent in path.parents)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "FleetSpec"
    }

    # the one besides has the settings of a case file
    assert doors - {"streams/cases/reading.py"} == {"foreshock/detection.py"}
