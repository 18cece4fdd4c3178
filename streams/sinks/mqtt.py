"""MQTT: one connection, QoS 1, a topic for each alert."""

from __future__ import annotations

import asyncio
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from foreshock.alerts.vocabulary import Change
from foreshock.settings_deliver import MqttSettings
from foreshock.streams.sinks import shapes
from foreshock.streams.sinks.answers import Answer, Decision, Delivered, decide
from foreshock.streams.sinks.engine import Item
from foreshock.streams.sinks.http import context
from foreshock.streams.sinks.template import Template
from foreshock.streams.sinks.words import words

KEEPALIVE_S = 20
_LONGEST_RECONNECT_S = 10
_V5 = MQTTProtocolVersion.MQTTv5


class MqttSink:
    """Publishes a CloudEvent for each transition.

    The client has a thread of its own that connects, and connects again; while it is not connected nothing is handed to it,
    because what it queues by itself it would send in its own time.
    """

    def __init__(self, settings: MqttSettings) -> None:
        self.settings = settings
        place = f"deliver.{settings.name}"
        self._topic = Template(settings.topic, f"{place}.topic")
        self._version = _V5 if settings.protocol == "5" else MQTTProtocolVersion.MQTTv311
        self._client = paho.Client(CallbackAPIVersion.VERSION2, settings.client_id, protocol=self._version)
        self._acknowledged: dict[int, asyncio.Future[int]] = {}
        self._why = "not connected yet"
        self._up = asyncio.Event()
        if settings.tls:
            self._client.tls_set_context(context(settings.ca_file, f"{place}.ca_file"))
        if settings.user:
            self._client.username_pw_set(settings.user, settings.password)
        self._client.max_inflight_messages_set(settings.parallel)
        self._client.reconnect_delay_set(1, _LONGEST_RECONNECT_S)

    async def open(self) -> None:
        """Begin to connect."""
        self._loop = asyncio.get_running_loop()
        self._client.on_connect = self._connected
        self._client.on_connect_fail = lambda *_: self._tell(self._lost, "cannot be reached")
        self._client.on_disconnect = lambda *told: self._tell(self._lost, f"disconnected: {told[3]}")
        self._client.on_publish = lambda *told: self._tell(self._answered, told[2], told[3].value)
        self._client.connect_async(self.settings.host, self.settings.port, KEEPALIVE_S)
        self._client.loop_start()

    async def close(self) -> None:
        """Disconnect, and end the thread."""
        self._client.disconnect()
        await asyncio.get_running_loop().run_in_executor(None, self._client.loop_stop)

    async def deliver(self, item: Item) -> Decision:
        """Make one attempt."""
        over = item.alert.change is Change.CLOSED
        keep = self.settings.retained and not over
        topic = self._topic.fill(words(item.alert), _level)
        body = shapes.structured(item.alert, item.traceparent).body
        decision = decide(await self._publish(topic, body, item.traceparent, keep=keep))
        if isinstance(decision, Delivered) and over and self.settings.retained:
            return decide(
                await self._publish(topic, b"", item.traceparent, keep=True)
            )  # nothing is kept of what is over
        return decision

    async def _publish(self, topic: str, body: bytes, traceparent: str, *, keep: bool) -> Answer:
        try:
            await asyncio.wait_for(self._up.wait(), self.settings.timeout_s)
        except TimeoutError:
            return Answer("mqtt", None, self._why, sent=False)
        properties = _properties(traceparent) if self._version is _V5 else None
        told = self._client.publish(topic, body, qos=1, retain=keep, properties=properties)
        if told.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}:
            return Answer("mqtt", None, paho.error_string(told.rc), sent=False)
        answer = self._acknowledged[told.mid] = self._loop.create_future()
        try:
            return Answer("mqtt", await asyncio.wait_for(answer, self.settings.timeout_s))
        except TimeoutError:
            return Answer("mqtt", None, f"not acknowledged within {self.settings.timeout_s:g} s")
        finally:
            self._acknowledged.pop(told.mid, None)

    def _tell(self, call: Any, *told: Any) -> None:
        """Pass on what the client's thread has to say, to the loop, if that still runs."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *told)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._tell(self._lost, f"the broker does not let us in: {reason}")
        else:
            self._tell(self._up.set)

    def _lost(self, why: str) -> None:
        self._why = why
        self._up.clear()

    def _answered(self, mid: int, code: int) -> None:
        answer = self._acknowledged.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(code)


def _properties(traceparent: str) -> Properties:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho does not say
    found.ContentType = "application/cloudevents+json"
    if traceparent:
        found.UserProperty = [("traceparent", traceparent)]
    return found


def _level(text: str) -> str:
    """Write a value as one level of a topic: it makes no further level, and no wildcard."""
    return "".join("_" if each in "/+#\x00" else each for each in text) or "_"
