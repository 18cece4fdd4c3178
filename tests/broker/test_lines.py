"""Incidents of lines on the real broker: each transition once, whoever is killed, and one page for a line that stops."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from typer.testing import CliRunner

from foreshock.alerts.lines import Lines
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change, CommandKind
from foreshock.cli import app
from foreshock.settings_deliver import TOLD
from foreshock.streams.coders import encoder_for
from foreshock.streams.errands.asking import incidents, targets
from foreshock.streams.errands.tailing import records
from foreshock.streams.kafka import consumer_config
from foreshock.streams.lines import keeping
from foreshock.streams.partitioner import partition_for
from foreshock.streams.sinks.source import group_of, transition
from foreshock.streams.topics import ensure
from tests.alerts.test_lines import Hall
from tests.sinks.receivers import Endpoint
from tests.sinks.servers import HttpServer, serving

COMMAND = "import sys; from foreshock.cli import main; sys.argv[1] = '{}'; main()"
HALL = ("acme", "north", "hall-1")
LINES = 6
MACHINES = ("press", "fan", "belt", "robot")
BEGUN = "incidents of lines: 0 are open; on from"


def stopped_lines() -> list[AlertTransition]:
    """Six lines stop, and a pump that stands on none alarms; all but the first line are over at the end."""
    paths = {f"{name}-{number}": (*HALL, f"line-{number}") for number in range(LINES) for name in MACHINES}
    hall = Hall(pump=("acme",), **paths)
    for second, name in enumerate(hall.machines):
        hall.do(name, "row", second, 2.5)
    for name in paths:
        if name.startswith("belt"):
            hall.do(name, "row", 60, 4.5)
    for second, name in enumerate(hall.machines):
        if not name.endswith("-0"):
            hall.do(name, "ask", CommandKind.ACKNOWLEDGE, 100 + second)
            hall.do(name, "row", 200 + second, 0.2)
            hall.do(name, "tick", 300 + second)
    return hall.told


@pytest.mark.slow
def test_each_transition_leads_to_one_record_whoever_is_killed(
    settings, open_topics, start_worker, poll_until, tmp_path, caplog
):
    """SIGKILL of the one that works, and events that come again: incidents.v1 holds each once, as the machine folds them."""
    topics = open_topics(settings)
    told = stopped_lines()
    encode = encoder_for(settings, "alerts.v1").encode

    def send(alerts):
        for each in alerts:
            partition = partition_for(each.asset.encode(), settings.topics.partitions)
            given = [("traceparent", f"00-{each.trace_id}-{each.event_id[:16]}-01")]
            topics.producer.produce(
                topics.name("alerts.v1"), encode(each), each.alert_id.encode(), partition, headers=given
            )
        topics.flush()

    def grouped():
        return [each.cause or each.event_id for each in told_of(settings)]

    def start(command, *more):
        return start_worker(settings, *more, script=COMMAND.format(command))

    topics.producer.produce(topics.name("alerts.v1"), b"before", b"pump", 0)
    topics.flush()
    stands = {**consumer_config(settings), "group.id": group_of(settings, "pager"), "log_level": 2}
    was = Consumer(stands)  # the pager was told of alerts until now
    was.commit(offsets=[TopicPartition(topics.name("alerts.v1"), 0, 0)], asynchronous=False)
    was.close()
    endpoint = Endpoint()
    with serving(HttpServer(endpoint)) as server:
        config = tmp_path / "deliver.toml"
        config.write_text(
            f'[deliver.pager]\nkind = "webhook"\nurl = "{server.url}"\nper = "line"\nstart = "beginning"\n'
        )
        deliver = start("deliver", "--config", str(config))
        deliver.wait_for(BEGUN)
        deliver.wait_for("sink pager: 1 records of")
        second = start("lines")
        second.wait_for("incidents of lines: ")
        part = len(told) // 4
        for number, killed in enumerate((deliver, second, None, None)):
            # a worker that was killed sends its last ones again
            send(told[max(0, number * part - 10) : (number + 1) * part])
            if killed:  # while it works: what it had not committed is done by the next
                poll_until(lambda count=number: len(grouped()) > count * part, 90)
                killed.stop(signal.SIGKILL)
                if killed is deliver:
                    deliver = start("deliver", "--config", str(config))
                else:
                    second = start("lines")
        send(told[4 * part :])
        poll_until(lambda: len(grouped()) >= len(told), 120, lambda: f"{deliver.shown()}\n{second.shown()}")
        pages = {each.event_id for each in told_of(settings) if each.change in TOLD}
        poll_until(lambda: {key for _, key in endpoint.received} >= pages, 90, deliver.shown)
        assert set(targets(settings, next(iter(incidents(settings))))) == {  # in the order in which they were folded
            (each.asset, each.alert_id) for each in told if each.change is Change.RAISED and each.asset.endswith("-0")
        }
        shown = open_lines(settings)
        assert second.stop() == 0, second.shown()
        assert deliver.stop() == 0, deliver.shown()

    assert [each["asset"] for each in shown] == ["/".join((*HALL, "line-0"))]
    assert sorted(grouped()) == sorted(each.event_id for each in told)
    info = ensure(settings)["lines.v1"]
    kept = keeping.read(settings, info)[0]
    by_line = defaultdict(list)
    for each in told_of(settings):
        by_line[each.line].append(each)
    sources = {each.event_id: each for each in told}
    for line, found in by_line.items():  # the order on record is the order in which they were folded
        machine = Lines()
        assert found == [machine.take(sources[each.cause or each.event_id])[0] for each in found]
        assert machine.standing() == (1 if line.endswith("line-0") else 0)
        assert kept.get(line, ()) == machine.state(line)
    incident = defaultdict(list)
    for each in (one for found in by_line.values() for one in found):
        incident[each.alert_id].append(each.change)
    assert len(incident) == LINES + 1
    assert all(changes[0] is Change.RAISED for changes in incident.values())
    assert sum(changes[-1] is Change.CLOSED for changes in incident.values()) == LINES
    assert len(pages) < len(told) / 2
    assert list(kept) == ["/".join((*HALL, "line-0"))]
    where = partition_for(next(iter(kept)).encode(), info.partitions)
    topics.producer.produce(topics.name("lines.v1"), b"damaged", next(iter(kept)).encode(), where)
    topics.flush()
    assert keeping.read(settings, info)[0] == {}
    assert "the incidents of acme/north/hall-1/line-0 are lost" in caplog.text


def open_lines(settings) -> list[dict[str, Any]]:
    """What `foreshock alerts --open --lines` says of one machine that stands there."""
    place = ("--bootstrap", settings.kafka.bootstrap, "--prefix", settings.topics.prefix)
    ran = CliRunner().invoke(app, ["alerts", "fan-0", "--open", "--lines", "--json", *place])
    assert ran.exit_code == 0, ran.output
    return [json.loads(line) for line in ran.output.splitlines()]


def told_of(settings) -> list[AlertTransition]:
    """What is committed on incidents.v1, each partition in order, as sinks read it."""
    found = records(settings, "incidents.v1", beginning=True, follow=False)
    return [transition(message.value(), None) for message in found]
