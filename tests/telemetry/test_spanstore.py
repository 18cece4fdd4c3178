"""The local store of spans."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from foreshock.settings import Settings, TelemetrySettings
from foreshock.streams.spans.store import SpanRow, SpanStore
from foreshock.streams.telemetry import Telemetry

HOUR_NS = 3600 * 10**9


def row(trace: int, span: int = 0, *, at_ns: int | None = None, ordinary: int | None = 1, **more: object) -> SpanRow:
    start = time.time_ns() if at_ns is None else at_ns
    found = SpanRow(
        trace_id=f"{trace:032x}",
        span_id=f"{trace:08x}{span:08x}",
        parent_id="",
        name="process sensors.v1",
        kind="consumer",
        start_ns=start,
        end_ns=start + 1000,
        asset=None,
        event_id=None,
        ordinary=ordinary,
        error="",
        attributes={"foreshock.score": 0.5},
        resource={"service.name": "s"},
    )
    return found._replace(**more)


def put(directory, *items) -> None:
    """Record outcomes through the whole of telemetry."""
    telemetry = Telemetry(Settings(telemetry=TelemetrySettings(store=str(directory))), worker="w")
    times, outcomes = items[0], items[1:]
    telemetry.record(times, outcomes)
    telemetry.close()


class TestLookup:
    """What is found, and by what."""

    def test_by_event_id(self, records, tmp_path):
        """An event id, or its first digits, leads to the whole trace of its record, with attributes."""
        outcome = records.anomaly()
        put(tmp_path, records.times(), outcome)
        store = SpanStore(tmp_path)
        event = outcome.anomalies[0]

        assert store.find(event.event_id) == store.find(event.event_id[:8]) == event.trace_id
        spans = store.trace(event.trace_id)
        assert [span.name for span in spans][:2] == ["queue t.sensors.v1", "process t.sensors.v1"]
        assert len(spans) == 11
        assert spans[1].attributes["messaging.kafka.offset"] == 7
        assert spans[0].resource["service.name"] == "foreshock-worker"

    def test_by_trace_and_score_id(self, records, tmp_path):
        """A trace id and a score id lead to it too."""
        outcome = records.anomaly()
        put(tmp_path, records.times(), outcome)
        store = SpanStore(tmp_path)

        assert store.find(outcome.score.score_id) == outcome.anomalies[0].trace_id
        assert store.find(outcome.anomalies[0].trace_id) == outcome.anomalies[0].trace_id

    def test_by_asset_the_latest_anomaly(self, records, tmp_path):
        """An asset leads to its latest anomaly, not to another asset's and not to a later quality event."""
        put(tmp_path, records.times(), records.anomaly(1))
        records.now_ns += 10**9
        latest = records.anomaly(2)
        put(tmp_path, records.times(), latest)
        records.now_ns += 10**9
        put(tmp_path, records.times(), records.frozen(3), records.anomaly(4, asset="fan-1"))

        assert SpanStore(tmp_path).find("pump-3") == latest.anomalies[0].trace_id

    def test_error_text_is_kept(self, records, tmp_path):
        """A dead letter's sentence is on its root."""
        letter = records.dead_letter()
        put(tmp_path, records.times(), letter)
        store = SpanStore(tmp_path)

        errors = [span.error for span in store.trace(store.find(letter.event_id)) if span.name.startswith("process")]
        assert errors == ["the sampling rate is -5"]

    @pytest.mark.parametrize("wanted", ["", "nothing", "%", "' OR 1=1 --", "abcdef0123456789"])
    def test_unknown(self, records, tmp_path, wanted):
        """What is not there is None, whatever was typed."""
        put(tmp_path, records.times(), records.anomaly())

        assert SpanStore(tmp_path).find(wanted) is None

    def test_reader_makes_nothing(self, tmp_path):
        """Reading where there is no store answers with nothing and makes no file."""
        store = SpanStore(tmp_path / "none")

        assert store.find("pump-3") is None
        assert store.trace("0" * 32) == []
        assert store.count() == 0
        assert not (tmp_path / "none").exists()


class TestWriting:
    """Several processes, repeated records, bounds."""

    def test_repeated_record_replaces(self, records, tmp_path):
        """A record that is handled again after a crash leaves one trace, not two."""
        outcome = records.anomaly()
        put(tmp_path, records.times(), outcome)
        records.now_ns += 10**9
        put(tmp_path, records.times(), outcome)
        spans = SpanStore(tmp_path).trace(outcome.anomalies[0].trace_id)

        assert len(spans) == 11
        assert spans[1].start_ns == records.times().received

    def test_processes_write_at_once(self, tmp_path):
        """Four processes that start on an empty directory at the same time lose nothing."""
        code = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from foreshock.streams.spans.store import SpanRow, SpanStore\n"
            "me, directory = int(sys.argv[1]), Path(sys.argv[2])\n"
            "store = SpanStore(directory)\n"
            "print('ready', flush=True); sys.stdin.readline()\n"
            "for batch in range(25):\n"
            "    store.write([SpanRow(f'{me:016x}{batch:016x}', f'{span:016x}', '', 'process', 'consumer', time.time_ns(),"
            " time.time_ns(), None, None, 1 if span == 0 else None, '', {}, {}) for span in range(20)])\n"
        )
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", code, str(number), str(tmp_path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"OTEL_SDK_DISABLED": ""},
            )
            for number in range(1, 5)
        ]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            assert writer.wait(60) == 0
            writer.stdin.close()
            writer.stdout.close()
        store = SpanStore(tmp_path)

        assert store.count() == 100
        assert all(len(store.trace(f"{me:016x}{batch:016x}")) == 20 for me in range(1, 5) for batch in (0, 24))

    def test_old_traces_go(self, tmp_path):
        """Traces older than the limit are deleted with all their spans."""
        old = time.time_ns() - 3 * HOUR_NS
        SpanStore(tmp_path).write([row(1, at_ns=old), row(1, 1, at_ns=old, ordinary=None), row(2)])
        store = SpanStore(tmp_path, max_age_s=3600)
        store.write([row(3)])

        assert store.trace(f"{1:032x}") == []
        assert store.count() == 2

    def test_size_is_bounded_and_events_stay(self, tmp_path):
        """Over the size the oldest ordinary traces go first; an older event stays."""
        big = {"text": "x" * 2000}
        SpanStore(tmp_path).write([row(1, ordinary=0, at_ns=1 + time.time_ns() - HOUR_NS, attributes=big)])
        SpanStore(tmp_path).write([row(trace, attributes=big) for trace in range(2, 3000)])
        store = SpanStore(tmp_path, max_bytes=3_000_000)
        store.write([row(5000)])

        assert store.trace(f"{1:032x}")
        assert store.trace(f"{5000:032x}")
        assert not store.trace(f"{2:032x}")
        assert 100 < store.count() < 1500

    def test_directory_that_cannot_be_written_costs_spans_only(self, records, tmp_path):
        """Where the store cannot be written the spans count as failed, and nothing is raised."""
        (tmp_path / "file").write_text("not a directory")
        telemetry = Telemetry(Settings(telemetry=TelemetrySettings(store=str(tmp_path / "file"))), worker="w")
        telemetry.record(records.times(), [records.anomaly()])
        telemetry.close()

        assert telemetry.counters()["failed"] == 11
