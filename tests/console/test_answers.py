"""What the pages are told, from records alone: account, lineage, series, pipeline, dead letters."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from types import SimpleNamespace

import orjson
import pytest

from foreshock.answers.dossier import dossier
from foreshock.contract import SensorBlock
from foreshock.lineage import asset_record
from foreshock.policies import read_policies
from foreshock.records import to_tree
from foreshock.streams.codec.encode import Encoder
from foreshock.streams.console import traces
from foreshock.streams.console.asset import asset, known, point_of, series
from foreshock.streams.console.block import tree
from foreshock.streams.console.events import (
    alert_of,
    alert_tree,
    anomaly_behind,
    anomaly_tree,
    event_line,
)
from foreshock.streams.console.letters import decoded, letters
from foreshock.streams.console.lineage import lineage
from foreshock.streams.console.machinery import Look
from foreshock.streams.console.pipeline import behind, pipeline
from foreshock.streams.console.problems import Problem
from foreshock.streams.console.seen import score as decode_score
from foreshock.streams.spans.store import SpanRow, SpanStore
from tests.console.making import (
    HOUR_MS,
    NOW_MS,
    anomaly,
    command,
    letter,
    plant,
    quality,
    registered,
    score,
    transition,
)
from tests.wire import samples


def through_json(value):
    return json.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS))


def page(held, width=600):
    over = (NOW_MS - HOUR_MS, NOW_MS + 1)
    return through_json(series(held, read_policies(()), 1.0, name="pump-7", point="de", over=over, width=width))


class TestSeries:
    def test_no_peak_is_lost_in_a_narrow_picture(self):
        """One row over the boundary among thousands shows in its bucket, and so does its alarm."""
        held = plant()
        for i in range(3600):
            bad = i == 1234
            held.take(score("pump-7", NOW_MS - HOUR_MS + 1000 * i, 9.0 if bad else 0.4, offset=i, alarm=bad))

        found = page(held, width=100)

        assert len(found["score"]) == len(found["alarm"]) == len(found["input"]["offsets"]) == 100
        assert max(found["score_max"]) == 9.0
        assert sum(found["alarm"]) == 1
        assert (found["rows"], found["downsampled"]) == (3600, True)

    def test_an_interval_without_rows_is_empty(self):
        """Before the first score, or between two, there is nothing to draw, and that is no error."""
        held = plant()
        held.take(score("pump-7", NOW_MS + HOUR_MS))

        found = page(held)

        assert (found["rows"], found["t_ms"], found["score"], found["score_max"]) == (0, [], [], [])
        assert found["input"]["offsets"] == found["alarm"] == found["state"] == []

    def test_rows_without_a_score_leave_the_last_one(self):
        """A bucket that ends with a stop shows the score before it; one of stops alone shows none."""
        held = plant()
        for i in range(200):
            stopped = i % 2 == 1 or i >= 100
            state = "not_running" if stopped else "scored"
            at = NOW_MS - HOUR_MS + 18_000 * i
            held.take(score("pump-7", at, None if stopped else 0.5, offset=i, state=state, p_value=None))

        found = page(held, width=10)

        assert found["score"] == [0.5] * 5 + [None] * 5
        assert found["states"][found["state"][-1]] == "not_running"

    def test_what_happened_stands_beside_the_scores(self):
        """Changes of alerts, conditions of sensors, and verdicts with their effect."""
        held = plant()
        held.take(score("pump-7", NOW_MS - 5000))
        held.take(transition("raised", NOW_MS - 4000))
        held.take(quality(NOW_MS - 3000, raised=True))
        held.take(command(NOW_MS - 2000, command_id="c-9", asset="pump-7"))
        held.take(transition("labelled", NOW_MS - 1000, command_id="c-9", effect="the level rises"))

        found = page(held)

        assert [each["change"] for each in found["alerts"]] == ["raised", "labelled"]
        assert found["quality"][0]["kind"] == "silent"
        assert [each["effect"] for each in found["labels"]] == ["the level rises"]
        assert [each["severity"] for each in found["levels"]] == ["watch", "warning", "critical"]

    def test_who_is_unknown_is_asked_back(self):
        """A name like one that is known is offered; a point that is not there names those that are."""
        held = plant()
        held.take(score("pump-7", NOW_MS))
        with pytest.raises(Problem, match="pump-8") as unknown:
            point_of(held, "pump-8", "")
        assert (unknown.value.code, unknown.value.fix) == ("unknown_asset", "did you mean pump-7?")
        with pytest.raises(Problem) as point:
            point_of(held, "pump-7", "nde")
        assert "de" in point.value.fix
        held.take(registered("pump-9"))
        with pytest.raises(Problem, match="no score") as silent:
            point_of(held, "pump-9", "")
        assert silent.value.code == "gone"
        assert asset(held, "pump-9", NOW_MS)["now"]["severity"] == "none"


def test_the_dossier_is_made_of_what_is_in_memory():
    """A score that grows, the alert that stands, and what to do; without an anomaly no failure mode is claimed."""
    held = plant()
    for i in range(600):
        at = NOW_MS - HOUR_MS + 6000 * i
        held.take(score("pump-7", at, 0.4 + 0.001 * i + 0.01 * (i % 3), offset=i))
    held.take(transition("raised", NOW_MS))

    found = dossier(known(held, read_policies(()), 1.0, "pump-7", None))

    assert found.headings[0].progress.word == "rising"
    assert found.headings[0].progress.rows == 400
    assert any("Grease." in line for line in found.todo)
    assert found.failure_mode == "outer race (hypothesis of the alert that stands)"


class TestAlert:
    def test_its_page_tells_the_decision(self):
        """Runbook, owner, rule and timeline; by the first digits of its id."""
        held = plant()
        held.take(transition("raised", NOW_MS))
        held.take(transition("acknowledged", NOW_MS + 9, state="acknowledged", actor="mia"))

        found = through_json(alert_tree(alert_of(held, "22222222")))

        assert [each["change"] for each in found["timeline"]] == ["raised", "acknowledged"]
        assert found["runbook"] == ["Listen.", "Grease."]
        assert found["trace_id"] == samples.ALERT.trace_id
        for wrong, code in (("xyz", "bad_request"), ("33333333", "unknown_alert"), ("2", "bad_request")):
            with pytest.raises(Problem) as problem:
                alert_of(held, wrong)
            assert problem.value.code == code

    def test_the_anomaly_behind_it_is_found(self):
        """The one that it names; else one of its own points that opened just then, and no other."""
        held = plant()
        named = transition("raised", NOW_MS)
        held.take(named)
        assert anomaly_behind(held, alert_of(held, "2" * 32)) == "b" * 32
        near = replace_record(transition("raised", NOW_MS, alert="4" * 32), anomaly_id="", points=["DE bearing"])
        held.take(near)
        assert anomaly_behind(held, alert_of(held, "4" * 32)) == ""
        held.take(anomaly("a" * 32, NOW_MS - HOUR_MS))
        held.take(anomaly("c" * 32, NOW_MS - 1000))
        held.take(anomaly("d" * 32, NOW_MS, asset="other"))
        assert anomaly_behind(held, alert_of(held, "4" * 32)) == "c" * 32
        assert event_line(held, "cccccccc")["offset"] == 5
        assert event_line(held, "eeeeeeee") is None

    def test_the_account_of_a_machine_is_that_of_its_master_data(self):
        """It says so where the machine was registered anew since."""
        told = dict(anomaly_tree(samples.ANOMALY, "", samples.ASSET)["account"])["machine"]
        assert any("registered anew since" in line for line in told)
        same = replace(
            samples.ANOMALY, lineage=replace(samples.ANOMALY.lineage, asset_record=asset_record(samples.ASSET))
        )
        assert "anew" not in str(dict(anomaly_tree(same, "", samples.ASSET)["account"])["machine"])
        assert dict(anomaly_tree(same, "", None)["account"])["machine"][0] == "pump-7"

    def test_its_lineage_leads_from_records_to_work(self):
        """Every node but the first ones has something before it, layers never run back, nothing is a cycle."""
        held = plant()
        held.take(transition("raised", NOW_MS, command_id=""))
        held.take(transition("acknowledged", NOW_MS + 9, state="acknowledged", actor="mia", command_id="c-1"))
        order = replace(samples.WORK, alert_id="2" * 32)

        alert = alert_of(held, "2" * 32)
        graph = lineage(samples.ANOMALY, alert, [(NOW_MS, order)], {"partition": 3, "offset": 7})

        kinds = {each["id"]: each for each in graph["nodes"]}
        assert {each["kind"] for each in graph["nodes"]} >= {"input", "score", "anomaly", "alert", "command", "work"}
        assert all(kinds[a]["layer"] <= kinds[b]["layer"] and int(a[1:]) < int(b[1:]) for a, b in graph["edges"])
        reached = {b for _, b in graph["edges"]}
        assert {each["kind"] for name, each in kinds.items() if name not in reached} <= {
            "input",
            "schema",
            "asset",
            "reference",
            "model",
            "policy",
        }


def replace_record(each, **fields):
    return each._replace(record=each.record | fields)


class TestDecoding:
    def test_a_score_is_read_without_its_features(self):
        """Everything else of it is there, whatever the framing."""
        for framing in ("single-object", "json"):
            record = dict(decode_score(Encoder(framing, topic="scores.v1").encode(samples.SCORE), None))
            whole = to_tree(samples.SCORE)
            for row in [*whole["rows"], *record["rows"]]:
                row.pop("features", None)
            record.pop("type", None)
            assert record == whole

    def test_a_block_of_telemetry_is_rows_of_tags(self):
        """A frame has no spectrum; its newest values and its rows are told."""
        message = SimpleNamespace(value=lambda: b"12345")
        found = through_json(tree(samples.FRAME, message, None, 100))

        assert found["kind"] == "telemetry"
        assert len(found["rows"]) == len(samples.FRAME.times_ns)
        assert [each["name"] for each in found["tags"]] == [each.name for each in samples.FRAME.tags]

    def test_a_block_whose_rate_is_not_stated_has_no_marks(self):
        """Its frequencies are in cycles per sample, and nothing is claimed of faults."""
        block: SensorBlock = replace(samples.BLOCK, sampling_rate_hz=None)
        message = SimpleNamespace(value=lambda: b"12345")

        found = through_json(tree(block, message, samples.ASSET, 100))

        assert (found["per_sample"], found["markers"], found["rate_hz"]) == (True, [], None)
        assert max(found["channels"][0]["spectrum"]["hz"]) <= 0.5

    def test_bytes_that_are_none_of_ours_decode_to_nothing(self):
        """A dead letter shows its bytes all the same."""
        assert decoded(b"\x01garbage", None) is None
        assert decoded(Encoder("single-object", topic="t").encode(samples.BLOCK), None)["schema"] == "SensorBlock"


def test_letters_are_listed_newest_first():
    """And by reason."""
    held = plant()
    for i in range(5):
        held.take(letter(NOW_MS + i, i))

    found = letters(held, "", 2)

    assert [each["offset"] for each in found["letters"]] == [4, 3]
    assert (found["total"], found["by_reason"]) == (5, {"unknown_unit": 5})
    assert letters(held, "null_key", 10)["letters"] == []


class TestPipeline:
    def test_lag_is_what_has_no_outcome(self):
        """Not what is not committed: that moves with checkpoints only. Its seconds are the age of the newest outcome."""
        held = plant()
        held.take(score("pump-7", NOW_MS - 4000, offset=99))
        look = Look(committed={1: 50, 2: 7})

        assert behind(look, held, 1, 100, NOW_MS) == (0, 0.0)
        assert behind(look, held, 1, 110, NOW_MS) == (10, 4.0)
        assert behind(look, held, 2, 10, NOW_MS) == (3, None)

    def test_the_page_is_made_of_the_last_look(self):
        """Rates between looks, owners by partition, and why Kafka cannot be reached."""
        held = plant()
        look = Look(
            at_ms=NOW_MS,
            ends={("sensors.v1", 0): (5, 20), ("dead-letters.v1", 0): (1, 4)},
            owners={0: "worker-1 on host"},
        )
        history = [(NOW_MS - 5000, 10, 10, 0), (NOW_MS, 20, 15, 3)]
        machinery = SimpleNamespace(
            last=look, rates={("sensors.v1", 0): 2.0}, checkpoints={0: NOW_MS - 9000}, history=history
        )

        found = through_json(pipeline(machinery, held, [], NOW_MS, "away"))

        assert found["throughput"] == {"t_ms": [NOW_MS], "in_per_s": [2.0], "scored_per_s": [1.0], "dead_per_s": [0.6]}
        partition = found["topics"][0]["partitions"][0]
        assert (partition["owner"], partition["checkpoint_age_s"], partition["lag"]) == ("worker-1 on host", 9.0, 20)
        assert found["dead_letters"]["total"] == 3
        assert found["kafka"] == {"reachable": False, "problem": "away", "cluster_id": "", "brokers": []}


class TestTraces:
    def span(self, span_id, parent, name, start, end):
        return SpanRow(
            "ab" * 16, span_id, parent, name, "internal", start, end, None, None, 1 if not parent else None, "", {}, {}
        )

    def test_a_trace_is_laid_out_and_linked(self, tmp_path):
        """Depths, times from the root, and where else it can be seen; only to addresses of pages."""
        store, now = SpanStore(tmp_path), time.time_ns()
        rows = [
            self.span("1" * 16, "", "process", now + 1_000_000, now + 9_000_000),
            self.span("2" * 16, "1" * 16, "decode", now + 2_000_000, now + 3_000_000),
        ]
        with pytest.raises(Problem, match="no worker"):
            traces.trace(store, "ab" * 16, 0.01, "")
        store.write(rows)

        found = traces.trace(store, "abababab", 0.01, "http://127.0.0.1:9411/zipkin/traces/{trace_id}")

        spans = found["records"][0]["spans"]
        assert [(each["name"], each["depth"], each["start_ms"], each["took_ms"]) for each in spans] == [
            ("process", 0, 0.0, 8.0),
            ("decode", 1, 1.0, 1.0),
        ]
        assert found["link"] == "http://127.0.0.1:9411/zipkin/traces/" + "ab" * 16
        assert traces.link_of("javascript:{trace_id}", "ab" * 16) == ""
        assert [each["name"] for each in traces.stages(store)] == ["decode"]
        with pytest.raises(Problem, match="no trace"):
            traces.trace(store, "cdcdcdcd", 0.01, "")
