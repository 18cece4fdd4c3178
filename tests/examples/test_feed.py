"""Recordings through the real topics and without a broker: the same Fleet, so the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foreshock.detectors.reference import Reference
from tests.examples.conftest import running_plant

SAMPLES = 2048
RATE_HZ = 48_000.0
HEALTHY, FAULTY = 90, 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def cwru(tmp_path) -> Path:
    """The cwru recordings in file protocol 1: for each fault and sensor healthy blocks, then faulty ones."""
    data = Path(os.environ.get("FORESHOCK_DATA", "../shared/data")) / "cwru"
    if not data.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"FORESHOCK_DATA: no recordings at {data}")
        pytest.skip(f"no recordings at {data}: set FORESHOCK_DATA")
    folder = tmp_path / "cwru"
    folder.mkdir()
    healthy = np.load(data / "1797_Normal.npz")
    series = []
    for path in sorted(data.glob("*_DE48.npz")):
        faulty = np.load(path)
        for sensor in ("DE", "FE"):
            name = f"{path.stem}_{sensor}"
            x = np.concatenate([blocks(healthy[sensor], HEALTHY), blocks(faulty[sensor], FAULTY)])
            np.savez(folder / f"{name}.npz", x=x[..., None], t=np.arange(len(x)) * SAMPLES / RATE_HZ)
            series.append(
                {"id": name, "asset": name, "file": f"{name}.npz", "kind": "blocks", "rows": len(x)}
                | {"warmup": HEALTHY // 2, "fs": RATE_HZ, "columns": [sensor], "meta": {}}
            )
    (folder / "manifest.json").write_text(json.dumps({"protocol": 1, "series": series}), encoding="utf-8")
    return folder


def blocks(signal: np.ndarray, count: int) -> np.ndarray:
    """The first blocks of a signal, [count, SAMPLES]."""
    return signal[: count * SAMPLES].reshape(count, SAMPLES)


def test_fed_and_evaluated_scores_are_bit_equal(cwru, stack, tmp_path):
    """`feed` through Kafka and a worker gives the scores of `evaluate`, bit for bit, on the scale of one reference file."""
    series = json.loads((cwru / "manifest.json").read_text(encoding="utf-8"))["series"]
    reference = tmp_path / "reference.json"
    foreshock = Path(sys.executable).with_name("foreshock")
    subprocess.run([foreshock, "evaluate", "--in", cwru, "--write-reference", reference], check=True, timeout=120)
    record = Reference.load(reference)
    home = tmp_path / "plant"
    home.mkdir()

    with running_plant(stack, home, FORESHOCK_DETECTION__REFERENCE=str(reference)) as plant:
        plant.foreshock("feed", cwru)
        plant.foreshock("evaluate", "--in", cwru, "--out", tmp_path / "scores", "--reference", reference)
        fed = {entry["id"]: plant.records("scores.v1", entry["id"], entry["rows"]) for entry in series}

    for entry in series:
        scores = fed[entry["id"]]
        rows = [row for score in scores for row in score["rows"]]
        lines = (tmp_path / "scores" / f"{entry['id']}.csv").read_text(encoding="utf-8").splitlines()[1:]
        evaluated = [tuple(line.split(",")) for line in lines]
        assert [(repr(row["value"] or 0.0), str(int(row["alarm"]))) for row in rows] == evaluated
        assert [row["state"] for row in rows].count("scored") == entry["rows"] - entry["warmup"]
        assert sum(row["alarm"] for row in rows[HEALTHY:]) > 0
        assert all(score["registered"] for score in scores)
        assert {score["reference"] for score in scores} == {record.id}
