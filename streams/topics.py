"""The topics: what each is for, how it must be set up, and the check of that at start.

All topics have the same number of partitions, and what comes from a partition of an input goes to the same partition of every
output. All are `LogAppendTime`: with the producer's time a broker refuses records an hour ahead, and old recordings fall to
retention as they arrive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from confluent_kafka import KafkaError, KafkaException, TopicCollection, Uuid
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType, TopicDescription

from foreshock.errors import ConfigurationError, Unavailable
from foreshock.settings import Settings
from foreshock.streams.kafka import CONNECT_S, DEAD_LETTER_BYTES, OVERHEAD_BYTES, REQUEST_S, administration
from foreshock.streams.partitioner import partition_for

__all__ = ["TOPICS", "TopicDefinition", "TopicInfo", "ensure", "inspect", "partition_for"]

log = logging.getLogger(__name__)

_DAY_MS = 24 * 60 * 60 * 1000
SHORT_DAYS, MIDDLE_DAYS, LONG_DAYS = 7, 90, 5 * 365
MISSING = "not there (or our account may not see it), and topics.create is false: `foreshock topics --print` gives the commands"
DEFAULT_MAX_BYTES = 1024 * 1024 + OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class TopicDefinition:
    """One topic as it must be.

    Attributes
    ----------
    name
        Without the prefix.
    key
        What the key is.
    holds
        What the values are.
    cleanup
        `cleanup.policy`.
    days
        Retention in days; nothing for a compacted topic.
    limit
        `max.message.bytes`; 0: the setting `topics.max_message_bytes` and room for key and headers.
    used
        Whether this version reads or writes it; only these are created and checked.
    more
        Further configuration for its creation; the operator may change it.
    """

    name: str
    key: str
    holds: str
    cleanup: str = "delete"
    days: int = SHORT_DAYS
    limit: int = DEFAULT_MAX_BYTES
    used: bool = True
    more: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def full_name(self, settings: Settings) -> str:
        """Give the name on the broker."""
        return settings.topics.prefix + self.name

    def config(self, settings: Settings) -> dict[str, str]:
        """Give the topic's configuration for its creation."""
        retention = {"retention.ms": str(self.days * _DAY_MS)} if self.cleanup == "delete" else {}
        return {**self.required(settings), **retention, **self.more}

    def required(self, settings: Settings) -> dict[str, str]:
        """Give the part of the configuration that is checked at start; retention is the operator's to change."""
        limit = self.limit or settings.topics.max_message_bytes + OVERHEAD_BYTES
        return {
            "cleanup.policy": self.cleanup,
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(limit),
        }


