"""What a person asks of the sinks beside the running process: a test message, and what was refused once more."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from foreshock.alerts.items import Refused
from foreshock.alerts.records import AlertTransition
from foreshock.alerts.refusals import refusal
from foreshock.alerts.vocabulary import AlarmState, Change
from foreshock.contract import Origin
from foreshock.errors import InputRejected
from foreshock.settings import Settings
from foreshock.settings_deliver import SinkSettings
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.redrive import Letter, letters
from foreshock.streams.sinks.answers import Answer, Dead, Decision, Delivered, decide
from foreshock.streams.sinks.bus import SINK, Bus
from foreshock.streams.sinks.engine import Engine, Item, Sink
from foreshock.streams.sinks.make import make
from foreshock.streams.sinks.rest import RestSink
from foreshock.streams.sinks.source import transition
from foreshock.streams.sinks.tracing import Tracer

TEST_ASSET = "foreshock-test"
_ENDING = frozenset({"alertmanager", "mqtt"})  # what stands there until it ends gets a test that has ended


@dataclass(frozen=True, slots=True)
class Tried:
    """What a sink said to the test: "" for "it has it"."""

    sink: str
    kind: str
    problem: str


def test_message(settings: SinkSettings, at_ns: int) -> AlertTransition:
    """Give a transition that is plainly none of a machine."""
    over = settings.kind in _ENDING
    test_id = uuid.uuid4().hex
    origin = Origin(topic="", topic_id="", partition=0, offset=0, ingest_ns=at_ns)
    why = f"This is a test of the sink {settings.name}: no machine is concerned."
    return replace(
        refusal(
            Refused(origin=origin, asset=TEST_ASSET, reason=why, actor="foreshock deliver --test")
        ),  # of no alert and no policy either
        event_id=test_id,
        alert_id=test_id,
        change=Change.CLOSED if over else Change.RAISED,
        state=AlarmState.NORMAL if over else AlarmState.UNACKNOWLEDGED,
        mode="model",
        action="nothing",
        trace_id=test_id,
    )


def try_out(chosen: Mapping[str, SinkSettings]) -> list[Tried]:
    """Send one test message to each sink, side by side; a system of work orders is only asked whether it has one."""

    async def one(settings: SinkSettings) -> Tried:
        sink = make(settings, _nowhere)
        alert = test_message(settings, time.time_ns())
        await sink.open()
        try:
            decision = await _attempt(sink, Item((0, 0), alert, Tracer.traceparent(alert, None, settings.name)))
        finally:
            await sink.close()
        return Tried(settings.name, settings.kind, "" if isinstance(decision, Delivered) else decision.why)

    async def every() -> list[Tried]:
        return list(await asyncio.gather(*(one(each) for each in chosen.values())))

    return asyncio.run(every())


async def _attempt(sink: Sink, item: Item) -> Decision:
    if not isinstance(sink, RestSink):
        return await sink.deliver(item)
    reply = await sink.look_up(item.alert.alert_id, item.alert.asset, {})
    answer: Answer = reply.answer
    if answer.code is not None and 200 <= answer.code < 300 and reply.tree is None:
        return Dead("the answer to the look-up is no JSON")
    return Delivered() if answer.code == 404 else decide(answer)


async def _nowhere(*_: object) -> None:
    """Publish nothing."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a letter: "" where the sink has it now, else why not."""

    letter: Letter
    sink: str
    problem: str


def redrive(settings: Settings, chosen: Mapping[str, SinkSettings], *, wait_s: float = 60.0) -> list[Redriven]:
    """Send to each sink what it refused, the oldest first, and note what it has now.

    Parameters
    ----------
    wait_s
        How long a sink that is down is waited for.
    """
    found = [each for each in letters(settings) if not each.sent]
    return asyncio.run(_redrive(settings, chosen, found, wait_s)) if found else []


async def _redrive(
    settings: Settings, chosen: Mapping[str, SinkSettings], found: list[Letter], wait_s: float
) -> list[Redriven]:
    bus = Bus(settings, name="deliver-redrive")
    try:
        parts = (_redrive_one(settings, each, _of_sink(found, each.name), bus, wait_s) for each in chosen.values())
        return [one for many in await asyncio.gather(*parts) for one in many]
    finally:
        bus.close()


async def _redrive_one(
    settings: Settings, sink: SinkSettings, mine: list[Letter], bus: Bus, wait_s: float
) -> list[Redriven]:
    registry = registry_for(settings)
    made = make(sink, bus.work_order)
    outcome: dict[int, str] = {}

    async def refused(item: Item, why: str) -> None:
        outcome[item.place[1]] = why

    def finished(item: Item, _started: int, _ended: int, error: str) -> None:
        outcome[item.place[1]] = error

    engine = Engine(made, sink, set_aside=refused, finished=finished)
    engine.begin(0, 0)
    await made.open()
    try:
        for number, letter in enumerate(mine):
            try:
                alert = transition(letter.value, registry)
            except InputRejected as exc:
                outcome[number] = str(exc)
                engine.skip((0, number))
                continue
            given = Tracer.traceparent(alert, letter.origin.traceparent, sink.name)
            engine.take(Item((0, number), alert, given))
        async with asyncio.timeout(wait_s):
            await engine.settled()
    except TimeoutError:
        await engine.release([0], 1.0)
    finally:
        await made.close()
    told = []
    for number, letter in enumerate(mine):
        problem = outcome.get(number, f"the sink did not take it within {wait_s:g} s")
        if not problem:
            await bus.note_redriven(letter.event_id, letter.key, letter.partition, sink.name)
        told.append(Redriven(letter, sink.name, problem))
    return told


def _of_sink(found: list[Letter], sink: str) -> list[Letter]:
    mine = [each for each in found if dict(each.headers).get(SINK) == sink.encode()]
    return sorted(mine, key=lambda each: (each.origin.partition, each.origin.offset))
