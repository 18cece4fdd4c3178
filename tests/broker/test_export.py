"""Parquet: every row once, also after a kill at any place."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from foreshock.contract import Asset
from foreshock.errors import ConfigurationError
from foreshock.streams.errands import export
from foreshock.streams.errands.export import Export
from foreshock.streams.errands.sender import Sender

pq = pytest.importorskip("pyarrow.parquet")
BLOCKS = 50
ASSETS = ["pump-1", "pump-2", "fan-1"]


class Killed(Exception):
    """In the place of a SIGKILL."""


def sent(settings, make_block, numbers) -> None:
    with Sender(settings) as sender:
        for name in ASSETS:
            sender.send(Asset(asset=name, asset_class=name.partition("-")[0]))
        for i in numbers:
            for name in ASSETS:
                sender.send(make_block(name, i))


def rows_of(out) -> list[dict]:
    return [row for file in sorted(out.rglob("*.parquet")) for row in pq.ParquetFile(file).read().to_pylist()]


def test_blocks_are_exported_once_however_often_it_is_killed(settings, open_topics, make_block, tmp_path, monkeypatch):
    """Killed after the files and before the manifest, at every third stretch; the rows are the records, bit for bit."""
    topics = open_topics(settings)
    sent(settings, make_block, range(BLOCKS))
    monkeypatch.setattr(export, "_ROWS", 7)
    note, calls = Export._note, Counter()

    def sometimes(self, number, next_):
        calls["note"] += 1
        if calls["note"] % 3 == 0:
            raise Killed
        note(self, number, next_)

    monkeypatch.setattr(Export, "_note", sometimes)
    kills = 0
    while True:
        try:
            list(Export(settings, "sensors.v1", tmp_path).run())
            break
        except Killed:
            kills += 1
            (tmp_path / "sensors.v1" / "day=2025-10-09" / "class=pump").mkdir(parents=True, exist_ok=True)
    sent(settings, make_block, range(BLOCKS, BLOCKS + 5))
    monkeypatch.setattr(Export, "_note", note)
    list(Export(settings, "sensors.v1", tmp_path).run())

    rows = rows_of(tmp_path)
    places = Counter((row["partition"], row["offset"]) for row in rows)
    assert kills > 3
    assert places == Counter((m.partition(), m.offset()) for m in topics.raw("sensors.v1"))
    assert {file.parent.name for file in tmp_path.rglob("*.parquet")} == {"class=pump", "class=fan"}
    row = next(each for each in rows if each["asset"] == "fan-1")
    i = sum(each["asset"] == "fan-1" and each["offset"] < row["offset"] for each in rows)
    assert row["samples"] == np.ascontiguousarray(make_block("fan-1", i).samples).tobytes()


@pytest.mark.slow
def test_scores_are_exported_with_their_features(settings, open_topics, start_worker, make_block, tmp_path):
    """A row of a score is a row of the file; a topic that was made again is not mixed in."""
    topics = open_topics(settings)
    sent(settings, make_block, range(10))
    worker = start_worker(settings)
    topics.wait_for_outcomes(10 * len(ASSETS), 200, worker=worker)
    assert worker.stop() == 0, worker.shown()

    written = list(Export(settings, "scores.v1", tmp_path).run())

    rows = rows_of(tmp_path)
    scores = {each.record["score_id"]: each.record for each in topics.read("scores.v1")}
    assert sum(each.rows for each in written) == len(rows) == len(scores) == 10 * len(ASSETS)
    for row in rows:
        theirs = scores[row["score_id"]]["rows"][0]
        assert row["state"] == theirs["state"]
        assert np.array(row["features"], np.float32).tobytes() == np.asarray(theirs["features"], np.float32).tobytes()
    for manifest in (tmp_path / "scores.v1").glob("_next-*.json"):
        manifest.write_text(manifest.read_text().replace(topics.found["scores.v1"].topic_id, "another"))
    with pytest.raises(ConfigurationError, match="holds another topic"):
        list(Export(settings, "scores.v1", tmp_path).run())