_DEFINITIONS = (
    TopicDefinition("sensors.v1", "asset id", "SensorBlock, TelemetryFrame", limit=0),
    TopicDefinition("assets.v1", "asset id", "Asset", cleanup="compact"),
    TopicDefinition("scores.v1", "asset id", "Score", days=30),
    TopicDefinition("anomalies.v1", "asset id", "Anomaly", days=LONG_DAYS),
    # a vector of many channels is larger than the blocks that it is made from
    TopicDefinition("features.v1", "asset id", "FeatureVector", days=MIDDLE_DAYS, limit=DEAD_LETTER_BYTES),
    TopicDefinition("diagnoses.v1", "asset id", "Diagnosis", days=LONG_DAYS),
    TopicDefinition("quality.v1", "sensor id", "DataQuality", days=MIDDLE_DAYS),
    TopicDefinition("dead-letters.v1", "original key", "DeadLetter", days=LONG_DAYS, limit=DEAD_LETTER_BYTES),
    TopicDefinition(
        "state.v1",
        "partition/asset",
        "sealed snapshots, markers and places",
        cleanup="compact",
        limit=DEAD_LETTER_BYTES,
        more=MappingProxyType(
            {  # a worker that takes a partition over reads all of it: old snapshots have to go soon
                "segment.bytes": str(64 * 1024 * 1024),
                "min.cleanable.dirty.ratio": "0.1",
                "max.compaction.lag.ms": "600000",
            }
        ),
    ),
    TopicDefinition("control.v1", "asset id", "Command", days=LONG_DAYS),
    TopicDefinition("maintenance.v1", "asset id", "WorkOrder", days=LONG_DAYS),
    TopicDefinition("alerts.v1", "alert id", "AlertTransition", days=LONG_DAYS),
    TopicDefinition("alarms.v1", "alert id", "AlarmRecord", cleanup="compact"),
    TopicDefinition("incidents.v1", "incident id, or alert id", "AlertTransition", days=LONG_DAYS),
    TopicDefinition(
        "lines.v1",
        "line",
        "sealed incidents",
        cleanup="compact",
        limit=DEAD_LETTER_BYTES,
        more=MappingProxyType(
            {  # read whole by who takes the work over, and each change of an incident writes all of it
                "segment.bytes": str(8 * 1024 * 1024),
                "min.cleanable.dirty.ratio": "0.1",
                "max.compaction.lag.ms": "600000",
            }
        ),
    ),
    TopicDefinition("evidence.v1", "event id", "Case, CasePart", days=LONG_DAYS, limit=DEAD_LETTER_BYTES),
    TopicDefinition("drift.v1", "asset id", "drift signals", days=MIDDLE_DAYS, used=False),
    TopicDefinition("references.v1", "asset class", "fleet references", cleanup="compact", used=False),
)
TOPICS: Mapping[str, TopicDefinition] = MappingProxyType({each.name: each for each in _DEFINITIONS})


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """One topic as it was found.

    Attributes
    ----------
    name
        On the broker, with the prefix.
    topic_id
        Kafka's own id, written as Kafka's tools write it; a topic that is deleted and made again has another.
    partitions
        Number of partitions.
    replication
        Smallest number of replicas of a partition.
    config
        Every configuration value.
    """

    name: str
    topic_id: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def used() -> tuple[TopicDefinition, ...]:
    """Give the topics that this version reads or writes."""
    return tuple(each for each in TOPICS.values() if each.used)


def ensure(settings: Settings, *, wait_s: float = CONNECT_S) -> dict[str, TopicInfo]:
    """Check every used topic, and create those that are missing where `topics.create` allows it.

    A broker that does not answer yet is waited for, at most `wait_s` seconds.

    Returns
    -------
    dict
        By name without the prefix.

    Raises
    ------
    ConfigurationError
        A topic is missing or is not as it must be: topic, found, wanted, and the command that mends it, a line each.
    Unavailable
        Kafka cannot be reached.
    """
    with administration(settings, wait_s=wait_s) as admin:
        found = _found(admin, settings)
        absent = [each for each in used() if each.name not in found]
        if absent and settings.topics.create:
            _create(admin, absent, settings)
            found = _await(admin, settings)
            absent = []
    problems = [
        *((each.full_name(settings), MISSING) for each in absent),
        *((info.name, text) for name, info in found.items() for text in check(TOPICS[name], info, settings)),
    ]
    if problems:
        raise ConfigurationError(tell(problems))
    for warning in production_warnings(found.values(), settings):
        log.warning(warning)
    return found


def inspect(settings: Settings, *, wait_s: float = CONNECT_S) -> dict[str, TopicInfo]:
    """Give the used topics that are there, by name without the prefix, without a check."""
    with administration(settings, wait_s=wait_s) as admin:
        return _found(admin, settings)


def check(definition: TopicDefinition, info: TopicInfo, settings: Settings) -> list[str]:
    """Give a text for each thing that is not as it must be: found, wanted, how to mend it."""
    problems = []
    wanted = settings.topics.partitions
    if info.partitions != wanted:
        problems.append(
            f"found {info.partitions} partitions, wanted {wanted}: set topics.partitions = "
            f"{info.partitions}, the same for all topics, or make the topic again (more partitions would move every asset)"
        )
    for key, value in definition.required(settings).items():
        there = info.config.get(key, "")
        enough = int(there or 0) >= int(value) if key == "max.message.bytes" else there == value
        if not enough:
            mend = f"kafka-configs.sh --bootstrap-server {settings.kafka.bootstrap} --alter --topic {info.name} --add-config {key}={value}"
            problems.append(f"found {key}={there}, wanted {value}: {mend}")
    return problems


