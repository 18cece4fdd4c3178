"""A worker on the real broker, scraped over HTTP and exporting by OTLP: its figures are those of what was sent to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest

from foreshock.streams.coders import encoder_for
from foreshock.streams.metrics.catalog import BY_NAME, STAGES, of_process
from foreshock.streams.metrics.model import Process
from foreshock.streams.partitioner import partition_for
from tests.broker.conftest import WorkerProcess, end
from tests.metrics.reading import Scrape, address_in, collecting, get, scrape
from tests.sinks.making import alert
from tests.sinks.receivers import Endpoint
from tests.sinks.servers import HttpServer, Script, serving

ASSETS = [f"pump-{n}" for n in range(12)]
HOSTILE = 'pu"mp\\n{evil="1"} 1 # {trace_id="x"} <script>'
ROUNDS = 30
GARBAGE = 7
PRICES = 'currency = "EUR"\ncore_hour = 0.04\nreceived_gib = 0.02\nprocess_month = 1.0\n'


@pytest.fixture
def watched(quick, tmp_path, monkeypatch):
    """A worker that is scraped, keeps spans of every block, knows prices, and exports five times a second."""
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    with collecting() as collector:
        given = {
            "FORESHOCK_METRICS__LISTEN": "127.0.0.1:0",
            "FORESHOCK_METRICS__MAX_ASSETS": "20",
            "FORESHOCK_METRICS__PRICES": str(prices),
            "FORESHOCK_TELEMETRY__STORE": str(tmp_path / "spans"),
            "FORESHOCK_TELEMETRY__SAMPLE_RATIO": "1.0",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{collector.url}/v1/metrics",
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        yield replace(quick, worker=replace(quick.worker, instance_id="")), collector


def names_in(found: Scrape) -> set[str]:
    """Names of the catalogue that a scrape has."""
    return {name + "_total" if family.type == "counter" else name for name, family in found.families.items()}


def test_what_is_sent_is_what_is_scraped(watched, open_topics, start_worker, make_block, poll_until, monkeypatch):
    """Counts, latencies, lag, checkpoints, models, labels, readiness, exemplars and OTLP, of one run; a port has one owner."""
    settings, collector = watched
    topics = open_topics(settings)
    sent = [make_block(asset, i) for i in range(ROUNDS) for asset in [*ASSETS, HOSTILE]]
    for block in sent:
        topics.send_block(block)
    for _ in range(GARBAGE):
        topics.send(b"garbage", b"pump-0")
    topics.send(topics.encode(make_block("pump-1", 999)), b"pump-2")
    topics.flush()
    rejected, records = GARBAGE + 1, len(sent) + GARBAGE + 1
    worker = start_worker(settings)
    worker.wait_for("metrics at")
    address = address_in(worker.lines)
    assert get(f"{address}/healthz")[0] == 200
    worker.wait_for("worker ready")
    topics.wait_for_outcomes(records, worker=worker)
    seen = lambda: scrape(address).total("foreshock_records_received_total")
    poll_until(lambda: seen() >= records, 60, lambda: f"{seen()} of {records}\n{worker.shown()}")
    settled = lambda: scrape(address).total("foreshock_lag_records") == 0 and scrape(address).total("foreshock_models")
    poll_until(settled, 60, lambda: str(scrape(address).by("foreshock_lag_records", "partition")))

    found = scrape(address)

    assert names_in(found) == {metric.name for metric in of_process(Process.WORKER)}
    outcomes = found.by("foreshock_records_total", "outcome")
    warming = 12 * (len(ASSETS) + 1)
    assert outcomes == {"warming": warming, "scored": len(sent) - warming, "rejected": rejected}
    letters = [letter.record["reason"] for letter in topics.read("dead-letters.v1")]
    assert found.by("foreshock_dead_letters_total", "reason") == {r: letters.count(r) for r in set(letters)}
    assert found.total("foreshock_records_received_total") == records
    assert found.value("foreshock_end_to_end_seconds_count") == records
    assert found.value("foreshock_queue_seconds_count") == records
    assert found.value("foreshock_score_count") == outcomes["scored"] == found.value("foreshock_p_value_count")
    batches = found.value("foreshock_batch_records_count")
    assert {s.labels["stage"] for s in found.samples if s.name == "foreshock_stage_seconds_count"} == set(STAGES)
    assert found.value("foreshock_stage_seconds_count", stage="deliver") == batches > 0
    assert found.value("foreshock_batch_records_sum") == records

    assert found.total("foreshock_models") == len(ASSETS) + 1 == found.total("foreshock_assets")
    assert found.by("foreshock_asset_records_total", "asset") == dict.fromkeys([*ASSETS, HOSTILE], ROUNDS)
    assert found.total("foreshock_received_bytes_total") == sum(len(topics.encode(block)) for block in sent)
    assert found.value("foreshock_ready") == 1
    assert found.value("foreshock_partitions") == settings.topics.partitions
    assert found.value("foreshock_cache_up") == 1
    assert found.value("foreshock_assignments_total", event="assigned") == 1
    assert found.value("process_resident_memory_bytes") > 50e6
    assert found.value("process_cpu_seconds_total") > 1
    assert get(f"{address}/readyz")[0] == 200
    assert Scrape(get(f"{address}/metrics", "text/plain")[2], openmetrics=False).families

    committed = lambda: scrape(address).value("foreshock_checkpoints_total", result="committed")
    poll_until(committed, 60, worker.shown)
    found = scrape(address)
    assert found.value("foreshock_checkpoint_bytes_sum") > 1000
    assert found.value("foreshock_checkpoint_age_seconds") < 60
    traces = {exemplar.labels["trace_id"] for exemplar in found.exemplars("foreshock_end_to_end_seconds")}
    told = {output.headers["traceparent"].decode()[3:35] for topic in ("scores.v1", "dead-letters.v1") for output in topics.read(topic)}  # fmt: skip
    assert traces
    assert traces <= told

    poll_until(lambda: collector.sum("foreshock_records_total") == records, 60, lambda: str(collector.metrics().keys()))
    assert collector.sum("foreshock_dead_letters_total") == rejected
    assert collector.metrics()["foreshock_end_to_end_seconds"].histogram.data_points[0].count == records
    assert collector.resource()["service.name"] == "foreshock-worker"
    assert set(collector.metrics()) <= set(BY_NAME)

    host, _, port = address.removeprefix("http://").rpartition(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(3)]  # they ask for nothing and do not leave
    topics.send_block(make_block("pump-3", ROUNDS))
    topics.flush()
    topics.wait_for_outcomes(records + 1, worker=worker)
    monkeypatch.setenv("FORESHOCK_METRICS__LISTEN", f"{host}:{port}")
    second = start_worker(settings)
    assert second.ends(60) == 2, second.shown()
    assert f"metrics.listen: {host}:{port} cannot be used" in second.shown()
    assert scrape(address).total("foreshock_records_received_total") >= records
    assert worker.stop() == 0, worker.shown()
    for each in idle:
        each.close()


@contextmanager
def running(config, *commands):
    """Run commands with a settings file, as long as it lasts."""
    line = [sys.executable, "-c", "from foreshock.cli import main; main()"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_METRICS__")}
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "env": env}
    processes = [subprocess.Popen([*line, command, "--config", str(config)], **pipe) for command in commands]
    try:
        yield [WorkerProcess(process) for process in processes]
    finally:
        for process in processes:
            end(process)


def test_what_a_sink_answers_is_what_deliver_and_cases_expose(settings, open_topics, tmp_path, poll_until):
    """Deliveries, attempts, dead letters and times by sink; the case writer has its own figures, and both say when they follow."""
    topics, config, endpoint = open_topics(settings), tmp_path / "foreshock.toml", Endpoint()
    sent = [alert(f"m{number}") for number in range(6)]
    encoder = encoder_for(settings, "alerts.v1")
    for each in sent:
        partition = partition_for(each.asset.encode(), settings.topics.partitions)
        topics.producer.produce(topics.name("alerts.v1"), encoder.encode(each), each.alert_id.encode(), partition)
    topics.producer.produce(topics.name("alerts.v1"), b"garbage", b"x", 0)
    topics.flush()
    with serving(HttpServer(endpoint, Script(once=["400", "503"]))) as server:
        config.write_text(
            f'[kafka]\nbootstrap = "{settings.kafka.bootstrap}"\n[topics]\nprefix = "{settings.topics.prefix}"\n'
            f'[worker]\ngroup = "{settings.worker.group}"\n[metrics]\ndeliver_listen = "127.0.0.1:0"\n'
            'cases_listen = "127.0.0.1:0"\n'
            f'[deliver.hook]\nkind = "webhook"\nurl = "{server.url}"\nstart = "beginning"\nbackoff_s = 0.05\n'
        )
        with running(config, "deliver", "cases") as (deliver, cases):
            for process in (deliver, cases):
                process.wait_for("metrics at")
            address, other = address_in(deliver.lines), address_in(cases.lines)
            delivered = lambda: scrape(address).value("foreshock_sink_deliveries_total", result="delivered")
            poll_until(lambda: delivered() == 5, 60, deliver.shown)
            poll_until(lambda: get(f"{address}/readyz")[0] == 200, 60)
            poll_until(lambda: get(f"{other}/readyz")[0] == 200, 60)
            poll_until(lambda: scrape(address).value("foreshock_sink_lag_records") == 0, 60, deliver.shown)
            found, found_cases = scrape(address), scrape(other)

    assert names_in(found) == {metric.name for metric in of_process(Process.DELIVER)}
    assert names_in(found_cases) == {metric.name for metric in of_process(Process.CASES)}
    assert found.by("foreshock_sink_deliveries_total", "result") == {"delivered": 5, "dead": 1}
    assert found.value("foreshock_sink_attempts_total", sink="hook", result="retried") == 1
    letters = [letter.record["reason"] for letter in topics.read("dead-letters.v1")]
    assert found.by("foreshock_dead_letters_total", "reason") == dict.fromkeys(letters, 1)
    assert set(letters) == {"undeliverable", "unknown_framing"}
    assert found.value("foreshock_sink_delivery_seconds_count", sink="hook") == 6
    traces = {each.labels["trace_id"] for each in found.exemplars("foreshock_sink_delivery_seconds")}
    assert traces <= {each.trace_id for each in sent}
    assert found.by("foreshock_build_info", "process") == {"deliver": 1}
    assert found_cases.by("foreshock_build_info", "process") == {"cases": 1}
