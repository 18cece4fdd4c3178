"""Feature vectors through Kafka and of files: the same bits, each once, also where a worker is killed inside a window."""

from __future__ import annotations

import json
import signal
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from foreshock.classes.completing import completed
from foreshock.cli import app
from foreshock.detection import spec_of
from foreshock.recordings import blocks, read_series
from foreshock.records import to_tree
from foreshock.streams.errands.export import Export
from foreshock.streams.errands.extract import Extraction
from foreshock.streams.errands.sender import Sender
from foreshock.streams.wire import Encoder
from tests.parity.inputs import ASSETS, BLOCKS, EVERY_S, live, recordings

pq = pytest.importorskip("pyarrow.parquet")
KNOWN = {each.asset: each for each in ASSETS}
KILLS = (28, 37)  # rounds before a kill: windows of most machines are under way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def mine(settings):
    """Windows every three seconds, checkpoints three times a second."""
    return replace(
        settings,
        features=replace(settings.features, every_s=EVERY_S),
        worker=replace(settings.worker, checkpoint_s=0.3, instance_id="hall"),
    )


def sent_in(folder):
    """All records in the order in which they are sent, cut where a worker is killed."""
    rounds = [[*live(i)] for i in range(BLOCKS)]
    for series in read_series(folder):
        for i, record in enumerate(blocks(series)):
            rounds[i * BLOCKS // series.rows].append(record)
    edges = (0, *KILLS, BLOCKS)
    return [[each for some in rounds[a:b] for each in some] for a, b in zip(edges, edges[1:], strict=False)]


def run_with_kills(mine, topics, start_worker, poll_until, parts):
    """Send the parts, each to a worker that is killed when all of it is scored: first behind a checkpoint, then anywhere."""
    sent = 0
    for number, part in enumerate(parts):
        with Sender(mine) as sender:
            for record in part:
                sender.send(record)
        sent += len(part)
        worker = start_worker(mine, "--slot", "0")
        topics.wait_for_outcomes(sent, 240, worker=worker)
        if number != 1:
            poll_until(lambda: topics.committed() == topics.ends("sensors.v1"), 90, worker.shown)
        if number < len(parts) - 1:
            worker.stop(signal.SIGKILL)
    assert worker.stop() == 0, worker.shown()


def bits(vector):
    """What must be the same wherever the record stands."""
    values = np.array([np.nan if each is None else each for each in vector["values"]])
    return values.tobytes(), tuple(vector["masks"]), vector["samples"], str(vector["ended"]), vector["feature_set"]


def place(vector):
    return vector["asset"], vector["point"], vector["from_ns"]


def test_online_and_offline_vectors_are_bit_equal(mine, open_topics, start_worker, poll_until, tmp_path):
    """The same records through Kafka, with a worker that is killed twice inside windows, from files, and from an export.

    The export has the coordinates of the topic: every byte is equal, ids and all. A file has others: what was measured is
    equal there, byte for byte. Each vector stands once on its topic.
    """
    topics = open_topics(mine)
    folder = recordings(tmp_path / "recordings")
    known = {**KNOWN, **{each.id: each.asset for each in read_series(folder) if each.id not in KNOWN}}
    with Sender(mine) as sender:
        for asset in known.values():
            sender.send(asset)
    run_with_kills(mine, topics, start_worker, poll_until, sent_in(folder))
    known = {name: completed(asset, mine.classes.read()) for name, asset in known.items()}  # as a worker reads them
    published = topics.read("features.v1")

    list(Export(mine, "sensors.v1", tmp_path / "raw").run())
    again = [*Extraction(tmp_path / "raw", spec_of(mine), known).run()]
    assert {each.record["vector_id"]: each.value for each in published} == {
        each.vector_id: Encoder().encode(each) for each in again
    }
    assert Counter(each.record["vector_id"] for each in published).most_common(1)[0][1] == 1

    online = {place(each.record): bits(each.record) for each in published}
    offline = {place(to_tree(each)): bits(to_tree(each)) for each in Extraction(folder, spec_of(mine), known).run()}
    recorded = {each: found for each, found in online.items() if each[0] in {"recorded-1", "table-1"}}
    assert recorded == offline
    assert len(offline) > 6
    assert_they_are_of_all_kinds(published)
    assert_they_are_shown_and_exported(mine, published, tmp_path)


def assert_they_are_of_all_kinds(published):
    """Machines, telemetry and a wireless sensor; windows that were broken; nothing of a stranger; key, headers, partition."""
    by_asset = Counter(each.record["asset"] for each in published)
    ended = {str(each.record["ended"]) for each in published}

    assert by_asset.keys() == {"pump-1", "recorded-1", "boiler-1", "wireless-1", "table-1"}
    assert {"complete", "gap"} <= ended
    assert len(ended) > 2, ended
    for each in published:
        assert each.key == each.record["asset"].encode()
        assert each.partition == each.record["origin"]["partition"]
        assert each.headers["ce_id"] == each.record["vector_id"].encode()
        assert each.headers["traceparent"][3:35] == each.record["trace_id"].encode()
        assert each.headers["ce_type"] == b"io.foreshock.features.v1"


def assert_they_are_shown_and_exported(mine, published, tmp_path):
    """`tail` prints one, `export` writes all, with a unit for each column."""
    where = ["--bootstrap", mine.kafka.bootstrap, "--prefix", mine.topics.prefix]
    arguments = ["tail", "features.v1", "--from", "beginning", "--no-follow", "--max", "1", "--json", *where]
    shown = json.loads(CliRunner().invoke(app, arguments).output.splitlines()[0])
    assert shown["schema"] == "FeatureVector"
    list(Export(mine, "features.v1", tmp_path / "vectors").run())
    tables = [pq.ParquetFile(file).read() for file in sorted((tmp_path / "vectors").rglob("*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]

    assert {row["vector_id"] for row in rows} == {each.record["vector_id"] for each in published}
    wanted = {}
    for each in published:
        for name, value in zip(each.record["names"], each.record["values"], strict=True):
            if name.startswith("rms["):
                wanted[each.record["vector_id"], name[4:-1]] = value
    assert {(row["vector_id"], row["channel"]): row["rms"] for row in rows if row.get("rms") is not None} == {
        key: value for key, value in wanted.items() if value is not None
    }
    for table in tables:
        units = json.loads(table.schema.metadata[b"foreshock.units"])
        assert {name: table.schema.field(name).metadata[b"unit"].decode() for name in units} == units
        assert units.get("rms", "m/s2") == "m/s2"
