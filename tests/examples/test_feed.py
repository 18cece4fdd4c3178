"""Recordings through the real topics and without a broker: the same Fleet, so the same bits."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

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


def test_fed_and_evaluated_scores_are_bit_equal(cwru, plant, tmp_path):
    """`feed` through Kafka and the worker gives the scores and alarms of `evaluate` on the files, bit for bit."""
    series = json.loads((cwru / "manifest.json").read_text(encoding="utf-8"))["series"]

    plant.foreshock("feed", cwru)
    plant.foreshock("evaluate", "--in", cwru, "--out", tmp_path / "scores")

    for entry in series:
        scores = plant.records("scores.v1", entry["id"], entry["rows"])
        fed = [row for score in scores for row in score["rows"]]
        lines = (tmp_path / "scores" / f"{entry['id']}.csv").read_text(encoding="utf-8").splitlines()[1:]
        evaluated = [tuple(line.split(",")) for line in lines]
        assert [(repr(row["value"] or 0.0), str(int(row["alarm"]))) for row in fed] == evaluated
        assert [row["state"] for row in fed].count("scored") == entry["rows"] - entry["warmup"]
        assert sum(row["alarm"] for row in fed[HEALTHY:]) > 0
        assert all(score["registered"] for score in scores)
