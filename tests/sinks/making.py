"""Alerts to deliver, and a way to run an engine on them."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from foreshock.alerts.records import AlertTransition
from foreshock.alerts.vocabulary import AlarmState, Change, Severity
from foreshock.contract import Origin
from foreshock.settings_deliver import KINDS, SinkSettings
from foreshock.streams.sinks.engine import Engine, Item

RAISED_NS = 1_760_000_000_000_000_000
LIFE = (
    (Change.RAISED, AlarmState.UNACKNOWLEDGED, Severity.WARNING),
    (Change.ESCALATED, AlarmState.UNACKNOWLEDGED, Severity.CRITICAL),
    (Change.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, Severity.CRITICAL),
    (Change.DE_ESCALATED, AlarmState.ACKNOWLEDGED, Severity.WATCH),
    (Change.CLOSED, AlarmState.NORMAL, Severity.WATCH),
)


def an_id(*parts: Any) -> str:
    """An id like ours: a function of what it names."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def alert(asset: str = "pump-7", step: int = 0, **changes: Any) -> AlertTransition:
    """The step-th transition in the life of the one alert of an asset."""
    change, state, severity = LIFE[step]
    fields: dict[str, Any] = {
        "event_id": an_id(asset, step),
        "alert_id": an_id(asset),
        "change": change,
        "state": state,
        "before": LIFE[step - 1][1] if step else AlarmState.NORMAL,
        "asset": asset,
        "path": ("acme", "leverkusen", "hall 3", "line 2"),
        "site": "leverkusen",
        "points": ("de", "nde"),
        "severity": severity,
        "score": 2.345678901,
        "initial_score": 2.1,
        "trend": 0.04,
        "hypothesis": "outer race <BPFO>",
        "mode": "model",
        "at_ns": RAISED_NS + step * 60_000_000_000,
        "raised_ns": RAISED_NS,
        "suppressed_by": None,
        "reason": "score 2.35 is above 2.0 for 30 s",
        "actor": "maria" if change is Change.ACKNOWLEDGED else "policy",
        "command_id": "",
        "policy": "pumps@0123456789abcdef",
        "rule": "score >= 2.0 for 30 s",
        "priority": 2,
        "priority_inputs": (),
        "owner": "maintenance",
        "escalation": ("shift lead", "plant manager"),
        "runbook": ("Listen to the drive end.", "Check the grease & the seal."),
        "action": "Plan a bearing change",
        "respond_by_ns": RAISED_NS + 3600 * 1_000_000_000,
        "work_order": "",
        "anomaly_id": an_id("anomaly", asset),
        "evidence": "",
        "effect": "",
        "delayed_s": 0.4,
        "origin": Origin(topic="sensors.v1", topic_id="AAAA", partition=1, offset=17, ingest_ns=RAISED_NS),
        "trace_id": an_id("trace", asset),
        "worst": Severity.CRITICAL if step else severity,
    }
    return AlertTransition(**fields | changes)


TRACEPARENT = f"00-{an_id('trace', 'pump-7')}-00f067aa0ba902b7-01"


def lives(count: int, seed: int = 1) -> list[AlertTransition]:
    """`count` transitions of many alerts, mixed; those of an alert in their order."""
    rng = random.Random(seed)
    open_: list[tuple[str, int]] = []
    found: list[AlertTransition] = []
    made = 0
    while len(found) < count:
        if len(open_) < 40:
            open_.append((f"machine-{made:05d}", 0))
            made += 1
        place = rng.randrange(len(open_))
        asset, step = open_[place]
        found.append(alert(asset, step))
        if step + 1 < len(LIFE):
            open_[place] = (asset, step + 1)
        else:
            del open_[place]
    return found


def a_sink(kind: str, **changes: Any) -> Any:
    """Settings of a sink that tries again at once, and is told everything."""
    quick = {"name": "test", "backoff_s": 0.001, "longest_backoff_s": 0.01, "timeout_s": 5.0, "changes": tuple(Change)}
    return KINDS[kind](**quick | changes)


def plain(**changes: Any) -> SinkSettings:
    """Settings of no particular kind."""
    quick: dict[str, Any] = {"name": "test", "backoff_s": 0.001, "longest_backoff_s": 0.01, "changes": tuple(Change)}
    return SinkSettings(**quick | changes)


class Delivery:
    """An engine, what it set aside, and what it reported."""

    def __init__(self, sink: Any, settings: SinkSettings, seed: int = 7) -> None:
        self.aside: list[tuple[str, str]] = []
        self.finished: list[tuple[str, str]] = []
        self.sink = sink
        self.engine = Engine(
            sink, settings, set_aside=self._set_aside, finished=self._finished, rng=random.Random(seed)
        )
        self.engine.begin(0, 0)

    async def _set_aside(self, item: Item, why: str) -> None:
        self.aside.append((item.alert.event_id, why))

    def _finished(self, item: Item, started_ns: int, ended_ns: int, error: str) -> None:
        assert started_ns <= ended_ns
        self.finished.append((item.alert.event_id, error))

    async def run(self, alerts: Iterable[AlertTransition], seconds: float = 60.0) -> None:
        """Deliver all of them, reading on as the engine has room."""
        await self.sink.open()
        try:
            async with asyncio.timeout(seconds):
                for offset, each in enumerate(alerts):
                    while self.engine.full:  # noqa: ASYNC110  # as the consumer does between two reads
                        await asyncio.sleep(0.001)
                    self.engine.take(Item((0, offset), each, f"00-{each.trace_id}-00f067aa0ba902b7-01"))
                await self.engine.settled()
        finally:
            await self.sink.close()


def assert_at_least_once_in_order(received: Sequence[tuple[str, str]], sent: Iterable[AlertTransition]) -> None:
    """Everything arrived, and of each alert nothing came after a later one; repeats are allowed."""
    came: dict[str, list[str]] = {}
    for alert_id, event_id in received:
        line = came.setdefault(alert_id, [])
        if not line or line[-1] != event_id:
            line.append(event_id)

    assert came == _by_alert(sent)


def assert_each_came_in_order(received: Iterable[tuple[str, str]], sent: Iterable[AlertTransition]) -> None:
    """Everything arrived, of each alert in order; who takes over begins again with something older, so firsts are compared."""
    came: dict[str, dict[str, None]] = {}
    for alert_id, event_id in received:
        came.setdefault(alert_id, {})[event_id] = None

    assert {alert_id: list(events) for alert_id, events in came.items()} == _by_alert(sent)


def _by_alert(sent: Iterable[AlertTransition]) -> dict[str, list[str]]:
    order: dict[str, list[str]] = {}
    for each in sent:
        order.setdefault(each.alert_id, []).append(each.event_id)
    return order


def closed(one: AlertTransition) -> AlertTransition:
    """The same alert, closed."""
    return replace(one, change=Change.CLOSED, state=AlarmState.NORMAL)
