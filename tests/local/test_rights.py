"""The ACLs that `foreshock topics --print` gives, on a broker that refuses everything else."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from foreshock.errors import ConfigurationError
from foreshock.local.stack import LocalStack
from foreshock.settings import KafkaSettings, Settings, load
from foreshock.settings_deliver import KINDS
from foreshock.streams.kafka import consumer_config, producer_config
from foreshock.streams.lines.grouping import Grouping
from foreshock.streams.sinks import process
from foreshock.streams.sinks.source import group_of
from foreshock.streams.state.records import StateRecord
from foreshock.streams.state.transactions import Transactions
from foreshock.streams.topics import ensure
from foreshock.streams.topics_admin import commands
from tests.conftest import start_or_skip

STRICT = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # the broker itself, and the administrator of this test, on the inner listener
}


ANYTHING = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)


@pytest.fixture(scope="module")
def strict(stack: LocalStack) -> Iterator[LocalStack]:
    local = LocalStack(sasl_ssl=True, redis=False, broker_properties=STRICT)
    start_or_skip(local)
    yield local
    local.stop()


@pytest.fixture
def worker(strict: LocalStack, topic_prefix: str) -> Settings:
    """Settings of a worker's account, which has no rights yet."""
    flags = {"topics.prefix": topic_prefix, "worker.group": f"{topic_prefix}workers"}
    return load(None, env={}, flags={**strict.settings_overrides(), **flags})


@pytest.fixture
def administrator(strict: LocalStack, worker: Settings) -> Settings:
    """The same on the inner listener, where everything is allowed."""
    inner = KafkaSettings(bootstrap=f"127.0.0.1:{strict.broker.ports.internal}", properties=MappingProxyType({}))
    return replace(worker, kafka=inner)


def grant(administrator: Settings, **principals: str) -> None:
    """Do what the printed kafka-acls.sh lines say."""
    bindings = []
    for words in (shlex.split(line) for line in commands(administrator, **principals)):
        if words[0] != "kafka-acls.sh":
            continue
        given = list(pairwise(words))
        principal = next(value for word, value in given if word == "--allow-principal")
        kind, name = next((w, value) for w, value in given if w in {"--topic", "--group", "--transactional-id"})
        prefixed = ("--resource-pattern-type", "prefixed") in given
        bindings += [
            AclBinding(
                ResourceType[kind.removeprefix("--").upper().replace("-", "_")],
                name,
                ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL,
                principal,
                "*",
                AclOperation["DESCRIBE_CONFIGS" if value == "DescribeConfigs" else value.upper()],
                AclPermissionType.ALLOW,
            )
            for word, value in given
            if word == "--operation"
        ]
    admin = AdminClient(administrator.kafka.librdkafka())
    for future in admin.create_acls(bindings).values():
        future.result(20)
    deadline = time.monotonic() + 20
    while not set(bindings) <= set(admin.describe_acls(ANYTHING).result(20)):  # the broker takes them up a little later
        assert time.monotonic() < deadline
        time.sleep(0.02)


def produce(settings: Settings, name: str) -> KafkaError | None:
    """Send one record; give the broker's answer."""
    answers: list[KafkaError | None] = []

    def answered(error: KafkaError | None, _message: Message) -> None:
        answers.append(error)

    producer = Producer({**producer_config(settings), "log_level": 0})
    producer.produce(settings.topics.prefix + name, b"value", b"pump-7", on_delivery=answered)
    assert producer.flush(20) == 0
    return answers[0]


def test_without_rights_it_is_one_clear_error(worker: Settings) -> None:
    """An account that may not create topics is told what an administrator would type."""
    with pytest.raises(ConfigurationError, match=r"cannot be created: .*uthoriz.*foreshock topics --print"):
        ensure(worker)


