"""The topics as commands for an administrator, where we may not create them ourselves: Kafka's own tools, ready to paste."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from foreshock.settings import Settings
from foreshock.streams.topics import TopicDefinition, used

INPUTS = ("sensors.v1", "assets.v1")
COMMANDS = ("control.v1", "maintenance.v1")
LINES = ("incidents.v1", "lines.v1")  # written where alerts are grouped, not by workers


def commands(
    settings: Settings,
    *,
    worker: str = "User:foreshock",
    gateway: str = "User:gateway",
    operator: str = "User:operator",
    delivery: str = "User:delivery",
) -> list[str]:
    """Give the shell lines that make the topics and grant the rights.

    Parameters
    ----------
    worker
        Principal of the workers.
    gateway
        Principal of those who send blocks and register assets.
    operator
        Principal of those who send commands and work orders; they read the answers on alerts.v1.
    delivery
        Principal of `foreshock deliver`.
    """
    return [
        "# topics",
        *(_create(each, settings) for each in used()),
        "# what the workers need",
        *_worker_rights(settings, worker),
        "# what a gateway needs",
        *(_grant(settings, gateway, ("Write", "Describe"), topic=_name(each, settings)) for each in INPUTS),
        "# what operators and the maintenance system need",
        *(_grant(settings, operator, ("Write", "Describe"), topic=_name(each, settings)) for each in COMMANDS),
        _grant(settings, operator, ("Read", "Describe"), topic=_name("alerts.v1", settings)),
        "# what `foreshock deliver` needs",
        *_delivery_rights(settings, delivery),
    ]


def _create(definition: TopicDefinition, settings: Settings) -> str:
    config = definition.config(settings)
    if settings.topics.replication >= 3:
        config |= {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
    return shlex.join(
        [
            *("kafka-topics.sh", "--bootstrap-server", settings.kafka.bootstrap, "--create", "--if-not-exists"),
            *("--topic", definition.full_name(settings), "--partitions", str(settings.topics.partitions)),
            *("--replication-factor", str(settings.topics.replication)),
            *(part for key, value in config.items() for part in ("--config", f"{key}={value}")),
        ]
    )


def _worker_rights(settings: Settings, principal: str) -> Iterator[str]:
    for each in used():
        # a worker reads its own outputs too: after a restart the tail of the scores tells it what was published
        rights = (
            ("Read", "Describe", "DescribeConfigs")
            if each.name in (*INPUTS, *COMMANDS, *LINES)
            else ("Read", "Write", "Describe", "DescribeConfigs")
        )
        yield _grant(settings, principal, rights, topic=each.full_name(settings))
    yield _grant(settings, principal, ("Read", "Describe"), group=settings.worker.group)
    # each worker's checkpoints are transactions under the group's name and its own
    names = {"transactional-id": f"{settings.worker.group}-", "resource-pattern-type": "prefixed"}
    yield _grant(settings, principal, ("Write", "Describe"), **names)


def _delivery_rights(settings: Settings, principal: str) -> Iterator[str]:
    seen = ("Describe", "DescribeConfigs")
    yield _grant(settings, principal, ("Read", *seen), topic=_name("alerts.v1", settings))
    for name in ("dead-letters.v1", "maintenance.v1"):
        yield _grant(settings, principal, ("Read", "Write", *seen), topic=_name(name, settings))
    group = {"group": f"{settings.worker.group}-deliver-", "resource-pattern-type": "prefixed"}  # one for each sink
    yield _grant(settings, principal, ("Read", "Describe"), **group)
    if any(each.per == "line" for each in settings.deliver.values()):
        for name in LINES:
            yield _grant(settings, principal, ("Read", "Write", *seen), topic=_name(name, settings))
        yield _grant(settings, principal, ("Read", "Describe"), group=f"{settings.worker.group}-lines")
        names = {"transactional-id": f"{settings.worker.group}-lines"}
        yield _grant(settings, principal, ("Write", "Describe"), **names)


def _grant(settings: Settings, principal: str, rights: tuple[str, ...], **resource: str) -> str:
    return shlex.join(
        [
            *("kafka-acls.sh", "--bootstrap-server", settings.kafka.bootstrap, "--add", "--allow-principal", principal),
            *(part for right in rights for part in ("--operation", right)),
            *(part for kind, name in resource.items() for part in (f"--{kind}", name)),
        ]
    )


def _name(topic: str, settings: Settings) -> str:
    return settings.topics.prefix + topic
