"""Recordings through the real topics and without a broker: the same Fleet, so the same bits."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from foreshock.streams.wire import decode_output

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
                | {"warmup": HEALTHY * 2 // 3, "fs": RATE_HZ, "columns": [sensor], "meta": {}}
            )
    (folder / "manifest.json").write_text(json.dumps({"protocol": 1, "series": series}), encoding="utf-8")
    return folder


def blocks(signal: np.ndarray, count: int) -> np.ndarray:
    """The first blocks of a signal, [count, SAMPLES]."""
    return signal[: count * SAMPLES].reshape(count, SAMPLES)


def test_fed_and_evaluated_scores_are_bit_equal(
    cwru, foreshock, environment, settings, topics, start_worker, read, tmp_path
):
    """`feed` through Kafka and the worker gives the scores and alarms of `evaluate` on the files, bit for bit."""
    series = json.loads((cwru / "manifest.json").read_text(encoding="utf-8"))["series"]
    total = sum(entry["rows"] for entry in series)
    start_worker()

    for arguments in (["feed", cwru], ["evaluate", "--in", cwru, "--out", tmp_path / "scores"]):
        subprocess.run([foreshock, *arguments], env=environment, cwd=tmp_path, check=True, timeout=120)

    scores = [decode_output(message.value()) for message in read("scores.v1", lambda found: len(found) >= total)]
    assert len(scores) == total
    for entry in series:
        fed = [row for score in scores if score["asset"] == entry["id"] for row in score["rows"]]
        lines = (tmp_path / "scores" / f"{entry['id']}.csv").read_text(encoding="utf-8").splitlines()[1:]
        evaluated = [tuple(line.split(",")) for line in lines]
        assert [(repr(row["value"] or 0.0), str(int(row["alarm"]))) for row in fed] == evaluated
        assert [row["state"] for row in fed].count("scored") == entry["rows"] - entry["warmup"]
        assert sum(row["alarm"] for row in fed[HEALTHY:]) > 0
