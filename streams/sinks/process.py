"""The process of `foreshock deliver`, from start to end: one engine and one consumer for each sink, side by side."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

from foreshock.errors import ConfigurationError
from foreshock.settings import Settings
from foreshock.settings_deliver import RestSettings, SinkSettings
from foreshock.streams import topics
from foreshock.streams.coders import registry_for
from foreshock.streams.errors import fatal, guarded
from foreshock.streams.kafka import CONNECT_S
from foreshock.streams.lines.grouping import NEEDED as GROUPED
from foreshock.streams.lines.grouping import Grouping
from foreshock.streams.logs import to_stderr
from foreshock.streams.metrics.deliver import Delivering
from foreshock.streams.metrics.model import Process
from foreshock.streams.metrics.surface import Surface
from foreshock.streams.sinks.bus import LETTERS, MAINTENANCE, Bus
from foreshock.streams.sinks.closures import Closures
from foreshock.streams.sinks.engine import Engine, Item, Sink
from foreshock.streams.sinks.make import make
from foreshock.streams.sinks.rest import RestSink
from foreshock.streams.sinks.source import ALERTS, INCIDENTS, Source, group_of, original_of
from foreshock.streams.sinks.tracing import Tracer
from foreshock.streams.spans.sending import service_name
from foreshock.streams.stopping import Stopper
from foreshock.streams.topics import TopicInfo

log = logging.getLogger("foreshock.deliver")

NEEDED = (ALERTS, LETTERS, MAINTENANCE)


def run(settings: Settings, only: tuple[str, ...] = ()) -> None:
    """Deliver until SIGTERM or SIGINT.

    Raises
    ------
    ConfigurationError
        There is no sink, or one is not as it must be.
    Unavailable
        Kafka cannot be reached at the start.
    """
    chosen = sinks_of(settings, only)
    check(chosen)
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    stopper = Stopper()
    to_stderr(settings, service_name(settings, "deliver"))
    surface = Surface(settings, Process.DELIVER, name=f"deliver-{socket.gethostname()}-{os.getpid()}")
    found = topics_of(settings, (*NEEDED, *GROUPED) if per_line(chosen) else NEEDED)
    asyncio.run(_live(settings, chosen, found, stopper, surface))
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # all is committed; a thread that waits for a server's answer must not keep us


def per_line(chosen: Mapping[str, SinkSettings]) -> bool:
    """Say whether some sink is told of the incidents of lines: who tells it makes them, or one of those who do."""
    return any(each.per == "line" for each in chosen.values())


def topics_of(settings: Settings, needed: Sequence[str] = NEEDED) -> Mapping[str, TopicInfo]:
    """Give the topics. Where they are not ours to create, our account may see no others than those that we need.

    Raises
    ------
    ConfigurationError
        One of them is missing, or is not as it must be.
    """
    if settings.topics.create:
        return topics.ensure(settings, wait_s=CONNECT_S)
    found = topics.inspect(settings, wait_s=CONNECT_S)
    problems = [(settings.topics.prefix + name, topics.MISSING) for name in needed if name not in found]
    problems += [
        (found[name].name, text)
        for name in needed
        if name in found
        for text in topics.check(topics.TOPICS[name], found[name], settings)
    ]
    if problems:
        raise ConfigurationError(topics.tell(problems))
    return found


def sinks_of(settings: Settings, only: tuple[str, ...] = ()) -> Mapping[str, SinkSettings]:
    """Give the sinks that are wanted.

    Raises
    ------
    ConfigurationError
        There is none, or none of that name.
    """
    unknown = [name for name in only if name not in settings.deliver]
    if unknown:
        raise ConfigurationError(f"there is no sink {unknown[0]}; there are {', '.join(settings.deliver) or 'none'}")
    if not settings.deliver:
        raise ConfigurationError("no sink is configured: write a table [deliver.NAME] with its kind (docs/delivery.md)")
    return {name: each for name, each in settings.deliver.items() if not only or name in only}


def check(chosen: Mapping[str, SinkSettings]) -> None:
    """Make every sink once, without connecting.

    Raises
    ------
    ConfigurationError
        With a line for each sink that is not as it must be.
    """
    problems = []
    for each in chosen.values():
        try:
            make(each, _nowhere)
        except ConfigurationError as exc:
            problems.append(str(exc))
    if problems:
        raise ConfigurationError("\n".join(problems))


async def _nowhere(*_: object) -> None:
    """Publish nothing."""


async def _live(
    settings: Settings,
    chosen: Mapping[str, SinkSettings],
    found: Mapping[str, TopicInfo],
    stopper: Stopper,
    surface: Surface,
) -> None:
    """Start the parts, wait for the signal, stop them: first the consumers, then what they use."""
    stopping = asyncio.Event()
    bus = Bus(settings, name=surface.name)
    tracer = Tracer(settings, worker=surface.name)
    meters = Delivering(surface, spans=tracer.counters, letters=bus.letters)
    sinks = {each.name: make(each, bus.work_order) for each in chosen.values()}
    for each in sinks.values():
        await each.open()
    stopper.begun(stopping)
    log.info("delivering to %s", ", ".join(f"{each.name} ({each.kind})" for each in chosen.values()))
    watching = asyncio.create_task(fatal(meters.every()))
    running = [
        fatal(source_of(settings, each, sinks[each.name], found, bus, tracer, meters).run(stopping))
        for each in chosen.values()
    ]
    running += [
        fatal(Closures(settings, sink, found, bus).run(stopping))
        for sink in sinks.values()
        if isinstance(sink, RestSink) and _looks_after(sink.settings)
    ]
    if per_line(chosen):
        grouping = Grouping(settings, found, worker=surface.name)
        meters.lines = grouping.told
        running.append(asyncio.to_thread(guarded(lambda: grouping.run(stopping.is_set))))
    await asyncio.gather(*running)
    await asyncio.gather(*(each.close() for each in sinks.values()))
    watching.cancel()
    tracer.close()
    bus.close()
    surface.close()


def source_of(
    settings: Settings,
    sink: SinkSettings,
    made: Sink,
    found: Mapping[str, TopicInfo],
    bus: Bus,
    tracer: Tracer,
    meters: Delivering,
) -> Source:
    """Put the parts of one sink together."""
    topic = found[INCIDENTS if sink.per == "line" else ALERTS]

    async def set_aside(item: Item, why: str) -> None:
        await bus.letter(sink.name, why, *original_of(item.record, topic))

    def finished(item: Item, started_ns: int, ended_ns: int, error: str) -> None:
        origin, *_ = original_of(item.record, topic)
        tracer.delivered(item, sink, origin, group_of(settings, sink.name), started_ns, ended_ns, error)
        meters.finished(sink.name, item.traceparent, started_ns, ended_ns)

    engine = Engine(made, sink, set_aside=set_aside, finished=finished)
    source = Source(settings, sink, engine, topic=topic, bus=bus, tracer=tracer, registry=registry_for(settings))
    meters.watch(sink.name, source)
    return source


def _looks_after(settings: RestSettings) -> bool:
    return settings.closures_s > 0
