"""Many transitions through each kind of sink, with real servers that fail: nothing is lost, and order is kept.

How many: `SINK_TRANSITIONS` (300 here; the issue's figure is 10,000: `SINK_TRANSITIONS=10000 pytest tests/sinks/test_volume.py`).
"""

import asyncio
import json
import os
from collections import Counter

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from foreshock.streams.sinks.make import make
from tests.sinks.making import Delivery, a_sink, assert_at_least_once_in_order, lives
from tests.sinks.receivers import WORK_TEMPLATE, Endpoint, Mailbox, MailServer, Published, WorkOrders
from tests.sinks.servers import AFTER, HttpServer, Proxy, Script, mosquitto

COUNT = int(os.environ.get("SINK_TRANSITIONS", "300"))
LIMIT_S = 60 + COUNT / 10
# A third of all requests goes wrong, in every way that there is
WRONG = ("ok", "500", "503", "429", "cut", "500 after", "cut after", "twice", "late")
OFTEN = (0.66, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.03, 0.01)
DOUBTFUL = ("500", "cut", "500 after", "cut after", "late")

pytestmark = pytest.mark.slow


async def nowhere(*_):
    pass


def told(name, delivery, script, **more):
    """Print the figures: they go into the report of a full run."""
    counters = delivery.engine.told()
    print(f"\n{name}: {COUNT} transitions, {sum(script.did.values())} requests, {dict(script.did)}, {counters}, {more}")


def settings_of(kind, server, **changes):
    return a_sink(kind, url=server.url, timeout_s=0.5, parallel=8, attempts=1000, **changes)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("webhook", {"format": "cloudevents"}),
        ("webhook", {"format": "cloudevents-binary"}),
        ("webhook", {"format": "alertmanager"}),
        ("alertmanager", {}),
        ("slack", {}),
    ],
    ids=["cloudevents", "cloudevents-binary", "alertmanager-webhook", "alertmanager", "slack"],
)
@pytest.mark.timeout(LIMIT_S)
def test_http_at_least_once_in_order(kind, changes):
    """Each transition arrives, of each alert in order, and it comes again only after an answer that left doubt."""
    sent, endpoint = lives(COUNT), Endpoint()
    script = Script(WRONG, OFTEN)

    async def scenario():
        async with HttpServer(endpoint, script) as server:
            delivery = Delivery(
                make(settings_of(kind, server, **changes), nowhere), settings_of(kind, server, **changes)
            )
            await delivery.run(sent, LIMIT_S)
            return delivery, server

    delivery, server = asyncio.run(scenario())
    repeats = Counter(endpoint.keys)
    badly = Counter(key for key, action in server.actions if action in AFTER)
    extra = sum(repeats.values()) - len(repeats)
    counters = delivery.engine.counters
    told(f"{kind} {changes.get('format', '')}", delivery, script, repeats=extra)

    assert_at_least_once_in_order(endpoint.received, sent)
    assert delivery.aside == []
    assert counters.delivered == COUNT
    assert counters.ambiguous >= sum(script.did[each] for each in DOUBTFUL)
    assert extra <= counters.repeated <= counters.ambiguous + counters.retried
    # what came twice is what was answered badly after it had been taken, and nothing else
    assert {key: count - 1 for key, count in repeats.items() if count - 1 > badly[key]} == {}


@pytest.mark.timeout(LIMIT_S)
def test_work_requests_are_made_once(tmp_path):
    """Of each alert there is one work request, whatever got lost, and its number is published."""
    sent, orders, published = lives(COUNT), WorkOrders(), Published()
    template = tmp_path / "orders.json"
    template.write_text(json.dumps(WORK_TEMPLATE), encoding="utf-8")
    # nothing is late here: a system that makes the order seconds after the look-up said "none" cannot be helped by looks
    script = Script(WRONG[:-1], OFTEN[:-1])

    async def scenario():
        async with HttpServer(orders, script) as server:
            settings = settings_of("rest", server, template=str(template), look_again_s=0.0)
            delivery = Delivery(make(settings, published), settings)
            await delivery.run(sent, LIMIT_S)
            return delivery

    delivery = asyncio.run(scenario())
    alerts = {each.alert_id for each in sent}
    told("rest", delivery, script, alerts=len(alerts), made=len(orders.made))

    assert delivery.aside == []
    assert delivery.engine.counters.delivered == COUNT
    assert Counter(orders.made) == dict.fromkeys(alerts, 1)
    assert {each.alert_id: each.work_order for each in published.records} == {
        each: orders.number_of(each) for each in alerts
    }
    assert len(published.records) == len(alerts)
    traces = {each.alert_id: each.trace_id for each in sent}
    assert all(traces[each.alert_id] in given for each, given in zip(published.records, published.traces, strict=True))


@pytest.mark.timeout(LIMIT_S)
def test_mail_that_comes_twice_is_the_same_mail():
    """Each transition arrives in order; what comes again has the Message-ID that it had."""
    sent = lives(COUNT)
    mailbox = Mailbox(Script(("ok", "451", "421", "cut before", "cut after"), (0.75, 0.06, 0.04, 0.05, 0.1)))

    with MailServer(mailbox) as port:
        settings = a_sink(
            "smtp", host="127.0.0.1", port=port, security="none", sender="f@plant.example", to=("a@plant.example",), attempts=1000
        )  # fmt: skip
        delivery = Delivery(make(settings, nowhere), settings)
        asyncio.run(delivery.run(sent, LIMIT_S))
    told("smtp", delivery, mailbox.script, repeats=mailbox.repeats().total())

    assert_at_least_once_in_order(mailbox.received(), sent)
    assert delivery.engine.counters.delivered == COUNT
    ids = {(str(each["X-Foreshock-Event-Id"]), str(each["Message-ID"])) for each in mailbox.mails}
    assert len(ids) == COUNT
    assert mailbox.repeats().total() == mailbox.script.did["cut after"] <= delivery.engine.counters.repeated


@pytest.mark.timeout(LIMIT_S)
def test_mqtt_at_least_once_in_order(tmp_path):
    """A real broker behind a connection that is cut again and again: each transition arrives, of each alert in order."""
    sent = lives(COUNT)
    received = []

    async def scenario(port):
        bytes_each = 2600
        cut_after = (max(COUNT // 12, 20) * bytes_each, max(COUNT // 6, 40) * bytes_each)
        async with Proxy(port, cut_after=cut_after) as proxy:
            settings = a_sink("mqtt", host="127.0.0.1", port=proxy.port, attempts=1000, timeout_s=3.0)
            delivery = Delivery(make(settings, nowhere), settings)
            await delivery.run(sent, LIMIT_S)
            return delivery, proxy.cuts

    with mosquitto(tmp_path) as port:
        subscriber = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        subscriber.on_message = lambda *told: received.append(json.loads(told[2].payload))
        subscriber.connect("127.0.0.1", port)
        subscriber.subscribe("foreshock/alerts/#", qos=1)
        subscriber.loop_start()
        delivery, cuts = asyncio.run(scenario(port))
        wait_for(lambda: len({each["id"] for each in received}) == COUNT, received)
        subscriber.disconnect()
        subscriber.loop_stop()
    told("mqtt", delivery, Script(), cuts=cuts, repeats=len(received) - COUNT)

    assert cuts > 0
    assert_at_least_once_in_order([(each["subject"], each["id"]) for each in received], sent)
    assert delivery.engine.counters.delivered == COUNT


def wait_for(true, shown, seconds=20.0):
    """Poll until something is true."""
    import time

    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, len(shown)
        time.sleep(0.02)