def test_the_printed_rights_are_enough_for_a_worker(worker: Settings, administrator: Settings) -> None:
    """Check at start, consume and commit inputs, produce every output: nothing more is needed than what is printed."""
    made = ensure(administrator)
    grant(administrator, worker="User:foreshock")
    assert ensure(replace(worker, topics=replace(worker.topics, create=False))) == made
    assert produce(administrator, "sensors.v1") is None
    config = {**consumer_config(worker), "auto.offset.reset": "earliest"}
    consumer = Consumer(config)
    consumer.subscribe([made["sensors.v1"].name])
    message: Message | None = consumer.poll(30)
    assert message is not None
    assert message.error() is None
    place = (made["sensors.v1"].name, message.partition() or 0)
    state = made["state.v1"]
    producer = {name: value for name, value in producer_config(worker).items() if name != "delivery.timeout.ms"}
    checkpoint = Transactions(producer, f"{worker.worker.group}-hall", state.name, 1_000_000)
    checkpoint.start()
    metadata = consumer.consumer_group_metadata()
    assert checkpoint.commit([StateRecord(place[1], str(place[1]), b"marker")], {place: 1}, metadata) == {place[1]: 2}
    assert [each.offset for each in consumer.committed([TopicPartition(*place)], 20)] == [1]
    consumer.close()
    assert [produce(worker, name) for name in ("scores.v1", "anomalies.v1", "quality.v1", "dead-letters.v1")] == [
        None
    ] * 4
    reader = Consumer(config)
    reader.assign([TopicPartition(made["scores.v1"].name, message.partition() or 0, 0)])
    tail: Message | None = reader.poll(30)
    reader.close()
    assert tail is not None
    assert tail.value() == b"value"


def test_a_worker_may_not_write_inputs_nor_a_gateway_outputs(worker: Settings, administrator: Settings) -> None:
    """Each role gets what it needs and no more."""
    ensure(administrator)
    grant(administrator, worker="User:somebody", gateway="User:foreshock")
    assert produce(worker, "sensors.v1") is None
    assert produce(worker, "assets.v1") is None
    refused = produce(worker, "scores.v1")
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_missing_rights_on_the_configuration_are_named(worker: Settings, administrator: Settings) -> None:
    """A gateway sees the topics but not their configuration: the start-up check says that rights are missing."""
    ensure(administrator)
    grant(administrator, worker="User:somebody", gateway="User:foreshock")
    with pytest.raises(ConfigurationError, match=r"foreshock topics --print"):
        ensure(worker)


def test_the_printed_rights_are_enough_for_delivery(worker: Settings, administrator: Settings) -> None:
    """`foreshock deliver` checks its topics, reads alerts in each sink's group, sets aside and tells of work orders; no more."""
    made = ensure(administrator)
    grant(administrator, worker="User:somebody", delivery="User:foreshock")
    found = process.topics_of(replace(worker, topics=replace(worker.topics, create=False)))
    assert {name: found[name] for name in process.NEEDED} == {name: made[name] for name in process.NEEDED}
    consumer = Consumer({**consumer_config(worker), "group.id": group_of(worker, "chat")})
    place = TopicPartition(made["alerts.v1"].name, 0, 0)
    consumer.commit(offsets=[place], asynchronous=False)
    assert [each.offset for each in consumer.committed([place], 20)] == [0]
    consumer.close()
    assert [produce(worker, name) for name in ("dead-letters.v1", "maintenance.v1")] == [None] * 2
    assert produce(worker, "control.v1") is not None


def test_the_printed_rights_are_enough_for_incidents_of_lines(worker: Settings, administrator: Settings) -> None:
    """Where a sink is told of lines, delivery reads alerts in one more group and writes two topics in transactions."""
    made = ensure(administrator)
    pager = KINDS["webhook"](name="pager", per="line")
    grant(replace(administrator, deliver={"pager": pager}), worker="User:somebody", delivery="User:foreshock")
    found = process.topics_of(
        replace(worker, topics=replace(worker.topics, create=False)), (*process.NEEDED, *process.GROUPED)
    )
    grouping, sent, deadline = Grouping(worker, found, worker="test"), [], time.monotonic() + 90

    def stopped() -> bool:
        if grouping.told()["leads"] and not sent:  # it begins with what comes from now on
            sent.append(produce(administrator, "alerts.v1"))
        return grouping.counters.passed > 0 or time.monotonic() > deadline

    grouping.run(stopped)
    consumer = Consumer({**consumer_config(worker), "group.id": f"{worker.worker.group}-lines"})
    places = [TopicPartition(made["alerts.v1"].name, number) for number in range(made["alerts.v1"].partitions)]
    offsets = [each.offset for each in consumer.committed(places, 20)]
    consumer.close()
    assert sent == [None]
    assert sorted(offsets) == [0] * (len(places) - 1) + [1]
    assert produce(worker, "alerts.v1") is not None
