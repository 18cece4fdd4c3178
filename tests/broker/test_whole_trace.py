"""One trace from the gateway's span to the work order, read back from who took the spans; and nothing rests on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.semconv._incubating.attributes import messaging_attributes
from opentelemetry.semconv.attributes import error_attributes, server_attributes

from foreshock.contract import Asset
from foreshock.errors import ForeshockError
from foreshock.local.zipkin import Zipkin
from foreshock.streams.errands.sender import Sender
from foreshock.streams.spans.sending import Sending
from tests.broker.test_alerts import ASSETS, POLICY, PUMP, Plant
from tests.broker.test_deliver import START, Deliver
from tests.sinks.receivers import WORK_TEMPLATE, WorkOrders
from tests.sinks.servers import HttpServer, serving
from tests.telemetry.receivers import Receiver, attributes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STAGES = ["decode", "quality", "features", "score", "policy", "encode"]
KINDS = {
    "send": Span.SPAN_KIND_PRODUCER,
    "receive": Span.SPAN_KIND_CLIENT,
    "process": Span.SPAN_KIND_CONSUMER,
}
KNOWN = {
    value
    for module in (messaging_attributes, error_attributes, server_attributes)
    for name, value in vars(module).items()
    if name.isupper()
}


class Sent(Plant):
    """A plant whose blocks a program of ours sends."""

    sender: Sender

    def run(self, rounds, level=1.0, asset=PUMP):
        for i in range(self._next, self._next + rounds):
            for each in ASSETS:
                block = self._block(each, i, source_ns=self._begun_ns + i * 160_000_000)
                self.sender.send(replace(block, samples=block.samples * (level if each == asset else 1.0)))
        self.sender.flush()
        self._next += rounds


@pytest.fixture
def plant(quick, tmp_path, open_topics, make_block, poll_until):
    """Registered pumps, a policy in a file, and a warm-up that is soon over."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "quick.toml").write_text(POLICY)
    settings = replace(quick, alerts=replace(quick.alerts, policies=(str(tmp_path / "policies"),)))
    topics = open_topics(settings)
    with Sender(settings) as sender:
        for each in ASSETS:
            sender.send(Asset(asset=each, path=("acme", "north", "water", "line 1"), asset_class="pump"))
    return Sent(settings, topics, make_block, poll_until)


