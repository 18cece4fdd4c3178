"""Sinks that are told of the incidents of lines: whom they concern, what they say, and one work request for all."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import Change, CommandKind, WorkKind
from foreshock.streams.sinks.closures import Open
from foreshock.streams.sinks.filters import wanted
from foreshock.streams.sinks.rest import RestSink
from foreshock.streams.sinks.words import description, title, words
from foreshock.streams.sinks.work_request import lacks, orders
from tests.alerts.test_lines import LINE, Hall, folded
from tests.sinks.making import Delivery, a_sink, plain
from tests.sinks.receivers import WORK_TEMPLATE, Published, WorkOrders
from tests.sinks.servers import HttpServer, serving


def incident() -> list[AlertTransition]:
    """A press alarms, a fan joins, a robot in a cell of the line joins and is worse; all are acknowledged."""
    hall = Hall(press=LINE, fan=LINE, robot=(*LINE, "cell-2"))
    for second, (name, score) in enumerate({"press": 2.5, "fan": 1.2, "robot": 4.5}.items()):
        hall.do(name, "row", second, score)
    for name in hall.machines:
        hall.do(name, "ask", CommandKind.ACKNOWLEDGE, 20)
    return folded(hall.told)


RAISED, JOINED, ESCALATED, *_, ACKNOWLEDGED = incident()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, [RAISED, ESCALATED, ACKNOWLEDGED]),
        ({"assets": ("press",)}, [RAISED, ESCALATED, ACKNOWLEDGED]),
        ({"assets": ("fan",)}, [JOINED, ESCALATED, ACKNOWLEDGED]),
        ({"assets": ("*/line-3",)}, [RAISED, ESCALATED, ACKNOWLEDGED]),
        ({"sites": ("*/cell-2",)}, [ESCALATED, ACKNOWLEDGED]),
        ({"sites": ("*/line-4",)}, []),
        ({"assets": ("fan",), "changes": (Change.ACKNOWLEDGED,)}, [ACKNOWLEDGED]),
        ({"changes": (Change.JOINED,)}, [JOINED]),
    ],
)
def test_who_is_concerned_by_one_machine_is_told_of_the_incident(settings, told):
    """From when that machine is part of it, whatever its part; a machine that only joins calls nobody who knows already."""
    settings = {"changes": (Change.RAISED, Change.ESCALATED, Change.ACKNOWLEDGED), **settings}

    assert [each for each in incident() if wanted(each, plain(**settings))] == told


def test_a_message_says_which_machines():
    """The line in the title; each machine with how it stands; the steps are those of the worst."""
    assert title(ESCALATED) == "CRITICAL acme/north/hall-1/line-3: escalated"
    machines = "press (warning, unacknowledged), fan (watch, unacknowledged), robot (critical, unacknowledged)"
    assert f"Line: acme/north/hall-1/line-3; machines: {machines}" in description(ESCALATED)
    assert words(ESCALATED)["machines"] == machines
    assert words(replace(RAISED, members=(), asset="press"))["machines"] == "press"


def test_a_line_gets_one_work_request_and_each_alert_its_number(tmp_path):
    """Made once under the incident's id; each machine's alert hears of it when it is part of it, and from then on has it."""
    template = tmp_path / "orders.json"
    template.write_text(json.dumps(WORK_TEMPLATE))
    system, published = WorkOrders(), Published()
    with serving(HttpServer(system)) as server:
        settings = a_sink("rest", url=server.url, template=str(template))
        for _ in range(2):  # the second process knows nothing of the first
            delivery = Delivery(RestSink(settings, published), settings)
            asyncio.run(delivery.run([RAISED, JOINED, ESCALATED]))
    had = replace(ESCALATED, members=tuple(replace(each, work_order="WO-1") for each in ESCALATED.members))
    opened = orders(ESCALATED, "test", "WO-1", WorkKind.OPENED, 1)

    assert system.made == [RAISED.alert_id]
    assert [each.asset for each in published.records] == ["press", "fan", "robot"] * 2
    assert [each.record_id for each in published.records] == [each.record_id for each in opened] * 2
    assert {each.incident_id for each in published.records} == {RAISED.alert_id}
    assert lacks(ESCALATED) == [each.alert_id for each in opened]
    assert lacks(had) == []


def test_the_work_order_of_a_line_is_open_for_each_machine():
    """It is looked up by the incident, and closed machine by machine."""
    sink = Open("cmms")
    made = orders(ESCALATED, "cmms", "7", WorkKind.OPENED, 1)
    for each in made:
        sink.take(each)

    assert [(each.asset, each.incident_id) for each in sink.raised()] == [
        (name, RAISED.alert_id) for name in ("press", "fan", "robot")
    ]
    sink.take(orders(ESCALATED, "cmms", "7", WorkKind.CLOSED, 2)[1])
    assert [each.asset for each in sink.raised()] == ["press", "robot"]
    assert len({each.record_id for each in made}) == 3
