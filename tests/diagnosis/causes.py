"""What can go wrong in a plant, done to a real one: each cause with the layer that a diagnosis should name."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient

from foreshock.answers.diagnosis.finding import Layer
from foreshock.streams.kafka import admin_config
from foreshock.streams.partitioner import partition_for
from tests.diagnosis.live import ASSETS, Plant

VICTIM = ASSETS[3]
_S = 1_000_000_000


@dataclass(frozen=True)
class Cause:
    """One thing that goes wrong.

    Attributes
    ----------
    name
        What was done, in words.
    layer
        Where the trouble sits.
    hurt
        Does it, and takes it back at the end.
    settle_s
        Seconds until its signs have had the time to show.
    """

    name: str
    layer: Layer
    hurt: Callable[[Plant], Any]
    settle_s: float = 6.0


def _frozen(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"samples": np.full_like(fields["samples"], 0.25)}


def _clipped(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"samples": np.clip(fields["samples"] * 4, -1.0, 1.0)}


def _wrong_rate(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"sampling_rate_hz": 1000.0}


def _worn(fields: dict[str, Any]) -> dict[str, Any]:
    """Impacts, eight of them in a block: a bearing."""
    samples = fields["samples"].copy()
    samples[0, ::50] += 6.0
    return fields | {"samples": samples}


def _ahead(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"source_ns": fields["source_ns"] + 3600 * _S}


def _feeding(
    change: Callable[[dict[str, Any]], dict[str, Any] | None], *assets: str
) -> Callable[[Plant], Iterator[None]]:
    def hurt(plant: Plant) -> Iterator[None]:
        plant.feed.changes = dict.fromkeys(assets or ASSETS, change)
        yield

    return hurt


def broker_away(plant: Plant) -> Iterator[None]:
    """The broker is killed."""
    plant.stack.broker.kill()
    yield
    plant.stack.broker.start()


def broker_hangs(plant: Plant) -> Iterator[None]:
    """The broker takes connections and never answers."""
    with _stopped(plant.stack.broker.process.pid):
        yield


@contextmanager
def _stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def broker_slow(plant: Plant) -> Iterator[None]:
    """The broker runs a tenth of the time."""
    with plant.stuttering(0.9, 0.1):
        yield


def topic_deleted(plant: Plant) -> Iterator[None]:
    """Somebody deletes an output topic."""
    admin = AdminClient({**admin_config(plant.settings), "log_level": 0})
    name = plant.topics.name("evidence.v1")
    admin.delete_topics([name])[name].result()
    yield


def retention(plant: Plant) -> Iterator[None]:
    """Workers are down, and retention deletes what they have not read."""
    plant.stop_worker()
    time.sleep(2.0)
    admin = AdminClient({**admin_config(plant.settings), "log_level": 0})
    numbers = range(plant.settings.topics.partitions)
    asked = [TopicPartition(plant.topics.name("sensors.v1"), number, OFFSET_END) for number in numbers]
    for answered in admin.delete_records(asked).values():
        answered.result()
    plant.start_worker()
    yield


def hot(plant: Plant) -> Iterator[None]:
    """A hundred new assets, all of whose names fall on one partition."""
    names = (f"extra-{n}" for n in count())
    plant.feed.more = tuple(islice((name for name in names if partition_for(name.encode(), 4) == 2), 100))
    yield


def hanging_worker(plant: Plant) -> Iterator[None]:
    """One of two workers stands still."""
    with _stopped(*plant.hurt(0, 1)):
        yield


def no_worker(plant: Plant) -> Iterator[None]:
    """Nobody works."""
    plant.stop_worker()
    yield


def restarting(plant: Plant) -> Iterator[None]:
    """A worker dies again and again."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(2.5):
            plant.hurt(signal.SIGKILL, 1)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def wrong_partitioner(plant: Plant) -> Iterator[None]:
    """A gateway chooses partitions by another rule."""
    plant.feed.raw = lambda value, asset: (value, asset.encode(), (len(asset) + ord(asset[-1])) % 4)
    yield


def garbage(plant: Plant) -> Iterator[None]:
    """A gateway cuts its records."""
    plant.feed.raw = lambda value, asset: (value[:100], asset.encode(), -1)
    yield


def volts(plant: Plant) -> Iterator[None]:
    """A gateway says volts where it measures an acceleration."""
    record = (
        '{"asset": "%s", "point": "de", "channels": ["x"], "source_ns": %d, "sampling_rate_hz": 1600, '
        '"quantity": "acceleration", "unit": "V", "samples": [1, 2, 3]}'
    )
    plant.feed.raw = lambda value, asset: ((record % (asset, time.time_ns())).encode(), asset.encode(), -1)
    yield


