"""`foreshock evaluate` writes protocol 1 and the same with any reference it wrote itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from foreshock.alerts.default import TEXT as DEFAULT
from foreshock.cli import app
from tests.core.builders import machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine that fails after 60 blocks, and a table."""
    path = tmp_path_factory.mktemp("recordings")
    x = np.stack([machine(i, fault=1.5 if i >= 60 else 0.0).T for i in range(80)])
    np.savez(path / "m.npz", x=x, t=np.arange(80.0))
    rng = np.random.default_rng(3)
    rows = [f"{i},{a!r},{b!r}" for i, (a, b) in enumerate(rng.normal(size=(60, 2)).tolist())]
    (path / "t.csv").write_text("\n".join(["t,a,b", *rows]) + "\n")
    series = [
        {"id": "m", "file": "m.npz", "kind": "blocks", "rows": 80, "warmup": 40, "fs": 12800, "columns": ["DE"]},
        {"id": "dir/t", "file": "t.csv", "kind": "table", "rows": 60, "warmup": 30, "fs": None, "columns": ["a", "b"]},
    ]
    (path / "manifest.json").write_text(json.dumps({"protocol": 1, "series": series}))
    return path


def evaluate(folder: Path, out: Path, *more: str) -> dict:
    result = CliRunner().invoke(app, ["evaluate", "--in", str(folder), "--out", str(out), "--json", *more])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def table(path: Path) -> np.ndarray:
    assert path.read_text().startswith("score,alarm\n")
    return np.loadtxt(path, delimiter=",", skiprows=1)


def test_writes_one_line_per_row_and_finds_the_fault(folder: Path, tmp_path: Path) -> None:
    """A finite score in each line, 0 while warming, and the alarm as it would have been sent."""
    summary = evaluate(folder, tmp_path)
    scores = table(tmp_path / "m.csv")

    assert scores.shape == (80, 2)
    assert table(tmp_path / "dir__t.csv").shape == (60, 2)
    assert not scores[:40].any()
    assert not scores[:60, 1].any()
    assert scores[62:, 1].all()
    assert summary["series"][0]["episodes"] == 1


def test_alerts_are_told_by_the_policies_given(folder: Path, tmp_path: Path) -> None:
    """The changes of alerts.v1, a line each; a policy that asks for more than the machine shows raises none."""
    (tmp_path / "deaf.toml").write_text(
        DEFAULT.replace('name = "default"', 'name = "deaf"').replace("raise_at = ", "raise_at = 100")
    )
    usual = evaluate(folder, tmp_path / "a")["series"][0]
    deaf = evaluate(folder, tmp_path / "b", "--policy", str(tmp_path / "deaf.toml"))["series"][0]
    told = [json.loads(line) for line in (tmp_path / "a" / "alerts.jsonl").read_text().splitlines()]

    assert (usual["alerts"], deaf["alerts"]) == (1, 0)
    assert usual["alarms"] == deaf["alarms"] > 0
    assert ("m", "raised", "default") in {
        (each["series"], each["change"], each["policy"].partition("@")[0]) for each in told
    }
    assert (tmp_path / "b" / "alerts.jsonl").read_text() == ""


def test_a_reference_is_written_and_used(folder: Path, tmp_path: Path) -> None:
    """The written record can be given back; scores then stand on its scale, the finding stays."""
    record = tmp_path / "reference.json"
    evaluate(folder, tmp_path / "none", "--write-reference", str(record))
    evaluate(folder, tmp_path / "with", "--reference", str(record))
    evaluate(folder, tmp_path / "without")
    with_it, without = table(tmp_path / "with/m.csv"), table(tmp_path / "without/m.csv")

    assert with_it[62:, 1].all()
    assert not with_it[:60, 1].any()
    assert not np.array_equal(with_it, without)


@pytest.mark.parametrize("more", [("--profile", "lean"), ("--river", "OneClassSVM"), ("--budget", "0.1")])
def test_every_option_runs(folder: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    """Profiles, River detectors and budgets go through the same Fleet."""
    assert len(evaluate(folder, tmp_path, *more)["series"]) == 2
