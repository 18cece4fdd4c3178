"""`foreshock trace`: from an id to a waterfall."""

from __future__ import annotations

import json

import pytest

from foreshock.settings import Settings, TelemetrySettings
from foreshock.streams.spans import waterfall
from foreshock.streams.spans.store import SpanStore
from foreshock.streams.telemetry import Telemetry

PRODUCER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def store(tmp_path, records):
    """A store with an anomaly (offset 1), a dead letter (2) and an anomaly of a trace that has two records (3, 4)."""
    telemetry = Telemetry(Settings(telemetry=TelemetrySettings(store=str(tmp_path / "spans"))), worker="worker-0")
    telemetry.record(
        records.times(),
        [
            records.anomaly(1),
            records.dead_letter(2),
            records.anomaly(3, asset="fan-1", traceparent=PRODUCER),
            records.anomaly(4, asset="fan-2", traceparent=PRODUCER),
        ],
    )
    telemetry.close()
    return tmp_path / "spans"


class TestCommand:
    """What a person sees."""

    def test_waterfall_of_an_event(self, foreshock, store, records):
        """An event id draws its record: time in Kafka, every stage with its duration, coordinates, the event."""
        event = records.anomaly(1).anomalies[0]
        code, out, _ = foreshock("trace", event.event_id, "--store", str(store))

        assert code == 0
        assert f"trace {event.trace_id}" in out
        names = [line.split("  ")[0] for line in out.splitlines() if " ms  " in line or "us  " in line]
        assert names[0] == "process t.sensors.v1"
        assert "  queue t.sensors.v1" in out
        assert "partition 2, offset 1" in out
        assert "30.0 ms" in out
        assert event.event_id in out
        assert "\x1b" not in out

    def test_asset_means_its_latest_anomaly(self, foreshock, store, records):
        """An asset draws its own record of a trace that others share, and says how many more there are."""
        code, out, _ = foreshock("trace", "fan-1", "--store", str(store))

        assert code == 0
        assert "offset 3" in out
        assert "offset 4" not in out
        assert "1 more records in this trace" in out
        assert "producer's span b7ad6b7169203331" in out

    def test_trace_id_draws_all_its_records(self, foreshock, store):
        """A trace id draws every record of the trace."""
        _, out, _ = foreshock("trace", PRODUCER[3:35], "--store", str(store))

        assert "offset 3" in out
        assert "offset 4" in out

    def test_dead_letter_says_what_is_wrong(self, foreshock, store, records):
        """The trace of a dead letter has its sentence and the fix."""
        _, out, _ = foreshock("trace", records.dead_letter(2).event_id, "--store", str(store))

        assert "the sampling rate is -5" in out
        assert "send a rate above 0, or null" in out

    def test_json(self, foreshock, store, records):
        """As JSON it is one object with all spans and attributes."""
        event = records.anomaly(1).anomalies[0]
        _, out, _ = foreshock("trace", event.event_id, "--store", str(store), "--json")
        document = json.loads(out)

        assert document["trace_id"] == event.trace_id
        root = next(span for span in document["spans"] if span["name"].startswith("process"))
        assert root["attributes"]["messaging.kafka.offset"] == 1

    def test_store_by_settings(self, foreshock, store, records, tmp_path):
        """The store is the one of the settings, without an option."""
        (tmp_path / "foreshock.toml").write_text(f'[telemetry]\nstore = "{store}"\n')

        assert foreshock("trace", "pump-3")[0] == 0

    def test_unknown_says_what_to_do(self, foreshock, store):
        """An id that is not there: exit 1, how many traces there are, what is sampled."""
        code, out, err = foreshock("trace", "feedfeed", "--store", str(store))

        assert (code, out) == (1, "")
        assert "has 3 traces" in err
        assert "telemetry.sample_ratio" in err

    def test_no_store_says_what_to_do(self, foreshock, tmp_path):
        """No store: exit 3, the directory that was looked at and the setting."""
        code, _, err = foreshock("trace", "pump-3", "--store", str(tmp_path / "none"))

        assert code == 3
        assert str(tmp_path / "none") in err
        assert "telemetry.store" in err

    def test_damaged_store_is_one_line(self, foreshock, tmp_path):
        """A file that is no store is one clear line."""
        (tmp_path / "spans.db").write_bytes(b"this is no database, it only looks like a file" * 100)
        code, _, err = foreshock("trace", "pump-3", "--store", str(tmp_path))

        assert code == 3
        assert len(err.splitlines()) == 1


class TestLayout:
    """Bars and depths."""

    def test_bars_follow_the_times(self, store, records):
        """Bars start and end where their spans do, none is empty, none leaves the width."""
        spans = SpanStore(store).trace(records.anomaly(1).anomalies[0].trace_id)
        lines = waterfall.lines(waterfall.records(spans)[0], 40)

        assert lines[1].waiting
        assert lines[1].duration_ns == 30_000_000
        assert all(line.bar[1] >= 1 and sum(line.bar) <= 40 for line in lines)
        assert lines[1].start_ns == -30_000_000
        assert lines[1].bar[0] == lines[0].start_ns == 0
        assert lines[0].bar == (31, 9)
        starts = [line.bar[0] for line in lines[1:]]
        assert starts == sorted(starts)

    def test_long_wait_is_told_not_drawn(self, store, records):
        """A record that lay in Kafka for an hour says so, and its stages still have bars to their scale."""
        spans = SpanStore(store).trace(records.anomaly(1).anomalies[0].trace_id)
        hour_ago = spans[0].start_ns + 30_000_000 - 3600 * 10**9
        record = [
            span._replace(start_ns=hour_ago) if span.name.startswith("queue") else span
            for span in waterfall.records(spans)[0]
        ]
        lines = waterfall.lines(record, 40)

        assert waterfall.duration(lines[1].duration_ns) == "60 min"
        assert lines[1].bar == (0, 0)
        assert "not drawn" in lines[1].notes
        assert [line.bar for line in (lines[0], *lines[2:4])] == [(0, 40), (0, 5), (5, 5)]

    def test_children_are_indented(self, store, records):
        """The stages stand under the root of our part."""
        spans = SpanStore(store).trace(records.anomaly(1).anomalies[0].trace_id)
        names = [line.name for line in waterfall.lines(waterfall.records(spans)[0])]

        assert names[0] == "process t.sensors.v1"
        assert all(name.startswith("  ") for name in names[1:])

    @pytest.mark.parametrize(
        ("ns", "text"),
        [
            (300, "0.3 us"),
            (1_500_000, "1.5 ms"),
            (90 * 10**9, "90.0 s"),
            (600 * 10**9, "10 min"),
            (9 * 3600 * 10**9, "9.0 h"),
        ],
    )
    def test_durations(self, ns, text):
        """A duration has the unit that suits it."""
        assert waterfall.duration(ns) == text
