"""The start-up check of the topics, on the real broker."""

from __future__ import annotations

import time
from dataclasses import replace
from types import MappingProxyType

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.settings import KafkaSettings, Settings, TopicSettings
from foreshock.streams.topics import (
    TOPICS,
    TopicInfo,
    check,
    ensure,
    inspect,
    is_local,
    production_warnings,
    tell,
    used,
)


def make(settings: Settings, name: str, partitions: int = 4, **config: str) -> None:
    """Make one topic otherwise than it should be."""
    full = TOPICS[name].full_name(settings)
    wanted = {**TOPICS[name].config(settings), **{key.replace("_", "."): value for key, value in config.items()}}
    topic = NewTopic(full, num_partitions=partitions, replication_factor=1, config=wanted)
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    admin.create_topics([topic])[full].result(10)


def test_creates_what_is_missing_and_then_finds_it(settings: Settings) -> None:
    """The first start makes the topics, the second finds the same ones."""
    assert inspect(settings) == {}
    made = ensure(settings)
    assert set(made) == {each.name for each in used()}
    assert ensure(replace(settings, topics=replace(settings.topics, create=False))) == made
    sensors = made["sensors.v1"]
    assert sensors.name == settings.topics.prefix + "sensors.v1"
    assert sensors.partitions == settings.topics.partitions
    assert len(sensors.topic_id) == 22
    assert not set(sensors.topic_id) & set("+/=")
    assert made["assets.v1"].config["cleanup.policy"] == "compact"
    assert made["dead-letters.v1"].config["max.message.bytes"] == str(4 * 1024 * 1024)


def test_a_topic_made_again_has_another_id(settings: Settings) -> None:
    """Ids made from a topic id cannot collide with those of an older topic of that name."""
    before = ensure(settings)["quality.v1"]
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    admin.delete_topics([before.name])[before.name].result(10)
    deadline = time.monotonic() + 10
    while "quality.v1" in inspect(settings):
        assert time.monotonic() < deadline
    assert ensure(settings)["quality.v1"].topic_id != before.topic_id


def test_two_workers_may_start_at_once(settings: Settings) -> None:
    """A topic that another worker creates in the same moment is no error."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ensure, [settings] * 4))
    assert all(each == found[0] for each in found)


def test_missing_where_creation_is_not_allowed(settings: Settings) -> None:
    """One line names all that is missing and the way out."""
    strict = replace(settings, topics=replace(settings.topics, create=False))
    with pytest.raises(ConfigurationError, match=r"sensors\.v1.*not there.*foreshock topics --print") as caught:
        ensure(strict)
    assert "\n" not in str(caught.value)
    assert inspect(strict) == {}


def test_wrong_partition_count(settings: Settings) -> None:
    """Found, wanted, and what to do."""
    make(settings, "sensors.v1", partitions=3)
    with pytest.raises(ConfigurationError, match=r"sensors\.v1: found 3 partitions, wanted 4: set topics\.partitions"):
        ensure(settings)


@pytest.mark.parametrize(
    ("name", "config", "told"),
    [
        ("sensors.v1", {"message_timestamp_type": "CreateTime"}, "message.timestamp.type=CreateTime, wanted LogAppend"),
        ("assets.v1", {"cleanup_policy": "delete"}, "cleanup.policy=delete, wanted compact"),
        ("scores.v1", {"cleanup_policy": "compact"}, "cleanup.policy=compact, wanted delete"),
        ("dead-letters.v1", {"max_message_bytes": "1000000"}, "max.message.bytes=1000000, wanted 4194304"),
    ],
)
def test_wrong_configuration(settings: Settings, name: str, config: dict[str, str], told: str) -> None:
    """The error names topic, found and wanted, and holds the command that mends it."""
    make(settings, name, **config)
    with pytest.raises(ConfigurationError, match=told) as caught:
        ensure(settings)
    assert f"--alter --topic {settings.topics.prefix}{name} --add-config" in str(caught.value)


def test_a_larger_message_limit_is_no_error(settings: Settings) -> None:
    """An operator may allow more than we need."""
    make(settings, "sensors.v1", max_message_bytes="9000000")
    assert ensure(settings)["sensors.v1"].config["max.message.bytes"] == "9000000"


def test_more_replicas_than_brokers(settings: Settings) -> None:
    """What the broker refuses is told in its own words, with the way out."""
    many = replace(settings, topics=replace(settings.topics, replication=3))
    with pytest.raises(ConfigurationError, match=r"cannot be created: .*3.*foreshock topics --print"):
        ensure(many)


def test_unreachable_broker() -> None:
    """Nobody there: one line, the code for unreachable, within the deadline."""
    nowhere = Settings(kafka=KafkaSettings(bootstrap="127.0.0.1:9"))
    with pytest.raises(Unavailable, match=r"^Kafka at 127\.0\.0\.1:9 cannot be reached: .*refused.*$") as caught:
        ensure(nowhere, wait_s=0.5)
    assert caught.value.exit_code == 3


def test_production_warnings_only_for_a_broker_elsewhere() -> None:
    """A single copy on this machine is for trying out; elsewhere it loses records."""
    weak = TopicInfo("scores.v1", "", 4, 1, MappingProxyType({"min.insync.replicas": "1"}))
    far = Settings(kafka=KafkaSettings(bootstrap="kafka-1.plant:9092,localhost:9092"))
    assert production_warnings([weak], Settings()) == []
    (warning,) = production_warnings([weak], far)
    assert "replication 1" in warning
    assert "min.insync.replicas 1" in warning
    good = replace(weak, replication=3, config={"min.insync.replicas": "2"})
    assert production_warnings([good], far) == []


@pytest.mark.parametrize(
    ("bootstrap", "local"),
    [("127.0.0.1:9092", True), ("localhost:1,[::1]:2", True), ("10.0.0.1:9092", False), ("SASL_SSL://k:1", False)],
)
def test_is_local(bootstrap: str, local: bool) -> None:
    """All addresses must be loopback."""
    assert is_local(bootstrap) is local


def test_the_input_limit_follows_the_settings() -> None:
    """The topic takes a record of the largest allowed value with its key and headers."""
    settings = Settings(topics=TopicSettings(max_message_bytes=2_000_000))
    assert int(TOPICS["sensors.v1"].config(settings)["max.message.bytes"]) > 2_000_000


def test_same_problem_is_told_once() -> None:
    """Topics with the same problem share a line."""
    assert tell([("a", "x"), ("b", "y"), ("c", "x")]) == "topics a, c: x\ntopic b: y"


def test_check_is_quiet_about_what_is_right() -> None:
    """Retention is the operator's: it is not checked."""
    settings = Settings()
    config = {**TOPICS["scores.v1"].config(settings), "retention.ms": "1"}
    assert check(TOPICS["scores.v1"], TopicInfo("scores.v1", "", 4, 1, config), settings) == []