def tell(problems: Iterable[tuple[str, str]]) -> str:
    """Write (topic, text) pairs as lines, one for all topics that have the same problem."""
    topics: dict[str, list[str]] = {}
    for name, text in problems:
        topics.setdefault(text, []).append(name)
    return "\n".join(
        f"{'topics' if len(names) > 1 else 'topic'} {', '.join(names)}: {text}" for text, names in topics.items()
    )


def production_warnings(found: Iterable[TopicInfo], settings: Settings) -> list[str]:
    """Say which topics would lose data with one broker; a broker on this machine is for trying out."""
    if is_local(settings.kafka.bootstrap):
        return []
    warnings = []
    for info in found:
        weak = []
        if info.replication < 3:
            weak.append(f"replication {info.replication} (3 is usual)")
        if int(info.config.get("min.insync.replicas", "1")) < 2:
            weak.append("min.insync.replicas 1 (2 is usual)")
        if info.config.get("unclean.leader.election.enable") == "true":
            weak.append("unclean.leader.election.enable=true")
        if weak:
            warnings.append(f"topic {info.name} can lose records when a broker fails: {', '.join(weak)}")
    return warnings


def is_local(bootstrap: str) -> bool:
    """Say whether all addresses are this machine's own."""
    hosts = {address.rpartition(":")[0].rpartition("//")[2].strip("[] ") for address in bootstrap.split(",")}
    return hosts <= {"127.0.0.1", "localhost", "::1"}


def _found(admin: AdminClient, settings: Settings) -> dict[str, TopicInfo]:
    names = {each.full_name(settings): each.name for each in used()}
    there = [name for name in names if name in admin.list_topics(timeout=REQUEST_S).topics]
    if not there:
        return {}
    described = admin.describe_topics(TopicCollection(there), request_timeout=REQUEST_S)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in there]
    configs = {
        resource.name: {key: str(entry.value) for key, entry in future.result().items()}
        for resource, future in admin.describe_configs(resources, request_timeout=REQUEST_S).items()
    }
    return {names[name]: _info(described[name].result(), configs[name]) for name in there}


def _info(described: TopicDescription, config: Mapping[str, str]) -> TopicInfo:
    partitions = described.partitions
    replication = min((len(each.replicas) for each in partitions), default=0)
    return TopicInfo(described.name, _url_safe(described.topic_id), len(partitions), replication, config)


def _url_safe(topic_id: Uuid) -> str:
    """Write the id with the URL-safe alphabet as Kafka does; librdkafka uses the other one."""
    return str(topic_id).replace("+", "-").replace("/", "_")


def _create(admin: AdminClient, definitions: Iterable[TopicDefinition], settings: Settings) -> None:
    topics = [
        NewTopic(
            each.full_name(settings),
            num_partitions=settings.topics.partitions,
            replication_factor=settings.topics.replication,
            config=each.config(settings),
        )
        for each in definitions
    ]
    for name, future in admin.create_topics(topics, request_timeout=REQUEST_S).items():
        try:
            future.result()
        except KafkaException as exc:
            error = exc.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:  # another worker starts at the same time
                continue
            raise ConfigurationError(
                f"topic {name} cannot be created: {error.str()}; an administrator can: `foreshock topics --print`"
            ) from exc


def _await(admin: AdminClient, settings: Settings) -> dict[str, TopicInfo]:
    """Wait until every topic that was just created is known with all its partitions and their leaders."""
    deadline = time.monotonic() + REQUEST_S
    while time.monotonic() < deadline:
        there = admin.list_topics(timeout=REQUEST_S).topics
        names = [each.full_name(settings) for each in used()]
        if all(name in there and all(part.leader >= 0 for part in there[name].partitions.values()) for name in names):
            return _found(admin, settings)
        time.sleep(0.05)
    raise Unavailable(f"Kafka at {settings.kafka.bootstrap} did not make the new topics known within {REQUEST_S:g} s")
