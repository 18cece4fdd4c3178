"""A training run of the broker: once per installation, so that every later start is short. See `foreshock.local.jvm`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from foreshock.local.broker import CHECKPOINT, Broker
from foreshock.local.jvm import archive, head_start
from foreshock.settings import KafkaSettings, Settings
from foreshock.streams.kafka import administration

ASSEMBLE_S = 120.0  # Java writes the archive when the broker ends: five seconds of a free core
WAIT_S = 20.0
_TOPIC = "training"


def train(jars: Sequence[Path]) -> bool:
    """Run a broker through what a start needs and keep what it learnt; say whether anything was left to do.

    Raises
    ------
    Unavailable
        The broker did not start.
    """
    if archive(jars).exists():
        return False
    kept = head_start(jars)
    for old in kept.parent.glob("start-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".train-") as folder:
        learnt = Path(folder) / "learnt"
        learnt.mkdir()
        broker = Broker(Path(folder) / "kafka", jars, training=learnt / "kafka.aot", grace_s=ASSEMBLE_S)
        broker.start()
        try:
            _use(broker.bootstrap)
        finally:
            broker.stop()
        if not (learnt / "kafka.aot").exists():
            return False
        shutil.copyfile(broker.data / CHECKPOINT, learnt / CHECKPOINT)
        try:
            learnt.rename(kept)
        except OSError:  # another installation was faster
            return False
    return True


def _use(bootstrap: str) -> None:
    """Do what a worker does when it starts: make a topic, join a group, take part in a transaction."""
    with administration(Settings(kafka=KafkaSettings(bootstrap=bootstrap))) as admin:
        for future in admin.create_topics([NewTopic(_TOPIC, 1, 1)]).values():
            future.result(WAIT_S)
    client = {"bootstrap.servers": bootstrap, "log_level": 0}
    producer = Producer({**client, "transactional.id": _TOPIC})
    producer.init_transactions(WAIT_S)
    consumer = Consumer({**client, "group.id": _TOPIC, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([_TOPIC])
    producer.begin_transaction()
    producer.produce(_TOPIC, b"block", b"asset")
    producer.commit_transaction(WAIT_S)
    consumer.poll(WAIT_S)
    producer.begin_transaction()
    producer.send_offsets_to_transaction([TopicPartition(_TOPIC, 0, 1)], consumer.consumer_group_metadata(), WAIT_S)
    producer.commit_transaction(WAIT_S)
    consumer.close()
