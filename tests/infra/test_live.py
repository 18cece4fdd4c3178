"""A real Prometheus scrapes our endpoints under our configuration, keeps our rules, and answers what the dashboards ask."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack

import pytest
import yaml

from foreshock.streams.metrics.endpoint import Endpoint, Health, bind
from foreshock.streams.metrics.model import Kind, Process
from foreshock.streams.metrics.values import Values
from tests.infra.known import RULE_FILES, load
from tests.infra.test_dashboards import PANELS

pytestmark = pytest.mark.slow

WAIT_S = 120.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
JOBS = {
    "foreshock-worker": (Process.WORKER, Process.WORKER),  # two, so that a rule that mixes up processes is told
    "foreshock-deliver": (Process.DELIVER,),
    "foreshock-cases": (Process.CASES,),
}
CHOSEN = {
    "$__rate_interval": "10s",
    "$__range": "1m",
    "$asset_class": ".*",
    "$asset": "any",
    "$instance": ".*",
    "$sink": ".*",
}


def live(values, stopping):
    """Let every series of a process move: labels whose values come from data get one."""
    one = lambda metric: tuple(label.values[0] if label.values else "any" for label in metric.labels)
    drawn = [metric for metric in values.metrics if metric.kind is Kind.HISTOGRAM]
    shown = [
        (metric, labels)
        for metric in values.metrics
        if metric not in drawn
        for labels in {one(metric), *(labels for labels, _ in values.numbers(metric.name))}
    ]
    while not stopping.wait(0.2):
        for metric, labels in shown:
            values.add(metric.name, labels) if metric.kind is Kind.COUNTER else values.put(metric.name, 1.0, labels)
        for metric in drawn:
            found = values.histogram(metric.name, one(metric))
            found.observe(metric.buckets)
            if metric.exemplars:
                found.remember(metric.buckets[3], TRACE, 1, time.time())


class Server:
    """A Prometheus of the test's own."""

    def __init__(self, process):
        self._said = []
        self._process = process
        deadline = time.monotonic() + WAIT_S
        for line in process.stderr:
            self._said.append(line)
            if found := re.search(r'"Listening on" address=(\S+)', line):
                self.address = f"http://{found[1]}/api/v1"
                break
            assert time.monotonic() < deadline
        else:
            pytest.fail("prometheus ended:\n" + "".join(self._said))
        threading.Thread(target=lambda: self._said.extend(process.stderr), daemon=True).start()
        while isinstance(self.ask("rules"), str):  # it listens before it is ready
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def ask(self, what, **query):
        """One call of its API; an answer that is an error comes as its text."""
        try:
            with urllib.request.urlopen(f"{self.address}/{what}?{urllib.parse.urlencode(query)}", timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as exc:
            return exc.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Prometheus under infra/prometheus/prometheus.yml; only targets and intervals are those of a test."""
    if shutil.which("prometheus") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("prometheus is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules").mkdir()
    for path in RULE_FILES:
        text = re.sub(r"interval: \d+m", "interval: 1s", path.read_text(encoding="utf-8"))
        (folder / "rules" / path.name).write_text(text, encoding="utf-8")
    config = load("infra/prometheus/prometheus.yml")
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    jobs = {job["job_name"]: job for job in config["scrape_configs"]} | {
        "foreshock-cases": {"job_name": "foreshock-cases"}
    }
    with ExitStack() as running:
        stopping = threading.Event()
        running.callback(stopping.set)
        for name, processes in JOBS.items():
            targets = []
            for process in processes:
                values = Values(process)
                endpoint = Endpoint(bind("127.0.0.1:0", "test"), values, Health(60.0))
                running.callback(endpoint.close)
                targets.append(endpoint.address.removeprefix("http://"))
                threading.Thread(target=live, args=(values, stopping), daemon=True).start()
            jobs[name]["static_configs"] = [{"targets": targets}]
        config["scrape_configs"] = [jobs[name] for name in JOBS]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                "--web.listen-address=127.0.0.1:0",
                "--enable-feature=exemplar-storage",
                "--log.format=logfmt",
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        running.callback(process.wait, 60)
        running.callback(process.terminate)
        yield Server(process)


def chosen(expression):
    """A query of a dashboard with a choice of its variables."""
    for name, value in CHOSEN.items():
        expression = expression.replace(name, value)
    return expression


def test_every_panel_gets_an_answer(server):
    """Each query of each dashboard is taken and finds series, but for what needs a day or a file that is not there."""
    asked = {
        chosen(target["expr"]): place
        for place, panel in PANELS
        for target in panel.get("targets", [])
        if "offset 1d" not in target["expr"]
    }
    deadline = time.monotonic() + WAIT_S
    while asked and time.monotonic() < deadline:
        for query in list(asked):
            answer = server.ask("query", query=query)
            assert not isinstance(answer, str), f"{asked[query]}: {answer}"
            if answer["result"]:
                del asked[query]
        time.sleep(0.2)

    assert asked == {}


def test_every_rule_is_evaluated_without_an_error(server):
    """No rule is refused for series of several processes that match each other twice."""
    deadline = time.monotonic() + WAIT_S
    rules = []
    while time.monotonic() < deadline:
        rules = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
        if rules and all(rule["health"] != "unknown" for rule in rules):
            break
        time.sleep(0.2)

    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    assert len(rules) > 70


def test_targets_are_up_and_exemplars_are_kept(server):
    """All four processes are scraped as OpenMetrics, so the latencies lead to traces."""
    deadline = time.monotonic() + WAIT_S
    found, up = [], []
    while not (found and len(up) == 4) and time.monotonic() < deadline:
        up = server.ask("query", query="up == 1")["result"]
        now = time.time()
        found = server.ask("query_exemplars", query="foreshock_end_to_end_seconds_bucket", start=now - 300, end=now + 5)
        time.sleep(0.2)

    assert {series["metric"]["job"] for series in up} == set(JOBS)
    assert {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]} == {TRACE}