def defect(plant: Plant) -> Iterator[None]:
    """Our own code fails on one block."""
    plant.stop_worker()
    spoilt = iter((10_000_000,))
    plant.feed.changes[VICTIM] = lambda fields: fields | {"sequence": next(spoilt, fields["sequence"])}
    plant.start_failing(f"{VICTIM}:10000000")
    yield


def lost_key(plant: Plant) -> Iterator[None]:
    """Workers come back with another key than the one that sealed the state."""
    plant.stop_worker()
    plant.configure(key="another-key-of-32-characters-here")
    plant.start_worker("--accept-cold")
    yield


def changed_model(plant: Plant) -> Iterator[None]:
    """Workers come back with other models."""
    plant.stop_worker()
    plant.configure("horizon_s = 60.0")
    plant.start_worker()
    yield


def sink_away(plant: Plant) -> Iterator[None]:
    """The system behind the sink is not there."""
    assert plant.server is not None
    plant.server.script.actions = ("cut",)
    plant.alerts()
    yield


def sink_failing(plant: Plant) -> Iterator[None]:
    """It answers 500."""
    assert plant.server is not None
    plant.server.script.actions = ("500",)
    plant.alerts()
    yield


def sink_refusing(plant: Plant) -> Iterator[None]:
    """It answers 400."""
    assert plant.server is not None
    plant.server.script.actions = ("400",)
    plant.alerts()
    yield


def sink_slow(plant: Plant) -> Iterator[None]:
    """It answers after our patience."""
    assert plant.server is not None
    plant.server.script.actions = ("late",)
    plant.alerts()
    yield


def nobody_delivers(plant: Plant) -> Iterator[None]:
    """`foreshock deliver` is stopped."""
    assert plant.delivery is not None
    plant.delivery.terminate()
    plant.delivery.wait(30)
    plant.alerts()
    yield


def cache_gone(plant: Plant) -> Iterator[None]:
    """The cache is killed."""
    assert plant.stack.valkey is not None
    plant.stack.valkey.kill()
    yield
    plant.stack.valkey.start()


def _silence(_: dict[str, Any]) -> None:
    """No block at all."""


CAUSES = (
    Cause("the broker is killed", Layer.BROKER, broker_away),
    Cause("the broker hangs", Layer.BROKER, broker_hangs),
    Cause("the broker is slow", Layer.BROKER, broker_slow),
    Cause("an output topic is deleted", Layer.BROKER, topic_deleted),
    Cause("retention deletes unread input", Layer.BROKER, retention),
    Cause("one partition gets most of the load", Layer.PARTITION, hot),
    Cause("a worker hangs", Layer.WORKER, hanging_worker),
    Cause("no worker runs", Layer.WORKER, no_worker),
    Cause("a worker dies again and again", Layer.WORKER, restarting, 8.0),
    Cause("a gateway uses another partitioner", Layer.GATEWAY, wrong_partitioner),
    Cause("a gateway cuts its records", Layer.GATEWAY, garbage),
    Cause("a gateway is silent", Layer.GATEWAY, _feeding(_silence, *ASSETS[:6]), 9.0),
    Cause("a gateway's clock is an hour ahead", Layer.GATEWAY, _feeding(_ahead)),
    Cause("a gateway sends the wrong unit", Layer.GATEWAY, volts),
    Cause("a sensor is frozen", Layer.SENSOR, _feeding(_frozen, VICTIM)),
    Cause("a sensor is clipped", Layer.SENSOR, _feeding(_clipped, VICTIM)),
    Cause("a sensor has another rate", Layer.SENSOR, _feeding(_wrong_rate, VICTIM)),
    Cause("a sensor is silent", Layer.SENSOR, _feeding(_silence, VICTIM), 9.0),
    Cause("our own code fails on a record", Layer.FEATURES, defect, 20.0),
    Cause("the key of the state is lost", Layer.MODEL, lost_key),
    Cause("the models are changed", Layer.MODEL, changed_model),
    Cause("a machine's bearing breaks", Layer.MACHINE, _feeding(_worn, VICTIM)),
    Cause("a sink's server breaks off", Layer.SINK, sink_away),
    Cause("a sink's server fails", Layer.SINK, sink_failing),
    Cause("a sink's server refuses", Layer.SINK, sink_refusing),
    Cause("a sink's server is slow", Layer.SINK, sink_slow),
    Cause("nobody delivers", Layer.SINK, nobody_delivers),
    Cause("the cache is gone", Layer.CACHE, cache_gone),
)
