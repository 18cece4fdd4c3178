"""`foreshock deliver` on the real broker: its own offsets, what is refused, work orders that come back, kills."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from foreshock.alerts.records import AlertTransition, WorkOrder
from foreshock.alerts.vocabulary import WorkKind
from foreshock.cli.deliver import run as deliver_command
from foreshock.contract import Origin
from foreshock.settings import Settings
from foreshock.streams.coders import decoder_for, encoder_for
from foreshock.streams.errands.redrive import letters, redrive
from foreshock.streams.partitioner import partition_for
from foreshock.streams.spans.store import SpanStore
from tests.sinks.making import alert, assert_at_least_once_in_order, assert_each_came_in_order, lives
from tests.sinks.receivers import WORK_TEMPLATE, Endpoint, WorkOrders
from tests.sinks.servers import HttpServer, Script, free_port, serving

START = "from foreshock.cli import main; main()"


@dataclass
class Plant:
    """Topics, a settings file, and processes that deliver."""

    settings: Settings
    topics: Any
    config: Path
    running: ExitStack
    until: Callable[..., None]

    def configure(self, sinks: str, instance_id: str = "") -> None:
        kafka, topics, worker = self.settings.kafka, self.settings.topics, self.settings.worker
        self.config.write_text(
            f'[kafka]\nbootstrap = "{kafka.bootstrap}"\n[topics]\nprefix = "{topics.prefix}"\n'
            f'[worker]\ngroup = "{worker.group}"\ninstance_id = "{instance_id}"\n[telemetry]\nstore = "{self.config.parent / "spans"}"\n{sinks}',
            encoding="utf-8",
        )

    def start(self) -> Deliver:
        process = subprocess.Popen(
            [sys.executable, "-c", START, "deliver", "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        made = Deliver(process)
        self.running.callback(made.end)
        return made

    def send(self, alerts: list[AlertTransition], headers: Any = ()) -> None:
        """Put transitions where a worker puts them: all of an asset in the partition of its input."""
        encoder = encoder_for(self.settings, "alerts.v1")
        for each in alerts:
            partition = partition_for(each.asset.encode(), self.settings.topics.partitions)
            self.topics.producer.produce(
                self.topics.name("alerts.v1"), encoder.encode(each), each.alert_id.encode(), partition, headers=list(headers)
            )  # fmt: skip
        self.topics.flush()

    def work_orders(self) -> list[tuple[WorkOrder, dict[str, bytes]]]:
        """What stands on `maintenance.v1`, decoded as the worker does, with its headers."""
        decoder, found = decoder_for(self.settings), []
        for message in self.topics.raw("maintenance.v1"):
            at_ns = message.timestamp()[1] * 1_000_000
            origin = Origin(topic="maintenance.v1", topic_id="", partition=0, offset=0, ingest_ns=at_ns)
            record = decoder.decode_work_order(message.value(), origin=origin, key=message.key())
            found.append((record, dict(message.headers() or ())))
        return found


class Deliver:
    """`foreshock deliver` in a process of its own, with all that it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines += (line.rstrip() for line in iter(self.process.stdout.readline, ""))

    def said(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def end(self, number: int = signal.SIGTERM, seconds: float = 15.0) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)


@pytest.fixture
def plant(settings, open_topics, tmp_path, poll_until):
    with ExitStack() as running:
        yield Plant(settings, open_topics(settings), tmp_path / "foreshock.toml", running, poll_until)


def test_sink_that_is_down_holds_up_no_other_and_gets_everything_later(plant, tmp_path):
    """Each sink has its own offsets: one delivers while the other is away; what is back gets all of it, in order, traced."""
    sent, first, second = lives(60), Endpoint(), Endpoint()
    port = free_port()
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    with serving(HttpServer(first)) as up:
        plant.configure(
            f'[deliver.up]\nkind = "webhook"\nurl = "{up.url}"\nstart = "beginning"\n'
            f'[deliver.away]\nkind = "alertmanager"\nurl = "http://127.0.0.1:{port}"\nstart = "beginning"\n'
            "backoff_s = 0.05\nlongest_backoff_s = 0.2\n"
        )
        plant.send(sent, [("traceparent", trace.encode())])
        process = plant.start()
        plant.until(lambda: len(first.received) >= 60, 60, lambda: "\n".join(process.lines))
        plant.until(lambda: process.said("sink away is down: cannot be reached"), 20)
        with serving(HttpServer(second), port):
            plant.until(lambda: len(second.received) >= 60, 30, lambda: "\n".join(process.lines))
            assert process.end() == 0

    assert_at_least_once_in_order(first.received, sent)
    assert_at_least_once_in_order(second.received, sent)
    assert process.said("sink away is back after ")
    assert process.said("sink up: delivered 60")
    assert all(headers["traceparent"].startswith(f"00-{'ab' * 16}-") for headers in up.headers)
    spans = {span.name: span for span in SpanStore(tmp_path / "spans").trace("ab" * 16)}
    taken = f"process {plant.topics.name('alerts.v1')}"
    assert spans.keys() == {taken, "deliver up", "deliver away"}
    assert spans[taken].parent_id == "cd" * 8


