"""Topics are hurt: one refuses records, one is deleted, input goes to retention unread, state is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests.chaos.plant import READY_S, Plant, sound
from tests.chaos.verify import Ranges, Verdict

pytestmark = pytest.mark.slow


def set_config(client: AdminClient, plant: Plant, topic: str, key: str, value: str) -> None:
    """Change a setting of a topic."""
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, plant.topics.name(topic), incremental_configs=[entry])
    for future in client.incremental_alter_configs([resource]).values():
        future.result(30)


@contextmanager
def refusing(plant: Plant, topic: str) -> Iterator[None]:
    """A topic that refuses every record as too large; it takes them again before the next worker checks its topics."""
    client = AdminClient({"bootstrap.servers": plant.settings.kafka.bootstrap})
    set_config(client, plant, topic, "max.message.bytes", "100")
    try:
        yield
    finally:
        set_config(client, plant, topic, "max.message.bytes", str(1024 * 1024 + 64 * 1024))


def test_output_topics_refuse_records(plant):
    """A refused output ends the worker with its reason; nothing is passed over, and all of it comes once it is taken."""
    hall = plant(processes=1)
    worker = hall.start()
    worker.wait_for("worker ready", READY_S)
    with hall.feeding(upto=0.3):
        for times, share, topic in ((1, 0.3, "scores.v1"), (2, 0.6, "anomalies.v1")):
            hall.reach(share, worker)
            with refusing(hall, topic):
                hall.open(share + 0.3)  # nothing was sent between: what comes now meets the refusal
                worker.wait_for(f"output refused: topic {hall.topics.name(topic)}")
            worker.wait_for("ended with code 70", times=times)
    verdict = hall.finish(worker)

    sound(verdict, worker, repeated=hall.holds(restarts=2))


def test_output_topic_is_deleted(plant):
    """What was on a deleted topic is gone: the worker makes the topic again, goes on, and tells exactly what was lost."""
    hall = plant(processes=1)
    worker = hall.start()
    worker.wait_for("worker ready", READY_S)
    with hall.feeding(upto=0.4):
        hall.reach(0.4, worker)
        client = AdminClient({"bootstrap.servers": hall.settings.kafka.bootstrap})
        for future in client.delete_topics([hall.topics.name("scores.v1")]).values():
            future.result(30)
        hall.open(1.0)  # what comes now finds no topic
        worker.wait_for("ended with code")
        worker.wait_for("worker ready", READY_S, times=2)
    verdict = hall.finish(worker)

    assert verdict.lost
    assert reported(verdict, hall.topics.name("scores.v1")) == verdict.lost, worker.shown()
    verdict.lost = []
    sound(verdict, worker, repeated=hall.holds(restarts=1))


def test_retention_deletes_unread_input(plant):
    """What was deleted before anybody read it is told with its partition, first offset and number; the rest goes on."""
    hall = plant(processes=1)
    hall.start_and_stop(0.3)
    hall.feed(hall.plan.blocks // 5)
    hall.flush()
    committed, ends = hall.topics.committed(), hall.topics.ends("sensors.v1")
    unread = hall.destroy({partition: (committed[partition] + ends[partition]) // 2 for partition in (0, 2)})
    worker = hall.start()
    with hall.feeding():
        worker.wait_for("worker ready", READY_S)
    verdict = hall.finish(worker, unread=[(p, at) for p, first, last in unread for at in range(first, last + 1)])

    sound(verdict, worker, repeated=0)
    assert reported(verdict, hall.topics.name("sensors.v1")) == unread, worker.shown()


def reported(verdict: Verdict, topic: str) -> Ranges:
    """The ranges of input offsets that the pipeline has told lost, of one topic."""
    lost = {each.id: each for each in verdict.own if each.record["kind"] == "lost"}
    found = [each for each in lost.values() if each.record["point"].startswith(f"{topic}/")]
    return sorted((*each.place, each.place[1] + int(each.record["value"]) - 1) for each in found)


def test_state_record_is_corrupt(plant):
    """Assets whose snapshot was damaged or taken from another place start cold and say so; nobody else notices anything."""
    hall = plant(processes=1)
    hall.start_and_stop(0.5)
    victims = hall.corrupt_state()
    worker = hall.start()
    with hall.feeding():
        worker.wait_for("worker ready", READY_S)
    verdict = hall.finish(worker)

    cold = {each.record["asset"] for each in verdict.own if each.record["kind"] == "cold_start"}
    assert cold == set(victims), worker.shown()
    strangers = [
        line for found in verdict.faults.values() for line in found if not any(v in str(line) for v in victims)
    ]
    assert strangers == []
    assert not verdict.lost
    assert not verdict.pending
    assert not verdict.reordered
    assert not verdict.duplicated
    assert verdict.repeated == verdict.repeated_events == 0
    assert verdict.digests_equal == hall.plan.assets - len(victims)
