"""Topics are hurt: one refuses records, one is deleted, input goes to retention unread, state is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.chaos.plant import Plant, sound

pytestmark = pytest.mark.slow


def admin(plant: Plant) -> AdminClient:
    """A client for the damage."""
    return AdminClient({"bootstrap.servers": plant.settings.kafka.bootstrap})


def set_config(plant: Plant, topic: str, key: str, value: str) -> None:
    """Change a setting of a topic."""
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, plant.topics.name(topic), incremental_configs=[entry])
    for future in admin(plant).incremental_alter_configs([resource]).values():
        future.result(30)


@contextmanager
def refusing(plant: Plant, topic: str) -> Iterator[None]:
    """A topic that refuses every record as too large."""
    set_config(plant, topic, "max.message.bytes", "100")
    try:
        yield
    finally:
        set_config(plant, topic, "max.message.bytes", str(1024 * 1024 + 64 * 1024))


@pytest.mark.parametrize("topic", ["scores.v1", "anomalies.v1"])
def test_output_topic_refuses_records(plant, topic):
    """A refused output ends the worker with its reason; nothing is passed over, and all of it comes once it is taken."""
    hall = plant(processes=1)
    worker = hall.start()
    worker.wait_for("worker ready")
    with hall.feeding():
        hall.reach(0.3, worker)
        with refusing(hall, topic):
            worker.wait_for("output refused")
            worker.wait_for("ended with code")
    verdict = hall.finish(worker)

    sound(verdict, worker)
    assert hall.topics.name(topic) in worker.shown()
