"""From the gateway to the work order and back: one trace, and the alert knows its number."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace

import pytest

from foreshock.contract import Asset
from foreshock.streams.errands.sender import Sender
from tests.broker.test_alerts import ASSETS, POLICY, PUMP, Plant
from tests.broker.test_deliver import START, Deliver
from tests.sinks.receivers import WORK_TEMPLATE, WorkOrders
from tests.sinks.servers import HttpServer, serving

pytestmark = pytest.mark.slow
TRACE = "5a" * 16


class Traced(Plant):
    """A plant whose gateway sends a trace context with each block."""

    def run(self, rounds, level=1.0, asset=PUMP):
        for i in range(self._next, self._next + rounds):
            for each in ASSETS:
                block = self._block(each, i, source_ns=self._begun_ns + i * 160_000_000)
                block = replace(block, samples=block.samples * (level if each == asset else 1.0))
                trace = f"00-{TRACE}-{i + 1:016x}-01".encode()
                self.topics.send(self.topics.encode(block), each.encode(), headers=[("traceparent", trace)])
        self.topics.flush()
        self._next += rounds


@pytest.fixture
def plant(quick, tmp_path, open_topics, make_block, poll_until):
    """Registered pumps, a policy in a file, and a warm-up that is soon over."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "quick.toml").write_text(f'group_by = "line"\n{POLICY}')
    settings = replace(quick, alerts=replace(quick.alerts, policies=(str(tmp_path / "policies"),)))
    topics = open_topics(settings)
    with Sender(settings) as sender:
        for each in ASSETS:
            sender.send(Asset(asset=each, path=("acme", "north", "water", "line 1"), asset_class="pump"))
    return Traced(settings, topics, make_block, poll_until)


@pytest.mark.parametrize("per", ["asset", "line"])
def test_alert_becomes_a_work_order_and_knows_its_number_in_one_trace(plant, start_worker, poll_until, tmp_path, per):
    """A fault, an alert, one work request; its number and its end come back to the alert; all in the gateway's trace.

    Also where the request is raised for the incident of the line.
    """
    orders = WorkOrders()
    template = tmp_path / "orders.json"
    template.write_text(json.dumps(WORK_TEMPLATE), encoding="utf-8")
    config = tmp_path / "deliver.toml"
    with serving(HttpServer(orders)) as server, ExitStack() as running:
        config.write_text(
            f'[kafka]\nbootstrap = "{plant.settings.kafka.bootstrap}"\n[topics]\nprefix = "{plant.settings.topics.prefix}"\n'
            f'[worker]\ngroup = "{plant.settings.worker.group}"\n[deliver.orders]\nkind = "rest"\nurl = "{server.url}"\n'
            f'template = "{template}"\nstart = "beginning"\nclosures_s = 0.3\nper = "{per}"\n',
            encoding="utf-8",
        )
        worker = start_worker(plant.settings, "--slot", "0")
        command = [sys.executable, "-c", START, "deliver", "--config", str(config)]
        deliver = Deliver(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        running.callback(deliver.end)
        poll_until(lambda: per == "asset" or deliver.said("are open; on from"), 90, lambda: "\n".join(deliver.lines))
        plant.run(60)
        plant.until("raised", worker, level=2.5)
        poll_until(lambda: "work_order" in plant.changes(), 60, lambda: f"{plant.changes()} {deliver.lines}")
        orders.closed.add("WO-1")
        poll_until(lambda: plant.changes().count("work_order") == 2, 60, lambda: f"{plant.changes()} {deliver.lines}")
        assert (deliver.end(), worker.stop()) == (0, 0)

    told = plant.told()
    raised, opened = (next(each for each in told if each["change"] == name) for name in ("raised", "work_order"))
    assert raised["line"] == "acme/north/water/line 1"
    assert (orders.made == [raised["alert_id"]]) == (per == "asset")
    assert len(orders.made) == 1
    assert (opened["alert_id"], opened["work_order"], opened["actor"]) == (raised["alert_id"], "WO-1", "deliver:orders")
    assert {each["trace_id"] for each in (raised, opened)} == {TRACE}
    creating = [given for given, path in zip(server.headers, server.paths, strict=True) if path == "/orders"]
    assert [given["traceparent"][3:35] for given in creating] == [TRACE]