@pytest.mark.slow
def test_kills_lose_nothing(plant):
    """SIGKILL again and again while it delivers to a sink that fails: at least once, each alert in order."""
    sent, endpoint = lives(90), Endpoint()
    script = Script(("ok", "503", "cut", "cut after"), (0.7, 0.1, 0.1, 0.1))
    with serving(HttpServer(endpoint, script)) as server:
        plant.configure(
            f'[deliver.hook]\nkind = "webhook"\nurl = "{server.url}"\nstart = "beginning"\nper_s = 60\nburst = 5\n'
            "backoff_s = 0.01\nlongest_backoff_s = 0.1\n",
            instance_id="hall",
        )
        plant.send(sent)
        kills = 0
        while len(set(endpoint.received)) < len(sent):
            before = len(endpoint.received)
            process = plant.start()
            enough = min(before + 25, len(sent) * 3)
            plant.until(
                lambda: len(endpoint.received) >= enough or len(set(endpoint.received)) == len(sent),  # noqa: B023
                60,
                lambda: "\n".join(process.lines),  # noqa: B023
            )
            process.end(signal.SIGKILL)
            kills += 1

    assert kills >= 3
    assert_each_came_in_order(endpoint.received, sent)


def test_stop_does_not_wait_for_a_sink_that_hangs_and_nothing_is_passed_over(plant):
    """SIGTERM ends it within 10 s though a sink never answers; what was not answered comes again, what was does not."""
    sent, endpoint = [alert(f"m{number}") for number in range(6)], Endpoint()
    with serving(HttpServer(endpoint, Script(once=["ok", "late"]), late_s=30)) as server:
        plant.configure(f'[deliver.hook]\nkind = "webhook"\nurl = "{server.url}"\ntimeout_s = 60\nparallel = 1\n')
        process = plant.start()
        plant.until(lambda: process.said("sink hook has partitions "), 60, lambda: "\n".join(process.lines))
        plant.until(
            lambda: committed(plant) is not None, 30
        )  # it begins at the end, and that is on record from then on
        plant.send(sent)
        plant.until(lambda: len(endpoint.received) == 2, 30, lambda: "\n".join(process.lines))
        began = time.monotonic()
        code = process.end()
        took = time.monotonic() - began
        again = plant.start()
        plant.until(lambda: len(set(endpoint.received)) == 6, 40, lambda: "\n".join(again.lines))
        again.end()

    assert (code, took < 10) == (0, True)
    assert len(endpoint.received) == 7  # the one that hung, twice


def committed(plant):
    """Offsets of the sink's group; None while there are none."""
    from confluent_kafka import Consumer, TopicPartition

    given = {
        "bootstrap.servers": plant.settings.kafka.bootstrap,
        "group.id": f"{plant.settings.worker.group}-deliver-hook",
    }
    consumer = Consumer({**given, "enable.auto.commit": False, "log_level": 2})
    try:
        asked = [TopicPartition(plant.topics.name("alerts.v1"), n) for n in range(plant.settings.topics.partitions)]
        found = [each.offset for each in consumer.committed(asked, 20)]
        return found if min(found) >= 0 else None
    finally:
        consumer.close()


def test_refused_is_a_dead_letter_and_can_be_sent_again(plant, capsys):
    """4xx and bytes that are no transition are set aside with their reason; the alert goes on; `--redrive` sends them again."""
    sent, endpoint = [alert("m1", step) for step in range(4)], Endpoint()
    with serving(HttpServer(endpoint, Script(once=["ok", "400"]))) as server:
        plant.configure(f'[deliver.hook]\nkind = "webhook"\nurl = "{server.url}"\nstart = "beginning"\n')
        partition = partition_for(b"m1", plant.settings.topics.partitions)
        plant.topics.producer.produce(plant.topics.name("alerts.v1"), b"nonsense", b"x", partition)
        plant.send(sent)
        process = plant.start()
        plant.until(lambda: len(endpoint.received) == 3, 60, lambda: "\n".join(process.lines))
        plant.until(lambda: len(plant.topics.read("dead-letters.v1")) == 2, 20)
        assert process.end() == 0
        found = {each.reason: each for each in letters(plant.settings)}
        left = list(redrive(plant.settings, [found["undeliverable"]]))
        with pytest.raises(BaseException, match="1"):
            deliver_command(plant.config, redrive=True)
        told = capsys.readouterr().out

    refused = found["undeliverable"]
    assert refused.sentence == "sink hook refuses it: 400 Bad Request: no, not now"
    assert dict(refused.headers)["deliver-sink"] == b"hook"
    assert found.keys() == {"undeliverable", "unknown_framing"}
    assert "deliver --redrive" in left[0].why_not
    assert [event for _, event in endpoint.received] == [sent[n].event_id for n in (0, 2, 3, 1)]
    assert "hook: delivered" in told
    assert "1 delivered, 1 left" in told
    assert {each.reason: each.sent for each in letters(plant.settings)} == {"undeliverable": 1, "unknown_framing": 0}


