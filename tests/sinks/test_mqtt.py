"""MQTT, with a real mosquitto."""

import asyncio
import json
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from foreshock.streams.sinks.answers import Ambiguous, Delivered, Retry
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.make import make
from tests.sinks.making import TRACEPARENT, a_sink, alert, closed
from tests.sinks.servers import Proxy, free_port, mosquitto


async def nowhere(*_):
    pass


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """One broker for this file; topics are told apart by their assets."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


def attempts(port, alerts, **changes):
    """Publish these, one after the other; give the decisions."""

    async def scenario():
        sink = make(a_sink("mqtt", **{"host": "127.0.0.1", "port": port, "timeout_s": 3.0} | changes), nowhere)
        await sink.open()
        try:
            return [await sink.deliver(Item((0, n), each, TRACEPARENT)) for n, each in enumerate(alerts)]
        finally:
            await sink.close()

    return asyncio.run(scenario())


def received(port, pattern, count, publish, seconds=10.0):
    """What a subscriber gets: (topic, retained, payload, properties)."""
    found = []
    ready = []
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_subscribe = lambda *_: ready.append(True)
    client.on_message = lambda *told: found.append(told[2])
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(pattern, qos=1)
    deadline = time.monotonic() + seconds
    while not ready and time.monotonic() < deadline:
        time.sleep(0.005)
    publish()
    while len(found) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    client.disconnect()
    client.loop_stop()
    return found


def test_event_is_published_on_the_alert_s_topic_with_its_trace(broker):
    """QoS 1, a CloudEvent, and the trace as a user property."""
    got = received(broker, "foreshock/alerts/+/m1/+", 1, lambda: attempts(broker, [alert("m1")]))
    event = json.loads(got[0].payload)

    assert got[0].topic == f"foreshock/alerts/leverkusen/m1/{alert('m1').alert_id}"
    assert (got[0].qos, event["id"], event["type"]) == (1, alert("m1").event_id, "io.foreshock.alert.raised.v1")
    assert got[0].properties.ContentType == "application/cloudevents+json"
    assert got[0].properties.UserProperty == [("traceparent", TRACEPARENT)]


def test_name_of_a_machine_makes_no_level_and_no_wildcard(broker):
    """Slashes, wildcards and nothing at all become one level each."""
    one = alert("a/b+#", site="")
    got = received(broker, "foreshock/alerts/_/#", 1, lambda: attempts(broker, [one]))

    assert got[0].topic == f"foreshock/alerts/_/a_b__/{one.alert_id}"


def test_state_is_kept_while_the_alert_lives(broker):
    """A newcomer gets the last state of a living alert; of one that is closed nothing is kept."""
    lives, over = alert("m2"), alert("m3")
    assert attempts(broker, [lives, over, closed(over)], retained=True) == [Delivered()] * 3

    got = received(broker, "foreshock/alerts/leverkusen/+/+", 1, lambda: None)

    assert [(each.retain, json.loads(each.payload)["subject"]) for each in got] == [(True, lives.alert_id)]


def test_older_protocol_works_too(broker):
    """MQTT 3.1.1 has no properties, and the same payload."""
    got = received(broker, "foreshock/alerts/+/m4/+", 1, lambda: attempts(broker, [alert("m4")], protocol="3.1.1"))

    assert [json.loads(each.payload)["id"] for each in got] == [alert("m4").event_id]


@pytest.mark.slow
def test_broker_that_is_not_there_leaves_no_doubt():
    """Nothing is handed to the client while it is not connected."""
    found = attempts(free_port(), [alert()], timeout_s=0.2)

    assert isinstance(found[0], Retry)
    assert "cannot be reached" in found[0].why


def test_broker_that_does_not_acknowledge_leaves_doubt(broker):
    """A connection that swallows answers: published perhaps, so it will be sent again."""

    async def scenario():
        async with Proxy(broker) as proxy:
            sink = make(a_sink("mqtt", host="127.0.0.1", port=proxy.port, timeout_s=0.3), nowhere)
            await sink.open()
            try:
                first = await sink.deliver(Item((0, 0), alert("m5"), TRACEPARENT))
                proxy.mute = True
                return first, await sink.deliver(Item((0, 1), alert("m5", 1), TRACEPARENT))
            finally:
                await sink.close()

    first, second = asyncio.run(scenario())

    assert first == Delivered()
    assert isinstance(second, Ambiguous)
