"""Gathers what the dossier of an asset and the labelling queue are made of."""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException

from foreshock.alerts import budget
from foreshock.alerts.conditions import level
from foreshock.alerts.feedback import Label
from foreshock.alerts.files import resolve
from foreshock.alerts.margin import effect
from foreshock.alerts.outcomes.incidents import incidents
from foreshock.alerts.outcomes.queue import Asked, queue
from foreshock.alerts.outcomes.verdicts import judge, labels
from foreshock.alerts.outcomes.work import jobs
from foreshock.alerts.policy import Policy
from foreshock.alerts.vocabulary import Change, Severity
from foreshock.answers.dossier import Known
from foreshock.answers.facts import Record
from foreshock.contract import Asset, ScoreState
from foreshock.errors import ConfigurationError, InputRejected
from foreshock.policies import read_policies
from foreshock.settings import Settings
from foreshock.streams.coders import registry_for
from foreshock.streams.errands.alertlog import AlertLog
from foreshock.streams.errands.backward import look_back
from foreshock.streams.errands.registered import registered_assets
from foreshock.streams.errands.sampling import first_ns, instants, sampled
from foreshock.streams.kafka import explain, reader_config
from foreshock.streams.partitioner import partition_for
from foreshock.streams.state.reader import reading
from foreshock.streams.topics import inspect
from foreshock.streams.wire import decode_output

INSTANTS = 60
RECORDS = 300  # of the partition at each instant: its asset is one of many on it
ANOMALIES = 20_000  # looked back at
NS = 1_000_000_000


def gather(settings: Settings, asset: str, span_s: float) -> Known:
    """Find out what can be found out about an asset.

    Parameters
    ----------
    settings
        Where Kafka is, which policies hold.
    asset
        Its id.
    span_s
        How far back scores are sampled, by the time of the broker.

    Raises
    ------
    ConfigurationError
        There are no topics with that prefix, or a policy cannot be used.
    Unavailable
        Kafka cannot be reached.
    """
    now_ns = time.time_ns()
    with AlertLog(settings, asset) as read:
        transitions, commands, work_orders = read.transitions(), read.commands(), read.work_orders()
    registered = {each.asset: each for each in registered_assets(settings)}
    refused = {each.command_id for each in transitions if each.change is Change.REFUSED}
    said = labels(commands, incidents(transitions), refused).get(asset, ())
    policy = resolve(read_policies(settings.alerts.policies), registered.get(asset) or Asset(asset=asset))
    scores, anomaly = _measured(settings, asset, now_ns - int(span_s * NS), now_ns)
    return Known(
        now_ns=now_ns,
        asset=asset,
        scores=scores,
        levels=levels(policy, settings.detection.budget, said),
        transitions=transitions,
        commands=commands,
        work_orders=work_orders,
        anomaly=anomaly,
    )


def levels(policy: Policy, detection_budget: float, said: Sequence[Label]) -> tuple[tuple[Severity, float], ...]:
    """Scores at which the bands of a policy begin for an asset with such labels, the lowest first."""
    scale = budget.factor(policy.budget_per_asset_month, detection_budget)
    margin = effect(said, asset="", level=level(policy) * scale).margin_factor
    return tuple(sorted(((b.severity, b.raise_at * scale * margin) for b in policy.bands), key=lambda each: each[1]))


def gather_queue(
    settings: Settings, from_ns: int, until_ns: int
) -> tuple[tuple[Asked, ...], tuple[tuple[str, str], ...]]:
    """Give the alerts of an interval that nobody labelled, the most telling first, and labels that wait for a second person.

    Returns
    -------
    tuple of tuple and tuple
        What to label; and asset and label id of what to accept.
    """
    with AlertLog(settings) as read:
        transitions, commands, work_orders = read.transitions(), read.commands(), read.work_orders()
    alerts = incidents(transitions)
    refused = {each.command_id for each in transitions if each.change is Change.REFUSED}
    said = labels(commands, alerts, refused)
    judged = judge(alerts, said, jobs(work_orders), until_ns=until_ns)
    registered = {each.asset: each for each in registered_assets(settings)}
    policies = read_policies(settings.alerts.policies)
    at = {
        (name, severity): begins
        for name in {each.asset for each in alerts}
        for severity, begins in levels(
            resolve(policies, registered.get(name) or Asset(asset=name)), settings.detection.budget, said.get(name, ())
        )
    }
    waiting = [each for group in said.values() for each in group if not each.in_force]
    leave = {each.alert_id for each in waiting}
    wanted = tuple(
        each
        for each in queue(judged, at)
        if from_ns <= each.incident.raised_ns < until_ns and each.incident.alert_id not in leave
    )
    return wanted, tuple((name, each.label_id) for name, group in said.items() for each in group if each in waiting)


def _measured(
    settings: Settings, asset: str, from_ns: int, now_ns: int
) -> tuple[dict[str, Sequence[tuple[int, float]]], Record | None]:
    topics = inspect(settings)
    if "scores.v1" not in topics:
        raise ConfigurationError(f"there is no topic {settings.topics.prefix}scores.v1: is topics.prefix right?")
    partition = partition_for(asset.encode(), topics["scores.v1"].partitions, settings.topics.partitioner)
    consumer = reading({**reader_config(settings), "log_level": 0})
    try:
        scores = _scores(settings, consumer, (topics["scores.v1"].name, partition), asset, (from_ns, now_ns))
        name = topics["anomalies.v1"].name
        key = asset.encode()
        look = look_back(consumer, name, partition, lambda each: each.key() == key, enough=1, most=ANOMALIES)
    except KafkaException as exc:
        raise explain(exc.args[0], [], settings) from exc
    finally:
        consumer.close()
    registry = registry_for(settings)
    found = next((decode_output(each.value() or b"", registry)["record"] for each in look.found), None)
    return scores, found


def _scores(
    settings: Settings, consumer: Consumer, place: tuple[str, int], asset: str, over: tuple[int, int]
) -> dict[str, Sequence[tuple[int, float]]]:
    """Sampled scores of each measuring point by source time, each time once."""
    topic, partition = place
    start = first_ns(consumer, topic, partition, over[0])
    if start is None:
        return {}
    found: dict[str, dict[int, float]] = {}
    registry = registry_for(settings)
    for _, message in sampled(consumer, topic, [partition], instants(start, over[1], INSTANTS), RECORDS):
        if message.key() != asset.encode():
            continue
        try:
            record = decode_output(message.value() or b"", registry)["record"]
        except InputRejected:
            continue
        point = found.setdefault(record["point"], {})
        for row in record["rows"]:
            if row["state"] == ScoreState.SCORED and row["value"] is not None:
                point[int(row["source_ns"])] = float(row["value"])
    return {point: tuple(sorted(rows.items())) for point, rows in found.items()}