def test_work_order_comes_back_to_the_alert_and_so_does_its_end(plant, tmp_path):
    """One request for an alert, its number on `maintenance.v1` in the alert's trace; closed there, it is closed here."""
    orders, trace = WorkOrders(), "ef" * 16
    template = tmp_path / "orders.json"
    template.write_text(json.dumps(WORK_TEMPLATE), encoding="utf-8")
    with serving(HttpServer(orders, Script(once=["ok", "cut after"]))) as server:
        plant.configure(
            f'[deliver.orders]\nkind = "rest"\nurl = "{server.url}"\ntemplate = "{template}"\nstart = "beginning"\n'
            'severity = "warning"\nlook_again_s = 0\nbackoff_s = 0.05\nclosures_s = 0.3\n'
        )
        plant.send([alert("m1", step) for step in range(4)], [("traceparent", f"00-{trace}-{'cd' * 8}-01".encode())])
        process = plant.start()
        plant.until(plant.work_orders, 60, lambda: "\n".join(process.lines))
        orders.closed.add("WO-1")
        plant.until(lambda: len(plant.work_orders()) == 2, 30, lambda: "\n".join(process.lines))
        looks = server.paths.count(f"/find?ref={alert('m1').alert_id}")
        assert process.end() == 0

    (opened, headers), (closed, _) = plant.work_orders()
    assert orders.made == [alert("m1").alert_id]
    assert looks >= 3  # before it was made, after the answer was lost, and whether it is closed
    assert (opened.kind, opened.work_order, opened.alert_id, opened.asset) == (
        WorkKind.OPENED, "WO-1", alert("m1").alert_id, "m1",
    )  # fmt: skip
    assert opened.actor == "deliver:orders"
    assert headers["traceparent"].decode()[3:35] == trace
    assert (closed.kind, closed.work_order, closed.alert_id) == (WorkKind.CLOSED, "WO-1", opened.alert_id)


def test_two_processes_share_the_partitions(plant):
    """A second process takes over a part, and all when the first one goes; nothing is lost on the way."""
    sent, endpoint = lives(120), Endpoint()
    with serving(HttpServer(endpoint)) as server:
        plant.configure(
            f'[deliver.hook]\nkind = "webhook"\nurl = "{server.url}"\nstart = "beginning"\nper_s = 40\nburst = 1\n'
        )
        plant.send(sent)
        first = plant.start()
        plant.until(lambda: len(endpoint.received) >= 10, 60, lambda: "\n".join(first.lines))
        second = plant.start()
        plant.until(lambda: second.said("sink hook has partitions "), 40)
        plant.until(lambda: len(endpoint.received) >= 60, 60)
        assert first.end() == 0
        plant.until(lambda: len(set(endpoint.received)) == len(sent), 60, lambda: "\n".join(second.lines))
        assert second.end() == 0

    assert_each_came_in_order(endpoint.received, sent)
    assert len(endpoint.received) < 2 * len(sent), "what was done was committed before it was given up"


def test_nothing_is_skipped_where_reading_stops_and_goes_on_all_the_time(plant):
    """A small window is full again and again: every transition arrives all the same, each once."""
    sent, endpoint = lives(200), Endpoint()
    with serving(HttpServer(endpoint)) as server:
        plant.configure(
            f'[deliver.hook]\nkind = "webhook"\nurl = "{server.url}"\nstart = "beginning"\nwindow = 20\nparallel = 2\n'
        )
        plant.send(sent)
        process = plant.start()
        plant.until(
            lambda: len(set(endpoint.received)) == len(sent), 60, lambda: f"{len(endpoint.received)} {process.lines}"
        )
        assert process.end() == 0

    assert_at_least_once_in_order(endpoint.received, sent)
    assert len(endpoint.received) == len(sent)