@pytest.fixture
def takers(monkeypatch, tmp_path):
    """An OTLP receiver and a real Zipkin, which all processes of the test report to."""
    try:
        made = Zipkin(tmp_path / "zipkin", port=0)
    except ForeshockError as exc:  # its jar is fetched once
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no Zipkin: {exc}")
    receiver = Receiver()
    with made as zipkin:
        zipkin.wait_ready()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        for name, value in {**zipkin.environment(), "OTEL_BSP_SCHEDULE_DELAY": "300"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FORESHOCK_TELEMETRY__LOG_FORMAT", "json")
        yield receiver, zipkin
    receiver.close()


def start_deliver(plant, tmp_path, url: str) -> Deliver:
    """`foreshock deliver` with a system of work orders behind it."""
    template, config = tmp_path / "orders.json", tmp_path / "deliver.toml"
    template.write_text(json.dumps(WORK_TEMPLATE), encoding="utf-8")
    config.write_text(
        f'[kafka]\nbootstrap = "{plant.settings.kafka.bootstrap}"\n[topics]\nprefix = "{plant.settings.topics.prefix}"\n'
        f'[worker]\ngroup = "{plant.settings.worker.group}"\n[deliver.orders]\nkind = "rest"\nurl = "{url}"\n'
        f'template = "{template}"\nstart = "beginning"\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-c", START, "deliver", "--config", str(config)]
    return Deliver(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))


def of_trace(receiver: Receiver, trace_id: str) -> dict[str, tuple[Span, dict[str, str]]]:
    """Spans of a trace by id, each once."""
    return {span.span_id.hex(): (span, who) for span, who in receiver.told() if span.trace_id.hex() == trace_id}


def whole(spans: dict[str, tuple[Span, dict[str, str]]], prefix: str) -> bool:
    """Whether everything has come: the work order was taken up, and every parent but one is there."""
    names = {span.name for span, _ in spans.values()}
    orphans = [span for span, _ in spans.values() if span.parent_span_id.hex() not in spans]
    return {f"process {prefix}maintenance.v1", "deliver orders"} <= names and len(orphans) == 1


def zipkin_trace(zipkin: Zipkin, trace_id: str) -> list[dict[str, Any]]:
    """A trace as Zipkin's API gives it; none where it has not come."""
    try:
        with urllib.request.urlopen(f"{zipkin.url}/api/v2/trace/{trace_id}", timeout=20) as answer:
            return list(json.load(answer))
    except urllib.error.HTTPError:
        return []


def child(spans, parent: Span, name: str) -> Span:
    """The one child of a span with this name."""
    (found,) = (span for span, _ in spans.values() if span.name == name and span.parent_span_id == parent.span_id)
    return found


def check_tree(spans: dict[str, tuple[Span, dict[str, str]]], prefix: str, raised: dict[str, Any]) -> None:
    """From the gateway to the work order: who is whose child, and who made it."""
    services = {span.name: who["service.name"] for span, who in spans.values()}
    (sent,) = (span for span, _ in spans.values() if not span.parent_span_id)
    assert (sent.name, services[sent.name]) == (f"send {prefix}sensors.v1", "foreshock-feed")
    process = child(spans, sent, f"process {prefix}sensors.v1")
    assert [link.span_id for link in process.links] == [sent.span_id]
    stages = [f"queue {prefix}sensors.v1", f"receive {prefix}sensors.v1", *STAGES]
    made = [child(spans, process, name) for name in stages]
    assert [span.start_time_unix_nano for span in made] == sorted(span.start_time_unix_nano for span in made)
    assert child(spans, process, "score").links  # those before it in its window
    published = next(
        span
        for span, _ in spans.values()
        if span.parent_span_id == process.span_id and attributes(span).get("foreshock.event_id") == raised["event_id"]
    )
    assert published.name == f"send {prefix}alerts.v1"
    taken = child(spans, published, f"process {prefix}alerts.v1")
    delivered = child(spans, taken, "deliver orders")
    assert services["deliver orders"] == "foreshock-deliver"
    order = child(spans, delivered, f"process {prefix}maintenance.v1")
    assert services[order.name] == "foreshock-worker"
    assert child(spans, order, f"send {prefix}alerts.v1")


def check_conventions(spans: dict[str, tuple[Span, dict[str, str]]]) -> None:
    """Names, kinds, attributes and resources are those of OpenTelemetry's conventions, or plainly our own."""
    for span, who in spans.values():
        about = attributes(span)
        assert all(name in KNOWN or name.startswith("foreshock.") for name in about), about
        if operation := about.get("messaging.operation.type"):
            assert span.name == f"{about['messaging.operation.name']} {about['messaging.destination.name']}"
            assert span.kind == KINDS[operation], span.name
            assert about["messaging.system"] == "kafka"
            assert about["messaging.client.id"]
            assert about["messaging.destination.partition.id"].isdecimal()
        assert {"service.name", "service.instance.id", "service.version", "host.name"} <= set(who)
        assert span.start_time_unix_nano <= span.end_time_unix_nano


def test_trace_from_the_gateway_to_the_work_order_and_no_block_rests_on_it(
    plant, takers, start_worker, poll_until, tmp_path
):
    """An alert's trace comes whole over OTLP and in Zipkin's API; then both are killed, and every block has its score."""
    receiver, zipkin = takers
    prefix = plant.settings.topics.prefix
    with serving(HttpServer(WorkOrders())) as server, ExitStack() as running:
        worker = start_worker(plant.settings, "--slot", "0")
        deliver = start_deliver(plant, tmp_path, server.url)
        running.callback(deliver.end)
        plant.sender = running.enter_context(Sender(plant.settings, spans=Sending(plant.settings, program="feed")))
        plant.run(60)
        plant.until("raised", worker, level=2.5)
        poll_until(lambda: "work_order" in plant.changes(), 90, lambda: f"{plant.changes()} {deliver.lines}")
        raised = next(each for each in plant.told() if each["change"] == "raised")
        trace_id = raised["trace_id"]
        poll_until(
            lambda: whole(of_trace(receiver, trace_id), prefix),
            90,
            lambda: str([(span.name, span.parent_span_id.hex()) for span, _ in of_trace(receiver, trace_id).values()]),
        )
        spans = of_trace(receiver, trace_id)
        check_tree(spans, prefix, raised)
        check_conventions(spans)

        poll_until(lambda: {each["id"] for each in zipkin_trace(zipkin, trace_id)} >= set(spans), 90, "not in Zipkin")
        parents = {each["id"]: each.get("parentId", "") for each in zipkin_trace(zipkin, trace_id)}
        assert {number: parents[number] for number in spans} == {
            number: span.parent_span_id.hex() for number, (span, _) in spans.items()
        }

        receiver.close()
        zipkin.process.kill()
        before = plant._next
        deadline = time.monotonic() + 90
        while plant._next < before + 40:
            plant.run(4, level=20.0)  # worse than before: there are events to tell of, and nobody to tell
        while sum(plant.topics.ends("scores.v1").values()) < len(ASSETS) * plant._next:
            assert time.monotonic() < deadline, worker.shown()
            time.sleep(0.1)
        worker.wait_for("do not reach", 90)
        assert (deliver.end(), worker.stop()) == (0, 0)

    places = [output.place for output in plant.topics.read("scores.v1")]
    assert len(places) == len(set(places)) == len(ASSETS) * plant._next
    lines = [json.loads(line) for line in worker.lines if line.startswith("{")]
    told = [line for line in lines if line["message"].startswith(f"alert raised: {PUMP}")]
    assert [(line["trace_id"], line["event_id"]) for line in told] == [(trace_id, raised["event_id"])]
