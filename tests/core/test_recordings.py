"""Recordings in file protocol 1 become the records that a producer would send."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foreshock.contract import SensorBlock, TelemetryFrame
from foreshock.errors import ConfigurationError
from foreshock.recordings import EPOCH_NS, blocks, nanoseconds, read_series


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one series of each kind."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=rng.normal(size=(3, 64, 2)).astype("f4"), t=np.array([0.0, 0.5, 1.0]))
    (tmp_path / "b.csv").write_text("t,u,v\n1388534400.25,1.5,\n1388534401.25,2.5,0.1\n")
    series = [
        {"id": "x/a", "file": "a.npz", "kind": "blocks", "rows": 3, "warmup": 2, "fs": None, "columns": ["p", "q"]},
        {"id": "b", "file": "b.csv", "kind": "table", "rows": 2, "warmup": 1, "fs": 1.0, "columns": ["u", "v"]},
    ]
    (tmp_path / "manifest.json").write_text(json.dumps({"protocol": 1, "series": series}))
    return tmp_path


def test_a_block_series_becomes_sensor_blocks(folder: Path) -> None:
    """Channels of a recording are channels of one block, bit for bit; no rate stated stays unstated."""
    series = next(read_series(folder))
    sent = list(blocks(series, topic="sensors.v1", partition=2, first_offset=10))
    x = np.load(folder / "a.npz")["x"]

    assert all(isinstance(b, SensorBlock) for b in sent)
    assert [b.origin.offset for b in sent] == [10, 11, 12]
    assert sent[0].asset == "x/a"
    assert sent[0].channels == ("p", "q")
    assert sent[0].sampling_rate_hz is None
    assert sent[1].samples.tobytes() == x[1].T.tobytes()
    assert [b.source_ns - EPOCH_NS for b in sent] == [0, 500_000_000, 1_000_000_000]
    assert series.asset.warmup_blocks == 2


def test_a_table_becomes_frames_of_one_row(folder: Path) -> None:
    """Values keep all their bits; an empty cell is a missing value; a time that is a date stays."""
    sent = list(blocks(list(read_series(folder))[1]))

    assert all(isinstance(f, TelemetryFrame) for f in sent)
    assert sent[1].values.tolist() == [[2.5, 0.1]]
    assert np.isnan(sent[0].values[0, 1])
    assert sent[0].times_ns.tolist() == [1_388_534_400_250_000_000]


def test_seconds_keep_their_nanoseconds() -> None:
    """The fraction is rounded after the whole seconds are taken off: a float of 2014 resolves 0.2 microseconds."""
    assert nanoseconds(np.array([0.1, 12.000000001])).tolist() == [EPOCH_NS + 100_000_000, EPOCH_NS + 12_000_000_001]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"protocol": 2}, "protocol 2"),
        (
            {
                "series": [
                    {"id": "a", "file": "no.npz", "kind": "blocks", "rows": 1, "warmup": 1, "fs": 1, "columns": []}
                ]
            },
            "no.npz",
        ),
        (
            {
                "series": [
                    {"id": "a", "file": "a.npz", "kind": "blocks", "rows": 9, "warmup": 1, "fs": 1, "columns": []}
                ]
            },
            "9 rows",
        ),
    ],
)
def test_a_folder_that_is_not_what_it_says_is_refused(folder: Path, change: dict, sentence: str) -> None:
    """The error names the file and what does not fit."""
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, **change}))
    with pytest.raises(ConfigurationError, match=sentence):
        list(read_series(folder))
