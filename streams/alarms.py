"""The alarms that stand: `alarms.v1` is read whole and followed where a policy names parents, whose alarms inhibit others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Message

from foreshock.alerts.vocabulary import AlarmState
from foreshock.errors import InputRejected
from foreshock.streams.codec.outputs_in import decode_output
from foreshock.streams.codec.registry import Registry
from foreshock.streams.errors import attempt
from foreshock.streams.state.parents import Alarmed
from foreshock.streams.topics import TopicInfo
from foreshock.streams.whole import WholeReader

log = logging.getLogger("foreshock.worker")

_STANDING = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})


class AlarmReader(WholeReader):
    """Reads which alarms stand; one that is shelved, suppressed, out of service or back to normal inhibits nothing.

    A record that cannot be read is told in the log; its alarm stays as it was.
    """

    def __init__(
        self,
        properties: Mapping[str, Any],
        topic: TopicInfo,
        registry: Registry | None,
        on_alarm: Callable[[Alarmed], None],
    ) -> None:
        super().__init__(properties, topic, "alarms")
        self._registry = registry
        self._on_alarm = on_alarm

    def _use(self, message: Message) -> None:
        found = attempt(self._alarm, message)
        if isinstance(found, InputRejected):
            place = f"{self._topic.name} partition {message.partition()} offset {message.offset()}"
            log.warning("%s not used: %s", place, found)
        else:
            self._on_alarm(found)

    def _alarm(self, message: Message) -> Alarmed:
        alert_id = (message.key() or b"").decode("utf-8", "replace")
        value = message.value()
        if value is None:
            return Alarmed(alert_id, "", stands=False)
        record = decode_output(value, self._registry)["record"]
        return Alarmed(alert_id, str(record.get("asset", "")), stands=record.get("state") in _STANDING)
