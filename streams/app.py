"""The composition root: the only place that knows which part talks to which."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust
from confluent_kafka.admin import AdminClient

from foreshock.alerts.policy import Policy
from foreshock.detection import reference_of, spec_of
from foreshock.fleet import Fleet
from foreshock.settings import Settings
from foreshock.streams import agents, kafka, wire
from foreshock.streams.border import Border
from foreshock.streams.cache import Cache
from foreshock.streams.cases.casebook import Casebook
from foreshock.streams.checkpoint import Checkpoint
from foreshock.streams.codec.registry import Registry
from foreshock.streams.commands import CONTROL, MAINTENANCE, CommandReader
from foreshock.streams.errors import client_error
from foreshock.streams.followed import followed
from foreshock.streams.intake.faust_base import NoTables
from foreshock.streams.intake.transport import Consumer, Intake, Transport
from foreshock.streams.metrics.surface import Surface
from foreshock.streams.metrics.watch import Subjects, Watch
from foreshock.streams.metrics.worker import Meters
from foreshock.streams.outputs import TOPIC_OF, Outputs
from foreshock.streams.partitioner import partition_for
from foreshock.streams.publish import Publisher
from foreshock.streams.state import retention, tails
from foreshock.streams.state.claims import Claims
from foreshock.streams.state.covering import Covering
from foreshock.streams.state.custody import Custody
from foreshock.streams.state.folding import Folding
from foreshock.streams.state.gate import Gate, Lapse
from foreshock.streams.state.keeper import Keeper
from foreshock.streams.state.keys import keys_of
from foreshock.streams.state.ledger import Ledger
from foreshock.streams.state.places import Places, Told
from foreshock.streams.state.recipes import Recipes
from foreshock.streams.state.records import Marker
from foreshock.streams.state.recovery import Recovery
from foreshock.streams.state.taken import Taken
from foreshock.streams.state.transactions import Transactions
from foreshock.streams.telemetry import Telemetry
from foreshock.streams.telling import Telling
from foreshock.streams.timers import Timers
from foreshock.streams.topics import TopicInfo
from foreshock.streams.walk import Walk
from foreshock.streams.watchdog import Watchdog
from foreshock.streams.whole import WholeReader

_QUIET: Mapping[str, Any] = {
    "error_cb": client_error,
    "log_level": 2,
}  # librdkafka's lines at each attempt to connect say no more
METADATA_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The parts of a worker process, connected; `streams/process.py` runs them."""

    settings: Settings
    faust: faust.App
    walk: Walk
    ledger: Ledger
    publisher: Publisher
    checkpoint: Checkpoint
    places: Places
    timers: Timers
    keeper: Keeper
    followed: Sequence[WholeReader]  # topics that every worker knows
    commands: CommandReader
    watchdog: Watchdog
    telemetry: Telemetry
    cache: Cache
    metrics: Watch
    surface: Surface


def build(
    settings: Settings,
    topics: Mapping[str, TopicInfo],
    *,
    worker: str,
    surface: Surface,
    policies: Sequence[Policy] = (),
) -> App:
    """Connect the parts of a worker. Nothing is read or written before `streams/process.py` starts them.

    Parameters
    ----------
    settings
        Of this process; `worker.instance_id` is its own.
    topics
        As `topics.ensure` found them.
    worker
        Name of this process in headers, spans and the log.
    surface
        Shows its metrics.
    policies
        Of alerts; without any the default holds.
    """
    parts = _parts(settings, topics, worker, policies, surface)
    checkpoint, keeper = _state(settings, topics, worker, parts)
    app, ledger = parts.faust, parts.ledger
    sensors = topics["sensors.v1"]
    app.transport = Transport(
        app,
        Intake(
            properties={**kafka.consumer_config(settings), **_QUIET},
            batch=settings.worker.batch,
            ledger=ledger,
            keeper=keeper,
            lapse=parts.lapse,
            assigned=partial(_announce, parts.fleet, parts.cache, worker, sensors.name),
        ),
    )
    commands = _commands(settings, topics, parts)
    parts.places.read_from = commands.read_from
    agents.declare(app, sensors.name, parts.walk, parts.publisher, parts.gate, limit=settings.worker.batch)
    return App(
        settings=settings,
        faust=app,
        walk=parts.walk,
        ledger=ledger,
        publisher=parts.publisher,
        checkpoint=checkpoint,
        places=parts.places,
        timers=_timers(settings, parts),
        keeper=keeper,
        followed=followed(
            {**kafka.reader_config(settings), **_QUIET},
            topics,
            parts.registry,
            parts.places.submit,
            classes=settings.classes.read(),
            parents=any(policy.parents for policy in policies),
        ),
        commands=commands,
        watchdog=Watchdog(
            kafka.admin_config(settings), ledger, lambda: _consumer(app).poller.ends, stall_s=settings.worker.stall_s
        ),
        telemetry=parts.telemetry,
        cache=parts.cache,
        metrics=_metrics(settings, parts),
        surface=surface,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a block meets on its walk, and what keeps the order."""

    fleet: Fleet
    registry: Registry | None
    telemetry: Telemetry
    cache: Cache
    publisher: Publisher
    faust: faust.App
    lapse: Lapse
    gate: Gate
    ledger: Ledger
    custody: Custody
    places: Places
    recipes: Recipes
    folding: Folding
    walk: Walk
    tell: Callable[[Sequence[Told]], None]
    meters: Meters


def _parts(
    settings: Settings, topics: Mapping[str, TopicInfo], worker: str, policies: Sequence[Policy], surface: Surface
) -> _Parts:
    fleet = Fleet(spec_of(settings), reference=reference_of(settings))
    registry = Registry(settings.topics.registry_url) if settings.topics.registry_url else None
    telemetry = Telemetry(settings, worker=worker)
    cache = Cache(settings.redis.url, prefix=settings.topics.prefix, worker=worker)
    outputs = _outputs(settings, topics, registry, telemetry, worker)
    app = _faust(settings, worker)
    lapse = Lapse(float(kafka.consumer_config(settings)["session.timeout.ms"]) / 1000.0)
    publisher = Publisher({**kafka.producer_config(settings), **_QUIET}, halted=lapse.over)
    gate = Gate(lapse)
    custody = Custody(partial(_release, fleet, cache))
    meters = Meters(settings, surface, fleet)
    telling = Telling(publisher, outputs, cache, telemetry, meters)
    recipes = Recipes(fleet)
    places = Places(
        fleet,
        custody,
        gate,
        recipes,
        partition_of=_partitions(settings),
        tell=telling.publish,
        taken=Taken({topics[name].name: topics[name].topic_id for name in (CONTROL, MAINTENANCE)}),
        covering=Covering(fleet, policies),
    )
    folding = Folding(fleet, custody, places, lambda: _again(app, gate), Casebook(registry))
    walk = Walk(folding, _border(settings, topics, registry), outputs, telling.delivered)
    fleet.on_stage = walk.stage
    return _Parts(
        fleet=fleet,
        registry=registry,
        telemetry=telemetry,
        cache=cache,
        publisher=publisher,
        faust=app,
        lapse=lapse,
        gate=gate,
        ledger=Ledger(),
        custody=custody,
        places=places,
        recipes=recipes,
        folding=folding,
        walk=walk,
        tell=telling.publish,
        meters=meters,
    )


def _state(
    settings: Settings, topics: Mapping[str, TopicInfo], worker: str, parts: _Parts
) -> tuple[Checkpoint, Keeper]:
    recovery = Recovery(
        parts.fleet,
        parts.custody,
        topics,
        reader={**kafka.reader_config(settings), **_QUIET},
        admin=kafka.admin_config(settings),
        keys=partial(keys_of, settings),
        registry=parts.registry,
        recipes=parts.recipes,
        claims=Claims(settings.worker.group, settings.state.from_group, topics["state.v1"].name),
        accept_cold=settings.state.accept_cold,
    )
    checkpoint = Checkpoint(
        parts.fleet,
        parts.custody,
        parts.ledger,
        parts.publisher,
        parts.places,
        parts.recipes,
        _transactions(settings, topics["state.v1"], worker),
        keys=lambda: recovery.keys,
        marker=Marker(topics["sensors.v1"].topic_id, 0, 0, retention.topic_ids(topics), settings.worker.group),
        metadata=partial(_metadata, parts.faust),
        round_s=settings.state.round_s,
        noted=parts.meters.checkpoint,
    )
    keeper = Keeper(
        recovery=recovery,
        checkpoint=checkpoint,
        places=parts.places,
        folding=parts.folding,
        walk=parts.walk,
        custody=parts.custody,
        ledger=parts.ledger,
        gate=parts.gate,
        publisher=parts.publisher,
        topic=topics["sensors.v1"],
        tell=parts.tell,
        noted=parts.meters.assignment,
    )
    return checkpoint, keeper


def _announce(fleet: Fleet, cache: Cache, worker: str, topic: str, numbers: list[int]) -> None:
    """Say that reading goes on, and let the cache know what was restored."""
    cache.seed([view for number in numbers for view in fleet.views(number)])
    shown = ", ".join(map(str, numbers)) or "none"
    print(f"worker ready: {worker}, {topic} partitions {shown}", flush=True)


def _metrics(settings: Settings, parts: _Parts) -> Watch:
    """Make what looks at the parts now and then."""
    subjects = Subjects(
        census=parts.fleet.census,
        ledger=parts.ledger,
        ends=lambda: _consumer(parts.faust).poller.ends,
        in_flight=parts.publisher.in_flight,
        is_open=lambda: parts.gate.is_open,
        telemetry=parts.telemetry,
        cache=parts.cache,
    )
    return parts.meters.watch(subjects, kafka.admin_config(settings))


def _timers(settings: Settings, parts: _Parts) -> Timers:
    admin = AdminClient({**kafka.admin_config(settings), "log_level": 0})
    return Timers(
        parts.fleet,
        parts.custody,
        ready=lambda: parts.gate.is_open,
        ends=lambda: _consumer(parts.faust).poller.ends,
        idle=lambda: not parts.ledger.outstanding(),
        latest=partial(tails.ends, admin),
        submit=parts.places.submit,
        wait_s=settings.detection.silent_s,
    )


async def _metadata(app: faust.App) -> Any:
    """Give the consumer group's metadata; the poll thread alone may ask the consumer."""
    poller = _consumer(app).poller
    return await poller.calls.call(poller.consumer.consumer_group_metadata, timeout_s=METADATA_S)


def _again(app: faust.App, gate: Gate) -> None:
    """Have the partitions taken up again; until then nothing passes."""
    gate.close()
    _consumer(app).poller.restart()


def _commands(settings: Settings, topics: Mapping[str, TopicInfo], parts: _Parts) -> CommandReader:
    """Make the reader of commands and work orders."""
    return CommandReader(
        {**kafka.reader_config(settings), **_QUIET},
        topics,
        wire.Decoder(parts.registry),
        partition_of=_partitions(settings),
        submit=parts.places.submit,
        waiting=parts.places.waiting,
    )


def _partitions(settings: Settings) -> Callable[[str], int]:
    """Give what knows the partition number of an asset."""
    count, partitioner = settings.topics.partitions, settings.topics.partitioner
    return lambda asset: partition_for(asset.encode(), count, partitioner)


def _transactions(settings: Settings, topic: TopicInfo, worker: str) -> Transactions:
    """Make the producer of the checkpoints: as that of the outputs, but for shorter waits and larger records."""
    config = kafka.producer_config(settings)
    del config["delivery.timeout.ms"]  # it may not be longer than a transaction
    limit = int(topic.config["max.message.bytes"])
    config["message.max.bytes"] = max(limit, int(config["message.max.bytes"]))
    return Transactions({**config, **_QUIET}, f"{settings.worker.group}-{worker}", topic.name, limit)


def _border(settings: Settings, topics: Mapping[str, TopicInfo], registry: Registry | None) -> Border:
    return Border(
        topics["sensors.v1"],
        partitioner=settings.topics.partitioner,
        largest=settings.topics.max_message_bytes,
        decoder=wire.Decoder(registry),
    )


def _outputs(
    settings: Settings, topics: Mapping[str, TopicInfo], registry: Registry | None, telemetry: Telemetry, worker: str
) -> Outputs:
    framing = settings.topics.value_framing
    encoders = {name: wire.Encoder(framing, registry, topic=topics[name].name) for name in TOPIC_OF.values()}
    casebook = Casebook(registry)
    return Outputs(topics, encoders=encoders, framing=framing, telemetry=telemetry, worker=worker, casebook=casebook)


def _release(fleet: Fleet, cache: Cache, partitions: Collection[int]) -> None:
    """Drop what is known of partitions that others have now."""
    fleet.release(partitions)
    cache.release(partitions)


def _consumer(app: faust.App) -> Consumer:
    consumer = app.consumer
    if not isinstance(consumer, Consumer):
        raise TypeError(f"the transport is {type(consumer).__name__}")
    return consumer


def _faust(settings: Settings, worker: str) -> faust.App:
    """Make the Faust app: agents and the group's life cycle; no web, no tables, no topics and no commits of its own."""
    folder = settings.worker.data_dir / "faust" / worker
    folder.mkdir(parents=True, exist_ok=True)  # Faust makes the last folder only
    app = faust.App(
        settings.worker.group,
        TableManager=NoTables,
        broker="kafka://by-librdkafka",  # never connected: streams/intake/transport.py takes its place
        store="memory://",
        datadir=str(folder),
        web_enabled=False,
        autodiscover=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,  # a rebalance waits for the outputs, not for every queued event
        stream_buffer_maxsize=16_384,  # events; there are never more than those of two polls
        broker_commit_interval=3600.0,
        broker_session_timeout=10.0,
        broker_request_timeout=60.0,
    )
    app.boot_strategy.enable_kafka_producer = False
    return app
